"""The documents one can open, and their fingerprints: taken once, then remembered, sealed, in the home."""

from __future__ import annotations

import array
import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from events import canonical
from events.envelope import Hash
from events.errors import Malformed
from events.review import Review
from exchange.client.client import Client, Entry, quiet
from exchange.client.disclosing import file_names, opens
from exchange.client.errors import NoKey, NotFound, ServerRefused
from exchange.client.formats.bounds import MAX_FILE
from exchange.client.tracing import Fingerprint
from exchange.client.transfer import Progress
from keys.errors import CannotOpen
from keys.labels import frame
from keys.local import LocalKey
from keys.sealing import sealed_size

PURPOSE = b"fingerprints"
FORMAT = 1
MAX_REMEMBERED = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """One document that this device can open: the text of an event (number 0) or one of its files."""

    review: Review
    entry: Entry
    number: int
    name: str

    @property
    def size(self) -> int:
        """Bytes of it on the server."""
        return self.entry.header.objects[self.number].size

    @property
    def version(self) -> int:
        """Which version of the document this is."""
        return self.entry.header.objects[self.number].version


class _Remembered(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    content: Hash
    words: bytes
    shingles: bytes


async def holdings(client: Client, review: Review) -> list[Holding]:
    """The documents of a review that this device can open, in order; texts and files, every version."""
    found = []
    for entry in client.entries(review.id):
        numbers = [n for n in range(len(entry.header.objects)) if _opens(client, review, entry, n)]
        names = await _names(client, review, entry) if any(numbers) else {}
        found += [Holding(review, entry, n, names.get(n, "")) for n in numbers]
    return found


async def fingerprints(
    client: Client, held: list[Holding], size: int, progress: Progress = quiet
) -> AsyncIterator[tuple[Holding, Fingerprint | None]]:
    """The fingerprint of each, remembered or taken anew; None for those that do not come or open.

    Of a file too long to be read, only the bytes can be compared: it is fetched if a leak of `size` bytes could be it.
    """
    total, done = sum(holding.size for holding in held), 0
    for holding in held:
        try:
            found = await _fingerprint(client, holding, size, _after(done, total, progress))
        except (NoKey, NotFound, ServerRefused, CannotOpen):
            found = None
        done += holding.size
        progress(done, total)
        yield holding, found


def _after(done: int, total: int, progress: Progress) -> Progress:
    return lambda got, _: progress(done + got, total)


def words_of(body: Any) -> str:
    """The words of a body: its text, or all it says if no field is called so."""
    plain = body if isinstance(body, dict) else msgspec.to_builtins(body, builtin_types=(bytes,))
    fields = plain.get("fields", plain)
    return fields.get("text") or "\n".join(_strings(fields))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _strings(part)


def _opens(client: Client, review: Review, entry: Entry, number: int) -> bool:
    return opens(review, entry, number, client.identity.fingerprint)


async def _names(client: Client, review: Review, entry: Entry) -> dict[int, str]:
    try:
        return await file_names(client, review, entry)
    except (NoKey, NotFound, ServerRefused, CannotOpen):
        return {}


async def _fingerprint(client: Client, holding: Holding, size: int, progress: Progress) -> Fingerprint:
    key, place = LocalKey(client.identity.local_key(PURPOSE)), (holding.review.id, holding.entry.id, holding.number)
    sealed = client.cache.fingerprint(*place)
    known = _read(key, sealed, place) if sealed is not None else None
    if known is None:
        known, whole = await _taken(client, holding, size, progress)
        if whole:
            client.cache.keep_fingerprint(*place, key.seal(_written(known), _context(place)))
    return known


async def _taken(client: Client, holding: Holding, size: int, progress: Progress) -> tuple[Fingerprint, bool]:
    """The fingerprint, and whether it is all there is to know of the document."""
    review, entry, number = holding.review, holding.entry, holding.number
    if not number:
        words = words_of((await client.open(review, entry)).body)
        return await asyncio.to_thread(Fingerprint.of, words.encode()), True
    if holding.size <= sealed_size(MAX_FILE):
        data = await client.fetched(review, entry, number, b"".join, progress)
        return await asyncio.to_thread(Fingerprint.of, data, holding.name), True
    if holding.size != sealed_size(size):
        return Fingerprint(bytes(32), b"", frozenset()), False
    content = await client.fetched(review, entry, number, digest_of, progress)
    return Fingerprint(content, b"", frozenset()), True


def digest_of(pieces: Iterator[bytes]) -> bytes:
    """SHA-256 of a file that comes in pieces."""
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.digest()


def _context(place: tuple[bytes, bytes, int]) -> bytes:
    return frame(FORMAT.to_bytes(2, "big"), place[0], place[1], place[2].to_bytes(2, "big"))


def _written(known: Fingerprint) -> bytes:
    return canonical.encode([known.content, known.words, _swapped(array.array("I", sorted(known.shingles))).tobytes()])


def _read(key: LocalKey, sealed: bytes, place: tuple[bytes, bytes, int]) -> Fingerprint | None:
    """What was remembered; None if it was altered or is of another build."""
    try:
        value = canonical.decode(key.open(sealed, _context(place)), MAX_REMEMBERED)
        found = msgspec.convert(value, _Remembered, builtin_types=(bytes,))
        shingles = array.array("I")
        shingles.frombytes(found.shingles)
    except (CannotOpen, Malformed, msgspec.ValidationError, ValueError):
        return None
    return Fingerprint(found.content, found.words, frozenset(_swapped(shingles)))


def _swapped(numbers: array.array[int]) -> array.array[int]:
    """The numbers in big-endian order of bytes, or back."""
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
