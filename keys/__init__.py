"""Keys: bytes in, bytes out, and the only package that touches a cryptographic primitive."""
