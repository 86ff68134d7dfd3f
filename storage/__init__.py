"""Storage: envelopes, bodies and sealed files, kept durably; the one package that knows the engines."""
