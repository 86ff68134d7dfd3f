"""Where an audit gets what it checks: a server as it shows itself to the oversight group, believed in nothing."""

from __future__ import annotations

from typing import Protocol

Listed = tuple[bytes, int | None, int | None]
Record = tuple[int, bytes]


class Source(Protocol):
    """What a server shows: notes, entries, records; errors of the line are raised as Offline, garbage as ServerLied."""

    async def checkpoint(self) -> bytes:
        """The newest checkpoint, a signed note."""

    async def witnessed(self) -> bytes | None:
        """The newest checkpoint that meets the announced policy, with its cosignatures; None if there is none."""

    async def entries(self, start: int, end: int) -> list[bytes]:
        """The entries of the log from `start` to before `end`; fewer if the server does not show all."""

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes that are to show that the first `old` of `new` entries are the same."""

    async def streams(self) -> list[Listed]:
        """Register and reviews, by id, with the numbers of the newest event and of the newest record of reading.

        None where it is not said.
        """

    async def envelopes(self, stream: bytes, after: int) -> list[bytes]:
        """One page of a stream's envelopes after a number; an empty one ends it."""

    async def accesses(self, stream: bytes, after: int) -> list[Record]:
        """One page of the records of reading a stream, each with its type, after a number; an empty one ends it."""
