"""Grants: an epoch key sealed to one device by HPKE."""

from __future__ import annotations

from keys.epoch import EpochKey, committed, place
from keys.identity import Identity
from keys.labels import Label, frame
from keys.recipient import Recipient


def grant(key: EpochKey, to: Recipient) -> bytes:
    """Seal an epoch key to a device: 1,168 bytes bound to circle, epoch, commitment and device."""
    return to.seal(Label.EPOCH_GRANT, key.secret, _context(key.scope, key.epoch, key.commitment, to))


def accept(identity: Identity, sealed: bytes, scope: bytes, epoch: int, commitment: bytes) -> EpochKey:
    """Open a grant; raises CannotOpen unless it yields the very key that the signed event commits to."""
    context = _context(scope, epoch, commitment, identity.recipient)
    secret = identity.open(Label.EPOCH_GRANT, sealed, context)
    return committed(EpochKey(scope, epoch, secret), commitment)


def _context(scope: bytes, epoch: int, commitment: bytes, to: Recipient) -> bytes:
    return place(scope, epoch) + frame(commitment, to.fingerprint)
