"""Keys of logs and witnesses: Ed25519 over bare messages, as C2SP's signed notes ask (c2sp.org/signed-note).

These signatures carry no label, so that other implementations understand them: such a key signs notes and nothing else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import nacl.bindings

from keys.errors import InvalidKey
from keys.recipient import check_signature, check_signing

SEED_SIZE = 32


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """The public key of a log or a witness, 32 bytes; raises InvalidKey for anything but a valid point."""

    public: bytes

    def __post_init__(self) -> None:
        check_signing(self.public)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check a signature over exactly these bytes; raises BadSignature."""
        check_signature(self.public, message, signature)


@dataclass(frozen=True, slots=True)
class NoteKey:
    """The secret key of a log or a witness, a seed of 32 bytes; it signs notes and nothing else."""

    seed: bytes = field(repr=False)
    verifier: NoteVerifier = field(init=False)
    _secret: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_SIZE:
            raise InvalidKey(f"expected a seed of {SEED_SIZE} bytes, got {len(self.seed)}")
        public, secret = nacl.bindings.crypto_sign_seed_keypair(self.seed)
        object.__setattr__(self, "verifier", NoteVerifier(public))
        object.__setattr__(self, "_secret", secret)

    @classmethod
    def generate(cls) -> NoteKey:
        """Make a new key from the operating system's randomness."""
        return cls(secrets.token_bytes(SEED_SIZE))

    def sign(self, message: bytes) -> bytes:
        """Sign exactly these bytes; 64 bytes."""
        return nacl.bindings.crypto_sign(message, self._secret)[: nacl.bindings.crypto_sign_BYTES]
