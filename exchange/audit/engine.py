"""The audit: from the edge that is remembered to the newest checkpoint, entry by entry, and what follows from it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from events.checkpoint import Head
from events.errors import BadNote, NotProved
from events.merkle import Frontier, verify_consistency
from events.notes import Note
from exchange.audit import memory as remembered
from exchange.audit.books import Books
from exchange.audit.conclusion import Conclusion
from exchange.audit.finding import NOWHERE, Check, Findings, Where
from exchange.audit.judge import Judge
from exchange.audit.memory import Altered, Detail, Memory
from exchange.audit.notes import Notes
from exchange.audit.report import Report, reported
from exchange.audit.shelf import Place, Shelf, Shown
from exchange.audit.signatures import Verifiers
from exchange.audit.source import Source
from exchange.audit.stage import Progress, Stage
from exchange.audit.tree import Tree
from exchange.client.errors import ServerLied

ATTEMPTS = 3
PAUSE = 1.0
UNSOUND = frozenset({Check.TREE, Check.ROLLBACK, Check.FORK})
MOMENTARY = frozenset({Check.MEMORY, Check.CHECKPOINT, Check.WITNESSES})


async def audit(
    source: Source,
    memory: Memory,
    register: bytes,
    now: int,
    *,
    full: bool = False,
    progress: Progress = lambda _done, _total: None,
    pause: float = PAUSE,
) -> Report:
    """Audit a log from what is remembered on, or all of it; remembers what was sound.

    `pause` is how long (seconds) what was shown may wait for a checkpoint, three times.
    """
    try:
        return await _audited(source, memory, register, now, full=full, altered=False, progress=progress, pause=pause)
    except Altered:
        return await _audited(source, memory, register, now, full=True, altered=True, progress=progress, pause=pause)


async def _audited(
    source: Source,
    memory: Memory,
    register: bytes,
    now: int,
    *,
    full: bool,
    altered: bool,
    progress: Progress,
    pause: float,
) -> Report:
    try:
        before, note = _begun(memory, full=full, altered=altered)
        walk = Walk(source, memory, register, before, note, pause)
        if altered:
            what = "The memory of earlier audits was altered; everything was audited anew."
            walk.findings.fault(Check.MEMORY, NOWHERE, what, "what this device wrote", "something else")
        await walk.run(progress)
        report = reported(walk, now, full=full or not before.size)
        if not UNSOUND & {finding.check for finding in report.findings}:
            walk.remember(now)
        return report
    finally:
        memory.abandon()


def _begun(memory: Memory, *, full: bool, altered: bool) -> tuple[Frontier, bytes]:
    """Begin, and say up to what edge and checkpoint the log was audited before."""
    try:
        memory.begin()
    except Altered:
        if not altered:
            raise
    head = memory.head
    if full:
        memory.forget()
    return (Frontier(), b"") if altered else (Frontier(head.size, head.peaks), head.note)


class Walk:
    """One audit at work."""

    def __init__(
        self, source: Source, memory: Memory, register: bytes, before: Frontier, earlier: bytes, pause: float
    ) -> None:
        self._source = source
        self._memory = memory
        self._pause = pause
        self._earlier = earlier
        self.before = before
        self.books = Books(memory, register)
        self.tree = Tree(Frontier(memory.head.size, memory.head.peaks))
        self.findings = Findings(memory.head.findings, memory.head.unsaid)
        self.judge = Judge(self.books, self.tree, dict(memory.head.seen), self.findings)
        self.shelf = Shelf(source)
        self.conclusion = Conclusion(self.books, self.findings)
        self.notes = Notes(source, self.findings)
        self.head = Head("none yet", 0, Frontier().root)
        self.checkpoint = b""
        self.contradicting = b""
        self.details: dict[bytes, Detail] = {}
        self._places: dict[bytes, Place] = {}

    async def run(self, progress: Progress) -> None:
        """Walk to the newest checkpoint, and on until what was shown meanwhile is in the log, or should have been."""
        await self.notes.witness()
        note = await self._newest()
        many = self.head.size - self.tree.size
        try:
            with Verifiers(many) as verifiers, ThreadPoolExecutor(1, thread_name_prefix="folding") as folding:
                working, missing = (self.shelf, self.tree, self.judge), self.conclusion.missing
                stage = Stage(self._source.entries, *working, missing, verifiers, folding, progress)
                await self._open()
                await stage.walk(self.head.size)
                left = await self.shelf.rest()
                for _ in range(ATTEMPTS):
                    if not left:
                        break
                    await asyncio.sleep(self._pause)
                    note = await self._newest()
                    await self._open()
                    await stage.walk(self.head.size)
                    still = set(await self.shelf.rest())
                    left = [shown for shown in left if shown in still]
        finally:
            await self.shelf.close()
        await self._conclude(note, left)

    def remember(self, now: int) -> None:
        """Keep what was walked."""
        details = self.details
        for stream, place in self._places.items():
            summary = self.books.summaries.setdefault(stream, remembered.Summary())
            if (summary.events, summary.accesses) != place:
                summary.events, summary.accesses = place
                details.setdefault(stream, self._memory.detail(stream))
        edge = self.tree.edge
        found = tuple(finding for finding in self.findings.all() if finding.check not in MOMENTARY)
        head = remembered.Head(
            edge.size, self.checkpoint, edge.peaks, now, self.judge.seen, found, self.findings.unsaid
        )
        self._memory.commit(head, {stream: self.books.summaries[stream] for stream in details}, details)

    async def _newest(self) -> Note:
        """The newest checkpoint; what it says is proved when all is walked."""
        try:
            note = Note.parse(await self._source.checkpoint())
            head = Head.parse(note.text)
        except BadNote as error:
            raise ServerLied(12, f"the server's checkpoint is none: {error}") from None
        least = max(self.before.size, self.head.size)
        if head.size < least:
            what = "The log is shorter than it was: the server shows an earlier state, or deleted what was there."
            self.findings.fault(Check.ROLLBACK, NOWHERE, what, f"at least {least} entries", str(head.size))
            self.contradicting = self._earlier
        self.head, self.checkpoint = head, note.encode()
        return note

    async def _open(self) -> None:
        summaries = self.books.summaries.items()
        places = {stream: Place(summary.events, summary.accesses) for stream, summary in summaries}
        self.shelf.open(await self._source.streams(), places)

    async def _conclude(self, note: Note, left: list[Shown]) -> None:
        judged = set(left)
        waiting = [shown for shown in await self.shelf.rest() if shown not in judged]
        self._places = self.shelf.places(waiting)
        self.details = self.books.closed()
        self.conclusion.explain(left, self.shelf)
        if await self._sound():
            await self._check_older()
        policy = self.books.history.latest.log if len(self.books.history) else ""
        for size, root, where in self.notes.conclude(note, self.head, policy):
            await self._check_root(size, root, where)

    async def _sound(self) -> bool:
        """Whether the entries lead to the checkpoint, and the log continues the one audited before."""
        size, root, old = self.head.size, self.head.root, self.before
        if self.tree.size == old.size > size:
            return False
        own = self.tree.root(self.tree.size)
        if self.tree.start < old.size <= self.tree.size and self.tree.root(old.size) != old.root:
            self._forked(old, self.tree.root(old.size))
        if self.tree.size == size and own == root:
            return True
        if old.size and self.tree.start and not await self._proved(old.size, old.root):
            self._forked(old, root)
        what = "The entries shown do not lead to the root of the checkpoint."
        expected, got = f"{size} entries under {root.hex()[:16]}", f"{self.tree.size} under {own.hex()[:16]}"
        self.findings.fault(Check.TREE, NOWHERE, what, expected, got)
        return False

    def _forked(self, old: Frontier, root: bytes) -> None:
        what = "The log does not continue what was audited before: the server keeps two histories."
        expected = f"{old.size} entries under {old.root.hex()[:16]}"
        self.findings.fault(Check.FORK, NOWHERE, what, expected, f"others ({root.hex()[:16]})")
        self.contradicting = self._earlier

    async def _check_older(self) -> None:
        """What authors saw before the edge this audit began with."""
        for (size, root), where in self.judge.older.items():
            if not await self._proved(size, root):
                self.judge.another(where, size, root, b"")

    async def _check_root(self, size: int, root: bytes, where: Where) -> None:
        """A checkpoint beside the newest one must be of the same log."""
        known = self.tree.start <= size <= self.tree.size
        if not (self.tree.root(size) == root if known or not size else await self._proved(size, root)):
            what = "A witnessed checkpoint is of another history of the log."
            expected = "a root of this log"
            self.findings.fault(Check.FORK, where, what, expected, f"{size} entries under {root.hex()[:16]}")
            self.contradicting = self.notes.witnessed

    async def _proved(self, size: int, root: bytes) -> bool:
        """Whether the server can show that the newest checkpoint continues an older one."""
        try:
            proof = await self._source.consistency(size, self.head.size)
            verify_consistency(size, root, self.head.size, self.head.root, proof)
        except NotProved:
            return False
        return True
