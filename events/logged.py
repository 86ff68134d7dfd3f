"""A receipt for an event: all that is needed to check, offline and asking nobody, that it was written and by when.

    extra  =  canonical [envelope, author's signing key, author's sealing key]

The envelope names its author's device by a fingerprint, which binds both keys: nobody need vouch for them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated

import msgspec

from events import canonical
from events.checkpoint import Witnessed
from events.entries import EntryType, entry
from events.envelope import MAX_ENVELOPE, Event, SignedEvent
from events.errors import BadNote, Malformed
from events.notes import Note
from events.policy import Policy
from events.receipts import MAX_EXTRA, Receipt
from keys.errors import InvalidKey
from keys.recipient import SEALING_SIZE, SIGNING_SIZE, Recipient


class Extra(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What stands in the receipt beside the proof."""

    envelope: Annotated[bytes, msgspec.Meta(max_length=MAX_ENVELOPE)]
    signing: Annotated[bytes, msgspec.Meta(min_length=SIGNING_SIZE, max_length=SIGNING_SIZE)]
    sealing: Annotated[bytes, msgspec.Meta(min_length=SEALING_SIZE, max_length=SEALING_SIZE)]


@dataclass(frozen=True, slots=True)
class Logged:
    """An event whose signature held, in a log, at a place, as a quorum of witnesses saw it."""

    event: Event
    author: Recipient
    place: int
    witnessed: Witnessed


def receipt_for(envelope: bytes, author: Recipient, place: int, hashes: tuple[bytes, ...], note: Note) -> Receipt:
    """The receipt for an event at a place in the log; nothing is checked."""
    return Receipt(place, hashes, note, canonical.encode([envelope, author.signing, author.sealing]))


def check(receipt: Receipt, policy: Policy) -> Logged:
    """Check a receipt for an event; raises BadNote, NotProved or BadSignature."""
    try:
        extra = msgspec.convert(canonical.decode(receipt.extra, MAX_EXTRA), Extra, builtin_types=(bytes,))
        signed = SignedEvent.parse(extra.envelope)
        author = Recipient(extra.signing, extra.sealing)
    except (msgspec.ValidationError, Malformed, InvalidKey) as error:
        raise BadNote(f"expected an event with its author's keys in the receipt, got: {error}") from None
    event = signed.verify(author)
    digest = hashlib.sha256(signed.envelope).digest()
    return Logged(event, author, receipt.index, receipt.verify(policy, entry(EntryType.ENVELOPE, digest)))
