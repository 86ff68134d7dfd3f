"""The walk over the log's entries: fetching, checking signatures and folding, each a piece ahead of the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from events.entries import ENTRY_SIZE, EntryType
from exchange.audit.judge import Judge, Prepared
from exchange.audit.shelf import Shelf, Shown
from exchange.audit.signatures import Verifiers
from exchange.audit.tree import Tree
from exchange.client.errors import ServerLied
from exchange.client.replay import ahead

PIECE = 2048
_TYPES = frozenset(EntryType)
T = TypeVar("T")
Entries = Callable[[int, int], Awaitable[list[bytes]]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """What works on the log; `missing` collects the entries for which no record is shown, with their places."""

    entries: Entries
    shelf: Shelf
    tree: Tree
    judge: Judge
    missing: dict[bytes, int]
    verifiers: Verifiers
    folding: ThreadPoolExecutor
    progress: Progress

    async def walk(self, end: int) -> None:
        """Walk to before entry `end`, or to the first one that is not shown."""
        judging = asyncio.create_task(asyncio.sleep(0))
        try:
            async for start, entries in ahead(self._pieces(self.tree.size, end)):
                taken = await self.shelf.take(entries)
                for place, shown in enumerate(taken):
                    if shown is None:
                        self.missing[entries[place]] = start + place
                prepared = await self._fold(self._prepare, start, entries, taken)
                verdicts = self.verifiers.check(prepared.work)
                await judging
                judging = asyncio.create_task(self._judge(prepared, verdicts))
                self.progress(start + len(entries), end)
        finally:
            await judging

    async def _pieces(self, start: int, end: int) -> AsyncIterator[tuple[int, list[bytes]]]:
        while start < end:
            entries = await self.entries(start, min((start // PIECE + 1) * PIECE, end))
            if any(len(entry) != ENTRY_SIZE or entry[0] not in _TYPES for entry in entries):
                raise ServerLied(20, "the server shows entries of the log that are none")
            if not entries:
                return
            yield start, entries
            start += len(entries)

    def _prepare(self, start: int, entries: list[bytes], taken: list[Shown | None]) -> Prepared:
        self.tree.add(entries)
        return self.judge.prepare(start, taken)

    async def _judge(self, prepared: Prepared, verdicts: list[Future[bytes]]) -> None:
        checked = b"".join(await asyncio.gather(*map(asyncio.wrap_future, verdicts)))
        await self._fold(self.judge.judge, prepared, checked)

    async def _fold(self, work: Callable[..., T], *given: object) -> T:
        """One thread folds, in order; the line and the verifiers go on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self.folding, work, *given)
