"""The secret halves of one device: sign and open. The server never imports this module."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

import nacl.bindings
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from keys import derive
from keys.errors import CannotOpen, InvalidKey
from keys.labels import Label
from keys.recipient import SUITE, Recipient

SEED_SIZE = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """Two independent 32-byte seeds; the public halves are always recomputed from them (rule 6)."""

    signing_seed: bytes = field(repr=False)
    sealing_seed: bytes = field(repr=False)
    recipient: Recipient = field(init=False)
    _signing_key: bytes = field(init=False, repr=False)
    _sealing_key: hpke.MLKEM768X25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for seed in (self.signing_seed, self.sealing_seed):
            if len(seed) != SEED_SIZE:
                raise InvalidKey(f"expected a seed of {SEED_SIZE} bytes, got {len(seed)}")
        public, secret = nacl.bindings.crypto_sign_seed_keypair(self.signing_seed)
        mlkem, x25519 = _expand_sealing_seed(self.sealing_seed)
        sealing = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        object.__setattr__(self, "recipient", Recipient(public, sealing))
        object.__setattr__(self, "_signing_key", secret)
        object.__setattr__(self, "_sealing_key", hpke.MLKEM768X25519PrivateKey(mlkem, x25519))

    @classmethod
    def generate(cls) -> Identity:
        """Make a new identity from the operating system's randomness."""
        return cls(secrets.token_bytes(SEED_SIZE), secrets.token_bytes(SEED_SIZE))

    @property
    def fingerprint(self) -> bytes:
        """The 32 bytes that name this device in every envelope."""
        return self.recipient.fingerprint

    def sign(self, label: Label, message: bytes) -> bytes:
        """Sign a labelled message; 64 bytes."""
        signed = nacl.bindings.crypto_sign(label.value + message, self._signing_key)
        return signed[: nacl.bindings.crypto_sign_BYTES]

    def open(self, label: Label, sealed: bytes, context: bytes) -> bytes:
        """Open what was sealed to this device with the same label and context; raises CannotOpen."""
        try:
            return SUITE.decrypt(sealed, self._sealing_key, info=label.value + context)
        except (InvalidTag, ValueError):
            raise CannotOpen from None

    def local_key(self, purpose: bytes) -> bytes:
        """Derive a 32-byte key that never leaves this device, for its own caches and journals."""
        return derive.expand(self.signing_seed, Label.LOCAL, purpose)


def _expand_sealing_seed(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """Expand as X-Wing does (draft-connolly-cfrg-xwing-kem): SHAKE-256 to 96 bytes, 64 for ML-KEM."""
    expanded = hashlib.shake_256(seed).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )
