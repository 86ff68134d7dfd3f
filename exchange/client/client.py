"""The client of one person: what is read is verified, what is sent is sealed, signed and sent once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, TypeVar

import msgspec

from events import canonical
from events.access import MAX_WANTS
from events.body import check_body
from events.envelope import MAX_BODY, Header, SignedEvent
from events.errors import REFUSALS, Conflict, EventsError, Malformed, StaleKey
from events.kinds.people import Profile
from events.register import Register
from events.review import Review, Slot
from events.rule import Rule, rule_of
from events.workflow import admit
from exchange.client import transfer
from exchange.client.cache import Cache
from exchange.client.compose import Composed, Draft, compose
from exchange.client.errors import ClientError, HomeError, NoKey, NotFound, ServerLied, ServerRefused
from exchange.client.home import CACHE, JOURNAL, SPOOL, Home
from exchange.client.journal import Journal, Pending
from exchange.client.keyring import Keyring
from exchange.client.remote import Remote
from exchange.client.replay import Replay, trusted
from exchange.client.transfer import Attachment, Progress
from keys.errors import CannotOpen
from keys.identity import Identity
from keys.sealing import ObjectKey, SlotKey

T = TypeVar("T")
CONFLICTS = 20
PROFILES = frozenset({"person.registered", "person.profiled"})
Build = Callable[[Register | Review], Awaitable[Draft]]


def quiet(_done: int, _total: int) -> None:
    """Progress nobody looks at."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that the server has on disk; `repeated` if an interrupted command had sent it before."""

    stream: bytes
    seq: int
    event: bytes
    repeated: bool


@dataclass(frozen=True, slots=True)
class Parcel:
    """The files of an event: for which circle, and into which slots if they are translations."""

    circle: str
    attachments: tuple[Attachment, ...]
    slots: tuple[tuple[Slot, SlotKey], ...]
    progress: Progress


@dataclass(frozen=True, slots=True)
class Entry:
    """One admitted event of a stream as this client verified it."""

    id: bytes
    header: Header

    @property
    def rule(self) -> Rule:
        """The row of its kind."""
        return rule_of(self.header.kind)


@dataclass(frozen=True, slots=True)
class Opened:
    """An entry with its body opened: the struct of its kind's sealed fields."""

    entry: Entry
    body: msgspec.Struct


class Client:
    """One person's connection: replayed streams, keys, journal."""

    def __init__(self, home: Home, identity: Identity, clock: Callable[[], int]) -> None:
        settings = home.settings
        if not settings.server or not settings.register:
            raise ClientError(f"{home.path} is not connected to a server yet; use: colloquy connect SERVER")
        self.home = home
        self.identity = identity
        self.clock = clock
        self.register_id = bytes.fromhex(settings.register)
        self.remote = Remote(settings.server, identity, clock)
        self.cache = Cache(home.path / CACHE, identity.local_key(b"cache"))
        self.journal = Journal(home.path / JOURNAL, home.path / SPOOL, identity.local_key(b"intent"))
        self.replay = Replay(self.remote, self.cache, self.register_id, clock, home.path)
        self.keyring = Keyring(identity, self.carried)
        self.notices: list[str] = []
        self._finished: dict[bytes, Pending] = {}
        self._sending = asyncio.Lock()

    async def __aenter__(self) -> Client:
        await self.remote.__aenter__()
        self.journal.sweep()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.remote.__aexit__(kind, error, trace)
        self.cache.close()

    # -- reading

    async def register(self) -> Register:
        """The register, verified up to its newest event."""
        return await self.replay.register()

    async def reviews(self) -> list[Review]:
        """Every review one may read, verified up to its newest event."""
        await self.register()
        found = [info for info in await self.remote.streams() if info.kind == "review"]
        reviews = [await self.replay.review(bytes.fromhex(info.id)) for info in found]
        return sorted(reviews, key=lambda review: (review.year, review.under_review, review.id))

    async def review(self, stream: bytes) -> Review:
        """One review, verified up to its newest event."""
        return await self.replay.review(stream)

    async def profiles(self, register: Register) -> dict[bytes, Profile]:
        """What the directory says of every person, by their ids; empty for those who cannot read it."""
        wanted = [known for known in register.known.values() if known.kind in PROFILES]
        wanted.sort(key=lambda known: known.seq)
        found: dict[bytes, Profile] = {}
        try:
            await self.prefetch(register.id, [known.seq for known in wanted])
            for known in wanted:
                entry = self._entry(self.envelope(register.id, known.seq))
                try:
                    body = (await self.open(register, entry)).body
                except CannotOpen:
                    # One who seals nonsense about themselves goes without a name; everybody else keeps theirs.
                    continue
                if isinstance(body, Profile):
                    found[entry.header.clear.get("person", known.person)] = body
        except (NoKey, NotFound, ServerRefused):
            return found
        return found

    def entries(self, stream: bytes) -> list[Entry]:
        """All verified events of a stream, in order; raises HomeError if this machine's memory was altered."""
        known, head = [], bytes(32)
        for envelope in self.cache.envelopes(stream):
            entry = self._entry(envelope)
            if entry.header.prev != head:
                break
            known.append(entry)
            head = entry.id
        state = self.replay.known(stream)
        if state is None or head != state.head:
            raise HomeError(f"{self.home.path / CACHE} was altered; remove it and repeat the command")
        return known

    def entry(self, state: Register | Review, event: bytes) -> Entry:
        """One verified event by its hash; raises NotFound."""
        known = state.known.get(event)
        envelope = self.cache.envelope(state.id, known.seq) if known else None
        if envelope is None or hashlib.sha256(envelope).digest() != event:
            raise NotFound(f"there is no event {event.hex()[:16]} here")
        return self._entry(envelope)

    def envelope(self, stream: bytes, seq: int) -> bytes:
        """The exact bytes of one verified event."""
        envelope = self.cache.envelope(stream, seq)
        if envelope is None:
            raise NotFound(f"there is no event {seq} here")
        return envelope

    async def open(self, state: Register | Review, entry: Entry) -> Opened:
        """Open an event's body; raises NoKey, CannotOpen or ServerLied."""
        key = await self.object_key(state, entry, 0)
        sealed = await self.carried(state.id, entry.header.seq)
        return Opened(entry, decode_body(entry.rule, key.open(sealed)))

    async def object_key(self, state: Register | Review, entry: Entry, index: int) -> ObjectKey:
        """The key of one object of an event: from the circle's epoch, or from a disclosure to this device."""
        try:
            return await self.keyring.object(state, entry.header, index)
        except NoKey:
            if not isinstance(state, Review):
                raise
            return (await self.keyring.shown(state, entry.id, entry.header, index))[1]

    async def carried(self, stream: bytes, seq: int) -> bytes:
        """What travels with an event, checked against its signed header; raises NotFound, ServerLied."""
        await self.prefetch(stream, [seq])
        body = self.cache.body(stream, seq)
        if body is None:
            raise NotFound(f"event {seq} has no body")
        self._check_body(stream, seq, body)
        return body

    async def prefetch(self, stream: bytes, seqs: Sequence[int]) -> None:
        """Fetch several bodies in few round trips; raises ServerLied."""
        missing = [seq for seq in seqs if self.cache.body(stream, seq) is None]
        for start in range(0, len(missing), MAX_WANTS):
            asked = missing[start : start + MAX_WANTS]
            events = [hashlib.sha256(self.envelope(stream, seq)).digest() for seq in asked]
            shown = await self.remote.bodies(stream, events)
            for seq, body in zip(asked, shown, strict=True):
                if body is not None:
                    self._check_body(stream, seq, body)
                    self.cache.keep_body(stream, seq, body)

    def _check_body(self, stream: bytes, seq: int, body: bytes) -> None:
        try:
            check_body(self._entry(self.envelope(stream, seq)).header, body)
        except Malformed as error:
            raise ServerLied(11, f"the server shows another body than the one its author signed: {error}") from None

    async def fetch(
        self, state: Register | Review, entry: Entry, index: int, target: Path, progress: Progress = quiet
    ) -> None:
        """Fetch a file, verify and open it into `target`; raises NoKey, CannotOpen, ServerLied."""
        await self.fetched(state, entry, index, lambda pieces: transfer.keep(pieces, target), progress)

    async def fetched(
        self,
        state: Register | Review,
        entry: Entry,
        index: int,
        use: Callable[[Iterator[bytes]], T],
        progress: Progress = quiet,
    ) -> T:
        """Fetch a file, verify and open it piece by piece for `use`, in a thread; raises NoKey, CannotOpen, ServerLied.

        Before the last piece nothing is proved.
        """
        key = await self.object_key(state, entry, index)
        ref, spool = entry.header.objects[index], self.home.path / SPOOL
        sealed = await transfer.receive(self.remote, spool, state.id, entry.id, index, ref, progress)
        result = await asyncio.to_thread(transfer.opened, key, sealed, ref, use)
        sealed.unlink(missing_ok=True)
        return result

    # -- writing

    async def send(
        self,
        stream: bytes,
        intent: tuple[object, ...],
        build: Build,
        *,
        circle: str = "",
        attachments: Sequence[Attachment] = (),
        slots: Sequence[tuple[Slot, SlotKey]] = (),
        progress: Progress = quiet,
    ) -> Sent:
        """Seal, sign and hand in an event, once: repeated after an interruption it goes on where it stopped.

        The same intent again gives the same event, until `reported` is called.
        `build` makes the draft from the newest state; it is called again whenever another event came first.
        """
        mark = self.journal.intent(stream, *intent, [[str(a.path), a.size, a.stamp] for a in attachments])
        parcel = Parcel(circle, tuple(attachments), tuple(slots), progress)
        async with self._sending:
            await self._settle_others(mark)
            pending = self.journal.find(mark) or Pending(mark, stream, "")
            return await self._compose_and_send(pending, build, parcel)

    async def open_review(self, intent: tuple[object, ...], draft: Draft) -> Sent:
        """Send the genesis of a review, once."""
        mark = self.journal.intent(b"", *intent)
        await self._settle_others(mark)
        pending = self.journal.find(mark)
        if pending and (stream := await self._opened(pending)):
            self._finish(pending)
            return Sent(stream, 0, stream, repeated=True)
        composed = compose(self.identity, None, draft, None, (), self.clock(), self.replay.log.seen)
        pending = Pending(mark, b"", draft.kind, events=(composed.signed.id,))
        self.journal.keep(pending)
        try:
            await self.remote.send(b"", composed.signed.envelope, composed.body)
        except ServerRefused as error:
            self._refused(pending, error)
        self._finish(pending)
        return Sent(composed.signed.id, 0, composed.signed.id, repeated=False)

    def _finish(self, pending: Pending) -> None:
        """Done, but perhaps not told yet: whoever is interrupted now and repeats it must not do it again."""
        self.journal.finish(pending)
        self._finished[pending.intent] = pending

    def reported(self) -> None:
        """The person was told what was sent: the same again is meant anew."""
        for pending in self._finished.values():
            self.journal.drop(pending)
        self._finished.clear()

    async def _opened(self, pending: Pending) -> bytes:
        """The review that an interrupted command opened, or nothing."""
        streams = {bytes.fromhex(info.id) for info in await self.remote.streams()}
        return next((event for event in pending.events if event in streams), b"")

    async def _compose_and_send(self, pending: Pending, build: Build, parcel: Parcel) -> Sent:
        for _ in range(CONFLICTS):
            state = await self._state(pending.stream)
            if done := self._already(pending, state):
                return done
            pending = await self._with_files(pending, state, parcel)
            draft = await build(state)
            key = await self.keyring.current(state, draft.circle) if draft.circle and not draft.slots else None
            files = tuple(transfer.reference(file) for file in pending.files)
            composed = compose(self.identity, state, draft, key, files, self.clock(), self.replay.log.seen)
            self._rehearse(state, composed)
            pending = msgspec.structs.replace(pending, kind=draft.kind, events=(*pending.events, composed.signed.id))
            self.journal.keep(pending)
            try:
                return await self._hand_in(pending, state, composed)
            except (Conflict, StaleKey):
                continue
        raise ClientError(f"others write at the same time: tried {CONFLICTS} times. Nothing was sent; try again.")

    async def _hand_in(self, pending: Pending, state: Register | Review, composed: Composed) -> Sent:
        try:
            receipt = await self.remote.send(state.id, composed.signed.envelope, composed.body)
        except ServerRefused as error:
            self._refused(pending, error)
        if receipt.hash != composed.signed.id.hex() or receipt.seq != state.seq + 1:
            raise ServerLied(11, "the server's receipt is for another event than the one sent")
        self.replay.take(state, composed.signed)
        if composed.body is not None:
            self.cache.keep_body(state.id, receipt.seq, composed.body)
        self._finish(pending)
        return Sent(state.id, receipt.seq, composed.signed.id, receipt.repeated)

    def _refused(self, pending: Pending, error: ServerRefused) -> NoReturn:
        """Raise what the server's refusal means here; a conflict is tried again, the rest is final."""
        kind = REFUSALS.get(error.problem.code)
        if kind in (Conflict, StaleKey):
            raise kind(error.problem.expected, error.problem.got) from None
        self.journal.drop(pending)
        if kind is not None:
            raise kind(error.problem.expected, error.problem.got) from None
        raise error

    def _rehearse(self, state: Register | Review, composed: Composed) -> None:
        """Admit one's own event here first: what the rules refuse never leaves this machine."""
        check_body(composed.signed.verify(self.identity.recipient).header, composed.body)
        admit(state, trusted(composed.signed), self.replay.history)

    async def _with_files(self, pending: Pending, state: Register | Review, parcel: Parcel) -> Pending:
        """Seal and send the files that are not there yet; those sealed under an older epoch are sealed anew."""
        if not parcel.attachments:
            return pending
        circle, epoch = parcel.circle, state.circles[parcel.circle].epoch
        ready = [file for file in pending.files if (file.circle, file.epoch) == (circle, epoch)]
        if len(ready) != len(pending.files):
            self.journal.drop(pending)
            ready = []
        for number, attachment in list(enumerate(parcel.attachments))[len(ready) :]:
            if parcel.slots:
                place = transfer.in_slot(*parcel.slots[number], circle, epoch)
            else:
                place = transfer.new_place(await self.keyring.current(state, circle), circle)
            file = await transfer.seal_and_send(self.remote, self.journal, place, attachment, parcel.progress)
            ready.append(file)
            pending = msgspec.structs.replace(pending, files=tuple(ready))
            self.journal.keep(pending)
        return pending

    def _already(self, pending: Pending, state: Register | Review) -> Sent | None:
        """What became of the events signed for an intent before an interruption or a conflict."""
        for event in pending.events:
            known = state.known.get(event)
            if known is not None:
                self._finish(pending)
                return Sent(pending.stream, known.seq, event, repeated=True)
        return None

    async def _settle_others(self, mark: bytes) -> None:
        """Say what became of other interrupted commands; none is carried out unasked."""
        for pending in self.journal.others(mark):
            if pending.intent in self._finished:
                continue
            what = pending.kind or "a command"
            if pending.events and await self._went_through(pending):
                self.notices.append(f"An earlier, interrupted command had gone through: {what}.")
            else:
                self.notices.append(f"An earlier, interrupted command was not sent: {what}. Repeat it if it is wanted.")
            self.journal.drop(pending)

    async def _went_through(self, pending: Pending) -> bool:
        if pending.stream:
            state = await self._state(pending.stream)
            return any(event in state.known for event in pending.events)
        return bool(await self._opened(pending))

    async def _state(self, stream: bytes) -> Register | Review:
        return await (self.register() if stream == self.register_id else self.review(stream))

    @staticmethod
    def _entry(envelope: bytes) -> Entry:
        event = trusted(SignedEvent.parse(envelope))
        return Entry(event.id, event.header)


def decode_body(rule: Rule, data: bytes) -> msgspec.Struct:
    """Read an opened body; raises CannotOpen if its author wrote something else than the kind's fields."""
    try:
        return rule.read_sealed(canonical.decode(data, MAX_BODY))
    except EventsError:
        raise CannotOpen from None
