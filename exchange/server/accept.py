"""Accepting an event: the numbered procedure of docs/spec/http.md.

1 parse, bounded        4 already stored?                          7 what travels with it
2 the author's key      5 time, author active, what they saw       8 its files are there
3 the signature         6 admit, the log is this server's          9 append, flushed   10 take over the state
"""

from __future__ import annotations

from collections.abc import Callable

from events import canonical
from events.body import check_body
from events.card import card_of
from events.envelope import MAX_ENVELOPE, Event, SignedEvent
from events.errors import Malformed, NotAMember, Refused, WrongReference
from events.policy import Policy
from events.register import Register
from events.review import Review
from events.workflow import admit
from exchange import wire
from exchange.server.notary import Notary
from exchange.server.problems import AlreadyFounded, ClockOff, FileMissing
from exchange.server.states import States
from keys.recipient import Recipient
from storage.blobs import BlobStore
from storage.log import EventLog
from storage.rows import Row

Publish = Callable[[bytes, int], None]
ANNOUNCED = "log.announced"


class Acceptance:
    """The one way into the log."""

    def __init__(
        self,
        log: EventLog,
        blobs: BlobStore,
        states: States,
        clock: Callable[[], int],
        publish: Publish,
        notary: Notary,
        *,
        founder: bytes,
        exercise: bool,
    ) -> None:
        self._log = log
        self._blobs = blobs
        self._states = states
        self._clock = clock
        self._publish = publish
        self._notary = notary
        self._founder = founder
        self._exercise = exercise

    async def accept(self, posted: bytes, stream: bytes) -> wire.Receipt:
        """Verify, admit and append what was posted to a stream (empty for a genesis)."""
        signed, body = _parsed(posted)
        event = signed.verify(self._key(signed))
        if event.header.stream != stream:
            raise Malformed("expected an event of the stream it is posted to, got one of another")
        repeated = await self._repeated(event)
        if repeated:
            return repeated
        self._check_time(event)
        self._check_active(event)
        await self._check_seen(event)
        # Once appended, the state must follow even if the client hangs up: the application does not cancel handlers.
        return await self._admit_and_append(signed, event, body)

    async def _admit_and_append(self, signed: SignedEvent, event: Event, body: bytes | None) -> wire.Receipt:
        async with self._states.lock(event.header.stream):
            state = await self._state(event)
            try:
                new = admit(state, event, self._states.history)
            except Refused:
                # A retry that raced its first attempt meets its own event.
                repeated = await self._repeated(event)
                if repeated:
                    return repeated
                raise
            self._check_founding(state, new, event)
            self._check_log(new, event)
            check_body(event.header, body)
            await self._check_files(event)
            header = event.header
            row = Row(event.stream, header.seq, header.kind, event.id, signed.envelope, body)
            await self._log.append(row)
            self._states.set(new)
        self._publish(event.stream, header.seq)
        return wire.Receipt(event.stream.hex(), header.seq, event.id.hex(), repeated=False)

    def _key(self, signed: SignedEvent) -> Recipient:
        key = self._states.key_of(signed.claimed_author)
        if key is not None:
            return key
        kind, clear = signed.claimed_genesis
        if kind == "register.founded" and not self._states.register_id:
            return card_of(clear).recipient()
        raise NotAMember("a device of the register", signed.claimed_author.hex()[:16])

    async def _repeated(self, event: Event) -> wire.Receipt | None:
        """The receipt of an event that is stored already; new events cost no look-up."""
        if event.header.stream:
            state = await self._states.of(event.header.stream)
            if event.header.seq > state.seq or event.id not in state.known:
                return None
        elif event.id != self._states.register_id and event.id not in self._states.reviews:
            return None
        return wire.Receipt(event.stream.hex(), event.header.seq, event.id.hex(), repeated=True)

    def _check_time(self, event: Event) -> None:
        ClockOff.check("event", self._clock(), event.header.time)

    def _check_active(self, event: Event) -> None:
        if self._states.register_id:
            self._states.register.active(event.header.author)

    async def _check_seen(self, event: Event) -> None:
        """What an author says to have seen is this log: else every reader would take this server for a liar."""
        seen = event.header.seen
        if seen is not None and not await self._notary.had(seen.size, seen.root):
            raise WrongReference("a checkpoint of this log as seen by the author", f"another of {seen.size} entries")

    async def _state(self, event: Event) -> Register | Review | None:
        return await self._states.of(event.header.stream) if event.header.stream else None

    def _check_founding(self, state: Register | Review | None, new: Register | Review, event: Event) -> None:
        if state is not None or not isinstance(new, Register):
            return
        if self._states.register_id or (self._founder and event.header.author != self._founder):
            raise AlreadyFounded("this server has a register, or another device is to found it")
        if self._exercise and not new.exercise:
            raise AlreadyFounded("a server with an exercise clock takes an exercise register only")

    def _check_log(self, new: Register | Review, event: Event) -> None:
        """Announced is the log that is kept here: every client would refuse this one for another, and for good."""
        if isinstance(new, Register) and event.header.kind == ANNOUNCED:
            names = [log.key for log in Policy.parse(new.log).logs]
            if names != [self._notary.vkey]:
                raise WrongReference(f"the log of this server, {self._notary.vkey.name}", "another")

    async def _check_files(self, event: Event) -> None:
        for index, ref in enumerate(event.header.objects[1:], 1):
            stored = await self._blobs.stat(ref.digest)
            if stored is None or stored.size != ref.size:
                raise FileMissing(f"file {index} of the event was not uploaded, or has another size")


def _parsed(posted: bytes) -> tuple[SignedEvent, bytes | None]:
    value = canonical.decode(posted, wire.MAX_POST)
    if not isinstance(value, list) or len(value) != 2:
        raise Malformed("expected an envelope and a body or nil")
    envelope, body = value
    if not isinstance(envelope, bytes) or not isinstance(body, (bytes, type(None))):
        raise Malformed("expected an envelope and a body or nil, got other types")
    if len(envelope) > MAX_ENVELOPE:
        raise Malformed(f"expected an envelope of at most {MAX_ENVELOPE} bytes, got {len(envelope)}")
    return SignedEvent.parse(envelope), body
