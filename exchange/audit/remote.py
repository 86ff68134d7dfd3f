"""A server as the source of an audit: entries in bundles, a few at a time; what it refuses to show is not shown."""

from __future__ import annotations

import asyncio

from events.entries import EntryType
from events.tiles import ENTRIES, WIDTH, Tile
from exchange.audit.source import Listed, Record
from exchange.client.errors import ServerLied, ServerRefused
from exchange.client.remote import Remote

FETCHES = 8
RECORDS = frozenset({EntryType.STATEMENT.value, EntryType.COMPLETION.value})


class Server:
    """What a server shows to the person signed in."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._fetching = asyncio.Semaphore(FETCHES)

    async def checkpoint(self) -> bytes:
        """The newest checkpoint."""
        return await self._remote.checkpoint()

    async def witnessed(self) -> bytes | None:
        """The newest witnessed checkpoint."""
        return await self._remote.witnessed()

    async def entries(self, start: int, end: int) -> list[bytes]:
        """Entries, up to the first bundle that is not shown."""
        bundles = range(start // WIDTH, -(-end // WIDTH))
        tiles = [Tile(ENTRIES, index, min(end - index * WIDTH, WIDTH)) for index in bundles]
        found: list[bytes] = []
        for entries in await asyncio.gather(*map(self._bundle, tiles)):
            if not entries:
                break
            found += entries
        return found[start % WIDTH :]

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes of a consistency proof; none if it is refused, which proves nothing."""
        try:
            return await self._remote.consistency(old, new)
        except ServerRefused:
            return []

    async def streams(self) -> list[Listed]:
        """Register and reviews."""
        return [(bytes.fromhex(info.id), info.seq, info.accesses) for info in await self._remote.streams()]

    async def envelopes(self, stream: bytes, after: int) -> list[bytes]:
        """A page of events."""
        try:
            return await self._remote.events(stream, after)
        except ServerRefused:
            return []

    async def accesses(self, stream: bytes, after: int) -> list[Record]:
        """A page of the records of reading."""
        try:
            records = await self._remote.accesses(stream, after)
        except ServerRefused:
            return []
        if not {kind for kind, _ in records} <= RECORDS:
            raise ServerLied(20, "the server's list of readings has something else in it")
        return records

    async def _bundle(self, tile: Tile) -> list[bytes]:
        async with self._fetching:
            try:
                return await self._remote.entries(tile)
            except ServerRefused:
                return []
