"""The keys one holds: epoch keys from grants and links, object keys from them or from disclosures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from events import canonical
from events.envelope import Hash, Header, scope
from events.errors import Malformed
from events.kinds.disclosure import MAX_DISCLOSURE
from events.review import Review
from events.rule import FileName, Line, Note
from events.stream import Circle, Stream
from exchange.client.errors import NoKey, ServerLied
from keys import grants
from keys.epoch import EpochKey
from keys.errors import CannotOpen
from keys.identity import Identity
from keys.labels import Label, frame
from keys.recipient import SEALED_KEY_SIZE
from keys.sealing import ObjectKey, SlotKey, bind

Body = Callable[[bytes, int], Awaitable[bytes]]


class Disclosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a disclosure tells its reader: the source's key, its name, and the keys of slots for its translation."""

    source: Hash
    slots: tuple[Hash, ...]
    title: Note
    name: FileName | None
    media: Line | None
    note: Note


class Keyring:
    """Opens grants and disclosures made to this device; every key is checked against its commitment."""

    def __init__(self, identity: Identity, body: Body) -> None:
        self._identity = identity
        self._body = body
        self._epochs: dict[tuple[bytes, str, int], EpochKey] = {}

    async def epoch(self, state: Stream, name: str, number: int) -> EpochKey:
        """The key of an epoch of a circle; raises NoKey or ServerLied."""
        circle = state.circles.get(name)
        if circle is None or not 1 <= number <= circle.epoch:
            raise NoKey(f"there is no epoch {number} of circle {name}")
        known = self._epochs.get((state.id, name, number))
        if known is None:
            known = await self._reach(state, name, circle, number)
        return known

    async def current(self, state: Stream, name: str) -> EpochKey:
        """The key of a circle's current epoch."""
        circle = state.circles.get(name)
        if circle is None:
            raise NoKey(f"the circle {name} has no keys yet")
        return await self.epoch(state, name, circle.epoch)

    async def shown(self, review: Review, event: bytes, header: Header, index: int) -> tuple[Disclosed, ObjectKey]:
        """What this device was told of one object of an event, and its key; raises NoKey, CannotOpen."""
        given = review.shown_by(self._identity.fingerprint, event, index)
        if not given:
            raise NoKey("this device holds no key for this document")
        for by in reversed(given):
            # One author's useless disclosure does not stand in the way of another's.
            try:
                told = await self.disclosed(review, by)
                source = review.disclosures[by].source == event
                return told, _shown_key(review.id, header, index, told.source if source else None, told.slots)
            except CannotOpen:
                continue
        raise CannotOpen

    async def object(self, state: Stream, header: Header, index: int) -> ObjectKey:
        """The key of one object of an event; raises NoKey, CannotOpen."""
        ref = header.objects[index]
        epoch = await self.epoch(state, header.circle, header.epoch)
        entry = state.translations.get(header.about[0]) if isinstance(state, Review) and header.about else None
        if entry is not None and state.documents[ref.id].kind == "translation.submitted":
            return SlotKey.derive(epoch, ref.context(), entry.slots[index].salt).object(ref.salt).expect(ref.commitment)
        return ObjectKey.derive(epoch, ref.context(), ref.salt).expect(ref.commitment)

    async def disclosed(self, review: Review, event: bytes) -> Disclosed:
        """Open what an event disclosed to this device; raises CannotOpen."""
        made = review.disclosures[event]
        sealed = await self._body(review.id, made.seq)
        context = disclosure_context(review.id, made.source, made.object, made.lang, self._identity.fingerprint)
        opened = self._identity.open(Label.DISCLOSURE, sealed, context)
        try:
            value = canonical.decode(opened, MAX_DISCLOSURE)
            return msgspec.convert(value, Disclosed, builtin_types=(bytes,))
        except (Malformed, msgspec.ValidationError):
            raise CannotOpen from None

    def hold(self, stream: bytes, name: str, key: EpochKey) -> None:
        """Keep a key that this device made itself."""
        self._epochs[stream, name, key.epoch] = key

    async def _reach(self, state: Stream, name: str, circle: Circle, number: int) -> EpochKey:
        """Open one's own grant and follow the links back to the epoch wanted."""
        grant = circle.devices.get(self._identity.fingerprint)
        if grant is None or grant.epoch < number:
            raise NoKey(f"this device holds no key of circle {name}")
        by_number = {epoch.number: epoch for epoch in circle.epochs}
        carried = await self._body(state.id, grant.seq)
        sealed = carried[grant.index * SEALED_KEY_SIZE : (grant.index + 1) * SEALED_KEY_SIZE]
        try:
            newest = by_number[grant.epoch]
            key = grants.accept(self._identity, sealed, scope(state.id, name), newest.number, newest.commitment)
            self.hold(state.id, name, key)
            while key.epoch > number:
                earlier = by_number[key.epoch - 1]
                if not by_number[key.epoch].link:
                    raise NoKey(f"the history of circle {name} was closed at epoch {key.epoch}")
                key = key.follow(by_number[key.epoch].link, earlier.number, earlier.commitment)
                self.hold(state.id, name, key)
        except CannotOpen:
            raise ServerLied(3, f"the key granted for circle {name} is not the one committed to") from None
        return key


def disclosure_context(stream: bytes, source: bytes, number: int, lang: str, reader: bytes) -> bytes:
    """What a disclosure is bound to: review, source, part, language (or none) and the one it is for (rule 14)."""
    return frame(stream, source, number.to_bytes(2, "big"), lang.encode(), reader)


def _shown_key(stream: bytes, header: Header, index: int, source: bytes | None, slots: Sequence[bytes]) -> ObjectKey:
    """The key of an object disclosed as it is (`source`), or of what its translator put into a slot."""
    ref = header.objects[index]
    place = bound(stream, header.circle, header.epoch, ref.context())
    if source is not None:
        return ObjectKey(place, source).expect(ref.commitment)
    if index >= len(slots):
        raise CannotOpen
    return SlotKey(place, slots[index]).object(ref.salt).expect(ref.commitment)


def bound(stream: bytes, circle: str, epoch: int, context: bytes) -> bytes:
    """What a disclosed key is bound to: the same as if it were derived."""
    return bind(scope(stream, circle), epoch, context)
