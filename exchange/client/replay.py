"""Replaying streams: every envelope fetched, verified and admitted here, whatever the server says of them.

1. the register is the pinned one              4. each envelope is admitted by the rules
2. each stream begins with its own hash        5. nothing seen before is missing or different
3. each signature holds, by the register's keys    6. the newest one is in the log
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from events.card import card_of
from events.envelope import Event, SignedEvent
from events.errors import Conflict, EventsError, Malformed, WrongReference, WrongStream
from events.register import Register, RegisterHistory
from events.review import Review
from events.rule import StreamKind, rule_of
from events.workflow import admit_register, admit_review
from exchange.client import snapshot
from exchange.client.cache import Cache, Remembered
from exchange.client.errors import ServerLied
from exchange.client.history import History
from exchange.client.remote import Remote
from keys.errors import BadSignature, InvalidKey
from keys.recipient import Recipient

S = TypeVar("S", Register, Review)
T = TypeVar("T")
Checked = tuple[Event, bytes]
VERIFIERS = 2
RUN = 64
RECENT = 500


class Keys:
    """The public keys of every device of the register, checked once."""

    def __init__(self, history: RegisterHistory) -> None:
        self._history = history
        self._known: dict[bytes, Recipient] = {}

    def of(self, signed: SignedEvent) -> Recipient:
        """The key a signed event must hold under; raises ServerLied if the register has no such device."""
        device = signed.claimed_author
        if device not in self._known:
            self._known[device] = self._find(signed, device)
        return self._known[device]

    def _find(self, signed: SignedEvent, device: bytes) -> Recipient:
        if not len(self._history):
            return card_of(signed.claimed_genesis[1]).recipient()
        person = self._history.latest.by_device(device)
        if person is None:
            raise ServerLied(4, f"an event is from a device that the register does not know ({device.hex()[:16]})")
        return Recipient(person.signing, person.sealing)


def verify_all(signed: Sequence[SignedEvent], keys: Callable[[SignedEvent], Recipient]) -> list[Event]:
    """Verify many signatures on two threads (libsodium releases the GIL); raises BadSignature."""
    work = [(event, keys(event)) for event in signed]
    if len(work) < RUN:
        return [event.verify(key) for event, key in work]
    runs = [work[i : i + RUN] for i in range(0, len(work), RUN)]
    with ThreadPoolExecutor(VERIFIERS) as pool:
        done = pool.map(lambda run: [event.verify(key) for event, key in run], runs)
        return [event for run in done for event in run]


class Replay:
    """The streams as far as this client has verified them."""

    def __init__(self, remote: Remote, cache: Cache, pinned: bytes, clock: Callable[[], int], home: Path) -> None:
        self._remote = remote
        self._cache = cache
        self._pinned = pinned
        self.history = RegisterHistory()
        self.keys = Keys(self.history)
        self.log = History(remote, cache, self.history, clock, home)
        self._reviews: dict[bytes, Review] = {}
        self._following_register = asyncio.Lock()
        self._following_review = asyncio.Lock()

    async def register(self) -> Register:
        """The register up to its newest event; raises ServerLied."""
        async with self._following_register:
            return await self._register()

    async def _register(self) -> Register:
        if not len(self.history):
            self._recall_register()
        state = self.history.latest if len(self.history) else None
        state, new = await self._follow(self._pinned, state, self._admit_register)
        await self._check_logged(state, new)
        return state

    async def review(self, stream: bytes) -> Review:
        """A review up to its newest event; raises ServerLied."""
        async with self._following_review:
            return await self._review(stream)

    async def _review(self, stream: bytes) -> Review:
        await self.register()
        known = self._reviews.get(stream) or self._recall_review(stream)
        try:
            state, new = await self._follow(stream, known, self._admit_review)
        except WrongReference:
            # The review may rely on register events that came in after ours were read.
            await self.register()
            state, new = await self._follow(stream, known, self._admit_review)
        await self._check_logged(state, new)
        self._reviews[stream] = state
        return state

    async def _check_logged(self, state: Register | Review, new: list[tuple[int, bytes]]) -> None:
        """Remember what is new once the log is known to hold it (rule 12)."""
        recent = new[-RECENT:] if self.log.policy is not None else []
        events = [trusted(SignedEvent.parse(envelope)) for _, envelope in recent]
        await self.log.check(state.id, state.seq, state.head, events)
        if new:
            self._remember(state, new)

    def take(self, state: Register | Review, signed: SignedEvent) -> Register | Review:
        """Fold one's own event, just accepted by the server, without fetching it again."""
        if isinstance(state, Register) and len(self.history) > state.seq + 1:
            return self.history.latest
        event, _ = self._verified([signed])[0]
        new: Register | Review = (
            self._admit_register(state, event) if isinstance(state, Register) else self._admit_review(state, event)
        )
        self._remember(new, [(new.seq, signed.envelope)])
        if isinstance(new, Review):
            self._reviews[new.id] = new
        return new

    def known(self, stream: bytes) -> Register | Review | None:
        """A stream as it was last verified, without asking the server."""
        if stream == self._pinned:
            return self.history.latest if len(self.history) else None
        return self._reviews.get(stream)

    async def _follow(
        self, stream: bytes, state: S | None, fold: Callable[[S | None, Event], S]
    ) -> tuple[S, list[tuple[int, bytes]]]:
        """Fetch, verify and admit what comes after `state`: the next page is fetched and verified meanwhile."""
        new: list[tuple[int, bytes]] = []
        pages = ahead(self._pages(stream, state.seq if state else -1))
        if stream != self._pinned:
            async for checked in ahead(self._verified_pages(pages)):
                # On a thread, so that the next page arrives and is verified beside it.
                state = await asyncio.to_thread(self._fold_page, fold, state, stream, checked, new)
        else:
            # Register events bring keys that later ones on the same page need.
            async for page in pages:
                for one in _parsed(page):
                    state = self._fold_page(fold, state, stream, self._verified([one]), new)
        if state is None:
            raise ServerLied(12, "the server shows nothing of a stream that exists")
        return state, new

    async def _pages(self, stream: bytes, after: int) -> AsyncIterator[list[bytes]]:
        while page := await self._remote.events(stream, after):
            after += len(page)
            yield page

    async def _verified_pages(self, pages: AsyncIterator[list[bytes]]) -> AsyncIterator[list[Checked]]:
        async for page in pages:
            signed = _parsed(page)
            yield await asyncio.to_thread(self._verified, signed)

    def _fold_page(
        self,
        fold: Callable[[S | None, Event], S],
        state: S | None,
        stream: bytes,
        page: Iterable[Checked],
        new: list[tuple[int, bytes]],
    ) -> S | None:
        for event, envelope in page:
            _check_stream(event, stream)
            state = self._folded(fold, state, event)
            new.append((event.header.seq, envelope))
        return state

    def _verified(self, signed: Sequence[SignedEvent]) -> list[Checked]:
        try:
            events = verify_all(signed, self.keys.of)
        except (BadSignature, InvalidKey, Malformed) as error:
            raise ServerLied(10, f"the server shows an event that its author did not sign: {error}") from None
        return [(event, one.envelope) for event, one in zip(events, signed, strict=True)]

    def _folded(self, fold: Callable[[S | None, Event], S], state: S | None, event: Event) -> S:
        try:
            return fold(state, event)
        except WrongReference as error:
            if rule_of(event.header.kind).stream is StreamKind.REVIEW and "register" in event.header.clear:
                raise
            raise ServerLied(1, f"the server shows an event that the rules refuse: {error}") from None
        except Conflict as error:
            raise ServerLied(12, f"the server shows another history than before, or not all of it: {error}") from None
        except WrongStream as error:
            raise ServerLied(5, f"the server shows another stream than the one asked for: {error}") from None
        except EventsError as error:
            raise ServerLied(1, f"the server shows an event that the rules refuse: {error}") from None

    def _admit_register(self, state: Register | None, event: Event) -> Register:
        return admit_register(state, event, self.history)

    def _admit_review(self, state: Review | None, event: Event) -> Review:
        return admit_review(state, event, self.history)

    def _recall_register(self) -> None:
        """Fold the remembered register again; its signatures held when it was remembered."""
        remembered = self._cache.remembered(self._pinned)
        if remembered is None:
            return
        state: Register | None = None
        try:
            for envelope in self._cache.envelopes(self._pinned):
                signed = SignedEvent.parse(envelope)
                state = self._admit_register(state, trusted(signed))
        except EventsError:
            state = None
        if state is None or state.head != remembered.head:
            self._cache.forget(self._pinned)
            self.history.clear()

    def _recall_review(self, stream: bytes) -> Review | None:
        remembered = self._cache.remembered(stream)
        state = snapshot.load(remembered.state, Review) if remembered else None
        if remembered and (state is None or (state.seq, state.head) != (remembered.seq, remembered.head)):
            self._cache.forget(stream)
            return None
        return state

    def _remember(self, state: Register | Review, new: list[tuple[int, bytes]]) -> None:
        saved = snapshot.dump(state) if isinstance(state, Review) else b""
        self._cache.remember(state.id, new, Remembered(state.seq, state.head, saved))


def _parsed(page: Sequence[bytes]) -> list[SignedEvent]:
    try:
        return [SignedEvent.parse(envelope) for envelope in page]
    except Malformed as error:
        raise ServerLied(20, f"the server shows bytes that are no event: {error}") from None


async def ahead(items: AsyncIterator[T]) -> AsyncIterator[T]:
    """Pass items on, with the next one being made while the one before is used."""
    upcoming = asyncio.create_task(_next(items))
    try:
        while found := await upcoming:
            upcoming = asyncio.create_task(_next(items))
            yield found[0]
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)


async def _next(items: AsyncIterator[T]) -> tuple[T] | None:
    async for item in items:
        return (item,)
    return None


def _check_stream(event: Event, stream: bytes) -> None:
    """A stream is named by the hash of its genesis: nobody can show another one in its place (rule 5)."""
    if event.stream != stream:
        shown, asked = event.stream.hex()[:16], stream.hex()[:16]
        raise ServerLied(5, f"the server shows stream {shown} in place of {asked}")


def trusted(signed: SignedEvent) -> Event:
    """An event whose signature held before: it stands under a head that this device authenticated."""
    return Event(signed.id, signed._header)  # noqa: SLF001
