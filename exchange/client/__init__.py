"""The client: verifies everything it is told, seals and signs everything it sends."""
