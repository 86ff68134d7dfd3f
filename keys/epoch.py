"""Epoch keys: one secret per audience and epoch, committed to and chained to the one before."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from keys import aead, derive
from keys.errors import CannotOpen
from keys.labels import Label, frame

_ONCE = bytes(aead.NONCE_SIZE)


@dataclass(frozen=True, slots=True)
class EpochKey:
    """The key of one epoch of one circle; `scope` is the stream's id and the circle's name, framed."""

    scope: bytes
    epoch: int
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, scope: bytes, epoch: int) -> EpochKey:
        """Make the key of a new epoch."""
        return cls(scope, epoch, secrets.token_bytes(derive.KEY_SIZE))

    @property
    def commitment(self) -> bytes:
        """32 bytes that bind this key to its circle and epoch; they stand in the signed event (rules 3, 13)."""
        return derive.expand(self.secret, Label.EPOCH_COMMITMENT, place(self.scope, self.epoch))

    def link(self, previous: EpochKey) -> bytes:
        """Seal the previous epoch's key under this one, so that whoever holds this one reads history."""
        context = place(self.scope, self.epoch) + place(previous.scope, previous.epoch)
        # The key derived here seals one message in its life: the nonce may be constant.
        key = derive.expand(self.secret, Label.EPOCH_LINK, context)
        return aead.seal(key, _ONCE, previous.secret, context)

    def follow(self, link: bytes, epoch: int, commitment: bytes) -> EpochKey:
        """Open the link to an earlier epoch; raises CannotOpen unless it yields the key committed to."""
        context = place(self.scope, self.epoch) + place(self.scope, epoch)
        key = derive.expand(self.secret, Label.EPOCH_LINK, context)
        return committed(EpochKey(self.scope, epoch, aead.open_(key, _ONCE, link, context)), commitment)


def committed(key: EpochKey, commitment: bytes) -> EpochKey:
    """Return the key if it is the one committed to; raises CannotOpen."""
    if len(key.secret) != derive.KEY_SIZE or not hmac.compare_digest(key.commitment, commitment):
        raise CannotOpen
    return key


def place(scope: bytes, epoch: int) -> bytes:
    """The circle and the epoch as unambiguous bytes."""
    return frame(scope, epoch.to_bytes(4, "big"))
