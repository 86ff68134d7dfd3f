"""The records a server shows, put beside the entries of the log: which record an entry is for, and what is left over.

Streams are fetched page by page as the log goes through them, so that the walk needs a page of each and no more.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from events.entries import EntryType, entry
from exchange.audit.source import Listed, Source

FETCHES = 8
AHEAD = 500
FAR = 3000


class Shown(NamedTuple):
    """A record as it is shown: what it is, its place in its stream's list (`line`), its bytes and their SHA-256."""

    type: EntryType
    stream: bytes
    number: int
    data: bytes
    digest: bytes
    line: Line


class Place(NamedTuple):
    """How many of a stream's envelopes, and of the records of reading it, were taken in."""

    events: int
    accesses: int


@dataclass(slots=True, eq=False)
class Line:
    """One list of a stream: envelopes, or records of reading it.

    `high` is the place after the highest that was matched to an entry, `end` how many were fetched, `left` how many of
    these are not matched; `last` is the newest number the server admits to.
    """

    stream: bytes
    accesses: bool
    high: int
    end: int
    last: int | None
    looked: int = 0
    left: int = 0
    ended: bool = False
    coming: asyncio.Task[list[Shown]] | None = None


class Shelf:
    """What was fetched and not matched yet, by the entry it would have."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines: dict[tuple[bytes, bool], Line] = {}
        self._found: dict[bytes, Shown] = {}
        self._fetching = asyncio.Semaphore(FETCHES)
        self.twice: list[Shown] = []
        self.misplaced: list[Shown] = []

    def open(self, streams: Iterable[Listed], places: dict[bytes, Place]) -> None:
        """Begin, or ask again, with the streams that the server lists and those known from before."""
        listed = {stream: (events, accesses) for stream, events, accesses in streams}
        for stream in sorted(listed.keys() | places.keys()):
            place = places.get(stream, Place(0, 0))
            for accesses, count in ((False, place.events), (True, place.accesses)):
                last = listed.get(stream, (None, None))[accesses]
                line = self._lines.setdefault((stream, accesses), Line(stream, accesses, count, count, last))
                line.last = last
                line.ended = last is not None and line.end > last

    async def take(self, entries: Sequence[bytes]) -> list[Shown | None]:
        """The record of each entry, None where none is shown."""
        taken = []
        for wanted in entries:
            shown = self._found.pop(wanted, None) or await self._look(wanted)
            if shown is not None:
                self._matched(shown)
            taken.append(shown)
        self._look_ahead()
        return taken

    async def rest(self) -> list[Shown]:
        """What is shown beyond the entries taken; each list is fetched one page further at least."""
        while lines := [line for line in self._lines.values() if not line.ended and not line.left]:
            await self._fetch(lines)
        return sorted(
            self._found.values(), key=lambda shown: (shown.stream, shown.type != EntryType.ENVELOPE, shown.number)
        )

    def places(self, unjudged: Iterable[Shown]) -> dict[bytes, Place]:
        """How far each stream was taken in: up to the first record on which there is no judgement yet."""
        ends = {key: line.end for key, line in self._lines.items()}
        for shown in unjudged:
            key = (shown.stream, shown.type != EntryType.ENVELOPE)
            ends[key] = min(ends[key], shown.number)
        return {stream: Place(end, ends[stream, True]) for (stream, accesses), end in ends.items() if not accesses}

    async def close(self) -> None:
        """Stop what is being fetched ahead."""
        coming = [line.coming for line in self._lines.values() if line.coming]
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)

    def _matched(self, shown: Shown) -> None:
        line = shown.line
        line.left -= 1
        if shown.number >= line.high:
            line.high = shown.number + 1
        else:
            self.misplaced.append(shown)

    async def _look(self, wanted: bytes) -> Shown | None:
        """Fetch on until the record turns up: first the lists that have run dry, then a bounded piece of all."""
        while wanted not in self._found:
            lines = [line for line in self._lines.values() if not line.ended]
            dry = [line for line in lines if not line.left]
            near = [line for line in lines if line.end < line.high + FAR]
            if not (dry or near):
                return None
            await self._fetch(dry or near)
        return self._found.pop(wanted)

    def _look_ahead(self) -> None:
        """Have the next page of the lists in use on its way before the one at hand is used up."""
        for line in self._lines.values():
            if line.high > line.looked and not line.ended and line.coming is None and line.left <= AHEAD:
                line.looked = line.high
                line.coming = asyncio.create_task(self._page(line))

    async def _fetch(self, lines: Sequence[Line]) -> None:
        pages = await asyncio.gather(*(line.coming or self._page(line) for line in lines))
        for line, page in zip(lines, pages, strict=True):
            line.coming = None
            self._put(line, page)

    async def _page(self, line: Line) -> list[Shown]:
        async with self._fetching:
            if line.accesses:
                accesses = await self._source.accesses(line.stream, line.end - 1)
                records = [(EntryType(kind), data) for kind, data in accesses]
            else:
                envelopes = await self._source.envelopes(line.stream, line.end - 1)
                records = [(EntryType.ENVELOPE, envelope) for envelope in envelopes]
        sha = hashlib.sha256
        return [
            Shown(kind, line.stream, number, data, sha(data).digest(), line)
            for number, (kind, data) in enumerate(records, line.end)
        ]

    def _put(self, line: Line, page: list[Shown]) -> None:
        line.ended = not page or (line.last is not None and line.end + len(page) > line.last)
        line.end += len(page)
        for shown in page:
            key = entry(shown.type, shown.digest)
            if key in self._found:
                # The same bytes in two places: at most one of them can be the entry's.
                self.twice.append(shown)
                continue
            self._found[key] = shown
            line.left += 1
