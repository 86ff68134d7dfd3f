"""The server's folds of its streams: the register always in memory, reviews loaded when they are asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator

from events.envelope import Event, SignedEvent
from events.errors import EventsError
from events.register import Register, RegisterHistory
from events.review import Review
from events.workflow import admit
from exchange.server.problems import NotFound
from keys.recipient import Recipient
from storage.errors import Damaged
from storage.log import EventLog

PAGE = 1000


class States:
    """Replayed state of every stream, and a lock for each so that what is admitted is what is appended."""

    def __init__(self, log: EventLog, keep: int) -> None:
        self._log = log
        self._keep = keep
        self.history = RegisterHistory()
        self.register_id = b""
        self._reviews: OrderedDict[bytes, Review] = OrderedDict()
        self._locks: dict[bytes, asyncio.Lock] = {}
        self._loading: dict[bytes, asyncio.Lock] = {}
        self._keys: dict[bytes, Recipient] = {}
        self._ids: list[bytes] = []

    async def load(self) -> None:
        """Replay the register; raises Damaged."""
        for stream in await self._log.streams():
            state = await self._replay(stream, first_only=True)
            if isinstance(state, Register):
                await self._load_register(stream)
            else:
                self._ids.append(stream)

    @property
    def register(self) -> Register:
        """The newest register; raises NotFound before its founding."""
        if not len(self.history):
            raise NotFound("this server has no register yet")
        return self.history.latest

    @property
    def reviews(self) -> list[bytes]:
        """The ids of all reviews, oldest first."""
        return list(self._ids)

    def lock(self, stream: bytes) -> asyncio.Lock:
        """The lock of a stream."""
        return self._locks.setdefault(stream, asyncio.Lock())

    async def of(self, stream: bytes) -> Register | Review:
        """The newest state of a stream; raises NotFound."""
        if stream == self.register_id and stream:
            return self.register
        known = self._reviews.get(stream)
        if known is None:
            known = await self._load_review(stream)
        self._reviews.move_to_end(stream)
        return known

    def set(self, state: Register | Review) -> None:
        """Take over a state after its newest event was appended."""
        if isinstance(state, Register):
            self.history.add(state)
            self.register_id = state.id
            return
        if state.seq == 0:
            self._ids.append(state.id)
        self._reviews[state.id] = state
        while len(self._reviews) > self._keep:
            self._reviews.popitem(last=False)

    def key_of(self, device: bytes) -> Recipient | None:
        """The public keys of a device that was ever registered."""
        known = self._keys.get(device)
        if known is None and len(self.history):
            person = self.history.latest.by_device(device)
            if person is not None:
                known = self._keys[device] = Recipient(person.signing, person.sealing)
        return known

    async def _load_register(self, stream: bytes) -> None:
        state: Register | Review | None = None
        async for event in self._events(stream):
            state = _folded(state, event, self.history)
            if isinstance(state, Register):
                self.history.add(state)
        self.register_id = stream

    async def _load_review(self, stream: bytes) -> Review:
        if stream not in self._ids:
            raise NotFound("there is no such review, or it is not for this reader")
        # Not the stream's own lock: acceptance may hold that one while it asks for the state.
        async with self._loading.setdefault(stream, asyncio.Lock()):
            known = self._reviews.get(stream)
            if known is not None:
                return known
            state = await self._replay(stream)
            if not isinstance(state, Review):
                raise Damaged("a stored review does not replay")
            self._reviews[stream] = state
            return state

    async def _replay(self, stream: bytes, *, first_only: bool = False) -> Register | Review | None:
        state: Register | Review | None = None
        async for event in self._events(stream):
            if first_only and event.header.kind != "register.founded":
                return None
            state = _folded(state, event, self.history)
            if first_only:
                return state
        return state

    async def _events(self, stream: bytes) -> AsyncIterator[Event]:
        after = -1
        while page := await self._log.read(stream, after=after, limit=PAGE):
            for envelope in page:
                signed = SignedEvent.parse(envelope)
                # Signatures were checked before they were stored; the hash chain is checked by the fold.
                yield Event(signed.id, signed._header)  # noqa: SLF001
            after += len(page)


def _folded(state: Register | Review | None, event: Event, history: RegisterHistory) -> Register | Review:
    try:
        return admit(state, event, history)
    except EventsError as error:
        raise Damaged(f"event {event.header.seq} of stream {event.stream.hex()[:16]} was altered: {error}") from None
