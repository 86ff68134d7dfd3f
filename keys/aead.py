"""XChaCha20-Poly1305 of libsodium with one uniform failure."""

from __future__ import annotations

import nacl.bindings
import nacl.exceptions

from keys.errors import CannotOpen

NONCE_SIZE = 24
TAG_SIZE = 16


def seal(key: bytes, nonce: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Encrypt and authenticate; the caller owes a nonce never used with this key before."""
    return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, context, nonce, key)


def open_(key: bytes, nonce: bytes, ciphertext: bytes, context: bytes) -> bytes:
    """Authenticate and decrypt; raises CannotOpen."""
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, context, nonce, key)
    except (nacl.exceptions.CryptoError, ValueError, RuntimeError):
        raise CannotOpen from None
