"""What a device keeps for itself, sealed under a key that never leaves it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from keys import aead


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A 32-byte key of `Identity.local_key`; every sealing takes a random nonce, which stands before it."""

    secret: bytes = field(repr=False)

    def seal(self, data: bytes, context: bytes) -> bytes:
        """Seal data to be opened with the same context."""
        nonce = secrets.token_bytes(aead.NONCE_SIZE)
        return nonce + aead.seal(self.secret, nonce, data, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Open what was sealed with this context; raises CannotOpen."""
        return aead.open_(self.secret, sealed[: aead.NONCE_SIZE], sealed[aead.NONCE_SIZE :], context)
