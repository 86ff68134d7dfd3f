"""Letters: words sealed to the devices they name, under a key of their own that no circle holds.

context  = frame(stream, letter's id, author's fingerprint)
key      = 32 random bytes, committed to in the signed event (rule 13)
sealed   = HPKE to each recipient, label LETTER, context ‖ frame(commitment, recipient's fingerprint)
travels  = canonical [[sealed key of each recipient, in their order], sealed words]
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Annotated

import msgspec

from events import canonical
from events.errors import Malformed
from events.kinds.breach import MAX_LETTER, MAX_RECIPIENTS, LetterClear
from events.register import Person
from events.review import Review
from exchange.client.client import Client, Entry, decode_body
from exchange.client.compose import ID_SIZE, encode_body
from exchange.client.errors import ClientError, NoKey
from keys.errors import CannotOpen
from keys.labels import Label, frame
from keys.recipient import SEALED_KEY_SIZE, Recipient
from keys.sealing import ObjectKey

SealedKey = Annotated[bytes, msgspec.Meta(min_length=SEALED_KEY_SIZE, max_length=SEALED_KEY_SIZE)]


class Enclosed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What travels: the letter's key for each recipient, and the sealed words."""

    keys: Annotated[tuple[SealedKey, ...], msgspec.Meta(max_length=MAX_RECIPIENTS)]
    words: bytes


def write(
    review: Review, register: int, author: bytes, kind: str, sealed: msgspec.Struct, recipients: Iterable[Person]
) -> tuple[LetterClear, bytes]:
    """Seal a letter; returns its clear parts and what travels with it. Raises ClientError if it is too long."""
    people = {person.device: person for person in recipients}
    if not people or len(people) > MAX_RECIPIENTS:
        raise ClientError(f"expected 1 to {MAX_RECIPIENTS} recipients of a letter, got {len(people)}; nothing was sent")
    letter, plain = secrets.token_bytes(ID_SIZE), encode_body(kind, sealed)
    key = ObjectKey(_context(review.id, letter, author), secrets.token_bytes(32))
    devices = tuple(sorted(people))
    sealed_keys = tuple(_seal(key, people[device]) for device in devices)
    blob = canonical.encode([sealed_keys, key.seal(plain)])
    if len(blob) > MAX_LETTER:
        limit = (MAX_LETTER - len(devices) * SEALED_KEY_SIZE) // 1024
        raise ClientError(
            f"expected a letter of at most about {limit} KiB, got {len(plain) // 1024} KiB; nothing was sent. "
            "Shorten the evidence, or disclose the papers themselves: colloquy disclose"
        )
    return LetterClear(register, letter, devices, key.commitment, hashlib.sha256(blob).digest()), blob


async def read(client: Client, review: Review, entry: Entry) -> msgspec.Struct:
    """Open a letter; raises NoKey if it is to others, CannotOpen if its author sealed something else."""
    clear, me = entry.rule.read_clear(entry.header.clear), client.identity.fingerprint
    if not isinstance(clear, LetterClear):
        raise NoKey(f"#{entry.header.seq} is no letter")
    if me not in clear.recipients:
        raise NoKey(f"the letter #{entry.header.seq} is to others")
    blob = await client.carried(review.id, entry.header.seq)
    enclosed, index = _enclosed(blob, len(clear.recipients)), clear.recipients.index(me)
    context = _context(review.id, clear.letter, entry.header.author)
    opened = client.identity.open(Label.LETTER, enclosed.keys[index], context + frame(clear.commitment, me))
    key = ObjectKey(context, opened).expect(clear.commitment)
    return decode_body(entry.rule, key.open(enclosed.words))


def _seal(key: ObjectKey, to: Person) -> bytes:
    device = Recipient(to.signing, to.sealing)
    return device.seal(Label.LETTER, key.secret, key.context + frame(key.commitment, device.fingerprint))


def _context(stream: bytes, letter: bytes, author: bytes) -> bytes:
    return frame(stream, letter, author)


def _enclosed(blob: bytes, recipients: int) -> Enclosed:
    try:
        enclosed = msgspec.convert(canonical.decode(blob, MAX_LETTER), Enclosed, builtin_types=(bytes,))
    except (Malformed, msgspec.ValidationError):
        raise CannotOpen from None
    if len(enclosed.keys) != recipients:
        raise CannotOpen
    return enclosed
