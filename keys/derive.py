"""HKDF-SHA256 (RFC 5869), always with a label of its own."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from keys.labels import Label

KEY_SIZE = 32


def extract_and_expand(secret: bytes, label: Label, context: bytes, *, salt: bytes) -> bytes:
    """Derive 32 bytes from a secret, a salt and a context."""
    return HKDF(SHA256(), KEY_SIZE, salt=salt, info=label.value + context).derive(secret)


def expand(key: bytes, label: Label, context: bytes = b"") -> bytes:
    """Derive 32 bytes from a key that is already uniformly random."""
    return HKDFExpand(SHA256(), KEY_SIZE, info=label.value + context).derive(key)
