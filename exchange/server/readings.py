"""Reading on record: no sealed byte leaves before the reader's signed statement is flushed (docs/spec/access.md).

1 parse, bounded        4 it is for this stream   7 each wanted thing is there and for this reader
2 the signed-in device  5 time                    8 the statement is stored, flushed
3 the signature         6 never used before       9 afterwards: how much was sent
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from events.access import Access, Completion, SignedStatement, Want, access_stream
from events.envelope import Header, SignedEvent
from events.errors import Malformed
from events.reading import entitled
from events.register import Person, Register
from events.review import Review
from exchange import wire
from exchange.server.problems import BadRequest, ClockOff, NotFound
from exchange.server.requests import ABSENT
from exchange.server.states import States
from keys.errors import BadSignature
from storage.errors import Conflict, StorageError
from storage.log import EventLog
from storage.rows import COMPLETED, STATED, Appended, Row

TRIES = 5
REMEMBERED = 100_000
PAGE = 500


@dataclass(frozen=True, slots=True)
class Item:
    """One wanted thing that may be sent: its event's number and header, and what travels with it."""

    want: Want
    seq: int
    header: Header
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A statement that is on disk, and so what may leave for it."""

    access: Access
    items: tuple[Item, ...]


class Readings:
    """The one way sealed content leaves."""

    def __init__(
        self, log: EventLog, states: States, clock: Callable[[], int], appended: Callable[[], None] = lambda: None
    ) -> None:
        self._log = log
        self._states = states
        self._clock = clock
        self._appended = appended
        self._next: dict[bytes, int] = {}
        self._used: dict[bytes, int] = {}
        self._recalled: set[bytes] = set()
        self._completing: set[asyncio.Task[None]] = set()

    async def record(self, posted: bytes, stream: bytes, person: Person) -> Recorded:
        """Verify a statement and put it on record; only then may what it wants be sent."""
        signed = SignedStatement.parse(posted)
        access = self._verified(signed, person)
        if access.statement.stream != stream:
            raise Malformed("expected a statement about the stream it is sent to, got one about another")
        self._check_time(access)
        items = await self._items(access)
        await self._store(access, signed.record, items)
        return Recorded(access, items)

    def complete(self, recorded: Recorded, sent: int) -> None:
        """Put on record how many bytes were sent; nobody waits for it."""
        statement = recorded.access.statement
        record = Completion(1, recorded.access.id, max(self._clock(), statement.time), sent).encode()
        task = asyncio.create_task(self._append_completion(statement.stream, record))
        self._completing.add(task)
        task.add_done_callback(self._completing.discard)

    async def close(self) -> None:
        """Wait for what is still to be put on record."""
        await asyncio.gather(*self._completing, return_exceptions=True)

    def _verified(self, signed: SignedStatement, person: Person) -> Access:
        key = self._states.key_of(person.device)
        if key is None or signed.claimed_reader != person.device:
            raise BadSignature("expected a statement signed by the device that is signed in")
        return signed.verify(key)

    def _check_time(self, access: Access) -> None:
        ClockOff.check("statement", self._clock(), access.statement.time)

    async def _items(self, access: Access) -> tuple[Item, ...]:
        state = await self._states.of(access.statement.stream)
        known = [state.known.get(want.event) for want in access.statement.wants]
        rows = await self._log.rows(state.id, sorted({one.seq for one in known if one}))
        found = []
        for want, one in zip(access.statement.wants, known, strict=True):
            if one is None or one.seq not in rows:
                raise NotFound(ABSENT)
            envelope, body = rows[one.seq]
            found.append(Item(want, one.seq, SignedEvent.parse(envelope)._header, body))  # noqa: SLF001
        return tuple(found)

    async def _store(self, access: Access, record: bytes, items: Sequence[Item]) -> None:
        stream = access.statement.stream
        for _ in range(TRIES):
            await self._load_next(stream)
            # Nothing of this stream or the register is on its way to the disk while both locks are held: what is
            # decided on these states stands in the log after everything that made them.
            async with self._still(stream):
                self._check_entitled(await self._states.of(stream), access, items)
                self._check_unused(access)
                stored = self._enqueue(stream, STATED, record)
            try:
                await stored
            except StorageError as error:
                self._next.pop(stream, None)
                self._used.pop(access.statement.nonce, None)
                if not isinstance(error, Conflict):
                    raise
                continue
            self._appended()
            return
        raise Conflict("others put readings on record at the same time; nothing was sent, try again")

    @asynccontextmanager
    async def _still(self, stream: bytes) -> AsyncIterator[None]:
        """Hold the register and a stream still; acceptance holds one of them at a time, so neither waits for ever."""
        async with AsyncExitStack() as held:
            for one in dict.fromkeys((self._states.register_id, stream)):
                await held.enter_async_context(self._states.lock(one))
            yield

    def _check_entitled(self, state: Register | Review, access: Access, items: Sequence[Item]) -> None:
        register, device = self._states.register, access.statement.reader
        for item in items:
            want = item.want
            nothing = not want.object and item.body is None
            if nothing or not entitled(register, state, device, want.event, item.header, want.object):
                raise NotFound(ABSENT)
            size = item.header.objects[want.object].size if want.object else len(item.body or b"")
            if want.start and want.start >= size:
                raise BadRequest("expected a start within the file", f"0 to {size - 1}", str(want.start))

    def _check_unused(self, access: Access) -> None:
        """A statement puts one reading on record; sent again, it would put a second one nobody signed for."""
        if len(self._used) > REMEMBERED:
            now = self._clock()
            self._used = {nonce: until for nonce, until in self._used.items() if until > now}
        if access.statement.nonce in self._used:
            raise BadRequest("expected a new statement for each reading, got one used before")
        self._used[access.statement.nonce] = access.statement.time + 2 * wire.CLOCK_TOLERANCE_MS

    def _enqueue(self, stream: bytes, kind: str, record: bytes) -> asyncio.Future[Appended]:
        number = self._next[stream]
        self._next[stream] = number + 1
        row = Row(access_stream(stream), number, kind, hashlib.sha256(record).digest(), record)
        return self._log.enqueue(row, hurried=kind == STATED)

    async def _load_next(self, stream: bytes) -> None:
        if stream not in self._next:
            head = await self._log.head(access_stream(stream))
            newest = head[0] if head else -1
            if stream not in self._recalled:
                await self._recall(stream, newest)
                self._recalled.add(stream)
            self._next.setdefault(stream, newest + 1)

    async def _recall(self, stream: bytes, newest: int) -> None:
        """Learn again, after a restart, which statements were used and could still be sent a second time."""
        oldest = self._clock() - 3 * wire.CLOCK_TOLERANCE_MS
        while newest >= 0:
            first = max(newest - PAGE, -1)
            records = await self._log.records(access_stream(stream), after=first, limit=newest - first)
            stated = [SignedStatement.parse(record)._statement for kind, record in records if kind == STATED]  # noqa: SLF001
            self._used |= {one.nonce: one.time + 2 * wire.CLOCK_TOLERANCE_MS for one in stated}
            if any(one.time < oldest for one in stated):
                # Times are within the tolerance of when a statement was taken: what came before is too old as well.
                return
            newest = first

    async def _append_completion(self, stream: bytes, record: bytes) -> None:
        for _ in range(TRIES):
            try:
                await self._load_next(stream)
                await self._enqueue(stream, COMPLETED, record)
            except Conflict:
                self._next.pop(stream, None)
                continue
            except StorageError:
                # The reading itself is on record; that nothing says how much was sent is what an auditor sees.
                return
            self._appended()
            return
