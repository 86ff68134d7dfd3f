"""The log's keeper: its tree follows the database, and whenever it grew a new checkpoint is signed."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from events.checkpoint import Head
from events.entries import ENTRY_SIZE, EntryType, entry
from events.merkle import EMPTY_ROOT
from events.notes import Note, Vkey
from events.tiles import ENTRIES, Tile, write_bundle
from exchange.notekeys import HeldKey
from storage.errors import BlobMissing, Damaged, StorageError, StorageUnavailable
from storage.log import EventLog
from storage.rows import COMPLETED, STATED
from storage.tree import Tree

T = TypeVar("T")
TYPES = {STATED: EntryType.STATEMENT, COMPLETED: EntryType.COMPLETION}
PAGE = 5000
INTERVAL_S = 0.1
RETRY_S = 1.0
PATIENCE_S = 5.0
WITNESSED = "witnessed"
RECENT = 1000


class Notary:
    """The tree and its newest checkpoint; all work on the tree is done on one thread of its own."""

    def __init__(self, log: EventLog, path: Path, key: HeldKey) -> None:
        self._log = log
        self._path = path
        self._key = key.secret
        self.vkey: Vkey = key.vkey
        self.checkpoint: Note = self._signed(0, EMPTY_ROOT)
        self.witnessed: Note | None = None
        self._thread = ThreadPoolExecutor(1, "log-tree")
        self._tree: Tree | None = None
        self._woken = asyncio.Event()
        self._grown = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._covered = 0
        self._recent: dict[int, bytes] = {}

    async def start(self) -> None:
        """Open the tree, let it catch up with the database, and follow it from then on; raises Damaged."""
        self._tree = await self._off_loop(lambda: Tree(self._path))
        await self._check_database()
        kept = await self._on_tree(lambda tree: tree.note(WITNESSED))
        self.witnessed = Note.parse(kept) if kept else None
        await self._follow()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop following and close the tree."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._tree is not None:
            await self._on_tree(lambda tree: tree.close())
        self._thread.shutdown()

    def appended(self) -> None:
        """Take note that the database has a new row."""
        self._woken.set()

    async def settled(self) -> Note:
        """The newest checkpoint, once it covers whatever could be read from the database before this was asked."""
        wanted = await self._log.newest()
        if wanted > self._covered:
            self._woken.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S), self._grown:
                    await self._grown.wait_for(lambda: self._covered >= wanted)
        return self.checkpoint

    async def grown(self, beyond: Note) -> None:
        """Wait until there is a newer checkpoint than this one."""
        async with self._grown:
            await self._grown.wait_for(lambda: self.checkpoint.text != beyond.text)

    async def keep_witnessed(self, note: Note) -> None:
        """Publish a checkpoint with the cosignatures of a quorum."""
        await self._on_tree(lambda tree: tree.keep_note(WITNESSED, note.encode()))
        self.witnessed = note

    async def had(self, size: int, root: bytes) -> bool:
        """Whether the log had this root at this size, which is above 0; what was signed lately costs no look-up."""
        recent = self._recent.get(size)
        if recent is not None or not 0 < size <= Head.parse(self.checkpoint.text).size:
            return recent == root
        return await self._on_tree(lambda tree: tree.root(size)) == root

    async def inclusion(self, stream: bytes, seq: int, size: int) -> tuple[int, list[bytes]]:
        """The leaf of a record and its proof in a tree of `size` leaves; raises BlobMissing or NotProved."""
        place = await self._log.place(stream, seq)
        if place is None:
            raise BlobMissing("there is no such record")
        digest, position, kind = place

        def prove(tree: Tree) -> tuple[int, list[bytes]]:
            index = tree.index_of(position, _entry(kind, digest))
            return index, tree.inclusion(index, size)

        return await self._on_tree(prove)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the log only grew between two sizes; raises NotProved."""
        return await self._on_tree(lambda tree: tree.consistency(old, new))

    async def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile or bundle as they are served; raises BlobMissing."""
        if tile.level != ENTRIES:
            return await self._on_tree(lambda tree: tree.tile(tile.level, tile.index, tile.width))
        data = await self._on_tree(lambda tree: tree.bundle(tile.index, tile.width))
        return write_bundle([data[i : i + ENTRY_SIZE] for i in range(0, len(data), ENTRY_SIZE)])

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._follow()
            except StorageError:
                # Nothing is lost: the tree is made from the database, and goes on when it answers again.
                self._woken.set()
                await asyncio.sleep(RETRY_S)
            else:
                await asyncio.sleep(INTERVAL_S)

    async def _follow(self) -> None:
        """Bring the tree up to the database and sign what it has become."""
        while rows := await self._log.hashes(after=self._open_tree.position, limit=PAGE):
            positions = [position for position, _, _ in rows]
            entries = [_entry(kind, digest) for _, kind, digest in rows]
            await self._on_tree(lambda tree, e=entries, p=positions: tree.append(e, p))  # type: ignore[misc]
        size, root = await self._on_tree(lambda tree: (tree.size, tree.root()))
        async with self._grown:
            self.checkpoint = self._signed(size, root)
            self._covered = self._open_tree.position
            if size:
                self._recent[size] = root
            while len(self._recent) > RECENT:
                del self._recent[next(iter(self._recent))]
            self._grown.notify_all()

    async def _check_database(self) -> None:
        """A database older than its log would make the log sign a second history; raises Damaged."""
        last = await self._on_tree(lambda tree: tree.last_entry())
        if last is None:
            return
        found = await self._log.hashes(after=self._open_tree.position - 1, limit=1)
        if not found or (found[0][0], _entry(*found[0][1:])) != (self._open_tree.position, last):
            raise Damaged(
                "the database lacks events that the log has signed for, or holds others: it is older than its log. "
                "Nothing was changed. Restore the newest database"
            )

    def _signed(self, size: int, root: bytes) -> Note:
        return Head(self.vkey.name, size, root).signed(self._key)

    @property
    def _open_tree(self) -> Tree:
        if self._tree is None:
            raise StorageUnavailable("the log's tree is not open")
        return self._tree

    async def _on_tree(self, work: Callable[[Tree], T]) -> T:
        tree = self._open_tree
        return await self._off_loop(lambda: work(tree))

    async def _off_loop(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise StorageUnavailable(f"the log's tree does not answer: {type(error).__name__}") from None


def _entry(kind: str, digest: bytes) -> bytes:
    return entry(TYPES.get(kind, EntryType.ENVELOPE), digest)
