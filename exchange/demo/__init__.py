"""A whole review acted out by processes of their own: every step is a command anyone can type."""
