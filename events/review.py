"""One review: its parties, members, dialogue, report and translations, as folded from its stream."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from events.envelope import Hash, ObjectId
from events.pmap import Map
from events.rule import Party, Phase, Role
from events.stream import Stream


class Member(msgspec.Struct, frozen=True):
    """Someone admitted to the review; `until` is the number of the event that removed them."""

    person: bytes
    device: bytes
    role: Role
    state: str
    since: int
    until: int | None = None

    @property
    def active(self) -> bool:
        """Whether the member has not been removed."""
        return self.until is None


class Nomination(msgspec.Struct, frozen=True):
    """A person put forward by their own State and not admitted yet."""

    event: bytes
    person: bytes
    role: Role
    state: str
    by: bytes


class RequestStatus(StrEnum):
    """Where a request of the dialogue stands."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Request(msgspec.Struct, frozen=True):
    """A request for clarification, additional information or a supplementary question."""

    number: int
    form: str
    status: RequestStatus
    asked: int
    answers: int = 0
    state: str = ""


class Slot(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A place made ready for a translator's object: whoever holds the circle's key can derive its key too."""

    id: ObjectId
    version: Annotated[int, msgspec.Meta(ge=1, le=1)]
    salt: Hash
    commitment: Hash


class Translation(msgspec.Struct, frozen=True):
    """One object of one event to be put into one language."""

    assignment: bytes
    seq: int
    source: bytes
    object: int
    lang: str
    translator: bytes
    circle: str
    epoch: int
    slots: tuple[Slot, ...]
    event: bytes = b""


class Disclosure(msgspec.Struct, frozen=True):
    """One object's key sealed to one device by event `seq`; `lang` if it was for a translation into it."""

    seq: int
    source: bytes
    object: int
    reader: bytes
    by: bytes
    lang: str = ""


class BreachStatus(StrEnum):
    """Where a suspected breach stands."""

    OPEN = "open"
    CONSIDERED = "considered"
    REFERRED = "referred"
    CLOSED = "closed"


class Breach(msgspec.Struct, frozen=True):
    """A suspected breach of confidentiality (G 5), reported by device `by` in event `seq`."""

    number: int
    status: BreachStatus
    by: bytes
    seq: int


class Report(msgspec.Struct, frozen=True):
    """The revisions of the report or of its summary: the newest, who agreed to it, who objects."""

    revision: bytes = b""
    number: int = 0
    object: bytes = b""
    digest: bytes = b""
    agreed: dict[str, bytes] = {}
    objections: dict[str, bytes] = {}
    final: bool = False


class Extension(msgspec.Struct, frozen=True):
    """A step of the timetable given until another day, with the event that says why."""

    until: str
    event: bytes


class Review(Stream, frozen=True, kw_only=True):
    """A review after some event of its stream."""

    under_review: str = ""
    reviewing: tuple[str, ...] = ()
    year: int = 0
    drawn: str = ""
    begins: str = ""
    languages: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    register: int = 0
    phase: Phase = Phase.OPENING
    members: dict[bytes, Member] = {}
    nominations: dict[bytes, Nomination] = {}
    requests: Map[bytes, Request] = Map()
    asked: int = 0
    waiting_answer: int = 0
    waiting_reviewers: int = 0
    translations: Map[bytes, Translation] = Map()
    translated: Map[str, bytes] = Map()
    sources: Map[bytes, str] = Map()
    report: Report = Report()
    summary: Report = Report()
    response: bytes = b""
    marks: dict[str, int] = {}
    extensions: dict[str, Extension] = {}
    disclosures: Map[bytes, Disclosure] = Map()
    shown: Map[bytes, Map[str, tuple[bytes, ...]]] = Map()
    breaches: Map[bytes, Breach] = Map()

    def party(self, state: str) -> Party:
        """The part a State (or the secretariat, the empty code) has in this review."""
        if not state:
            return Party.SECRETARIAT
        if state == self.under_review:
            return Party.UNDER_REVIEW
        return Party.REVIEWING if state in self.reviewing else Party.OUTSIDE

    @property
    def states(self) -> tuple[str, ...]:
        """The State under review and the reviewing States."""
        return (self.under_review, *self.reviewing)

    def shown_by(self, reader: bytes, event: bytes, number: int) -> tuple[bytes, ...]:
        """The events that gave a device the key of one object of an event, oldest first."""
        mine = self.shown.get(reader)
        return (mine.get(part(event, number)) or ()) if mine is not None else ()

    def shown_to(self, event: bytes, number: int) -> frozenset[bytes]:
        """The devices that were given the key of one object of an event."""
        wanted = part(event, number)
        return frozenset(reader for reader, parts in self.shown.items() if wanted in parts)

    def with_disclosure(self, event: bytes, made: Disclosure) -> Review:
        """This review with one object's key disclosed by an event."""
        disclosures = self.disclosures.insert(event, made)
        new = msgspec.structs.replace(self, disclosures=disclosures)
        return new.with_shown(made.reader, made.source, made.object, event)

    def with_shown(self, reader: bytes, event: bytes, number: int, by: bytes) -> Review:
        """This review with one object of an event open to a device, by what it was given in event `by`."""
        parts = self.shown.get(reader) or Map()
        parts = parts.insert(part(event, number), (*self.shown_by(reader, event, number), by))
        return msgspec.structs.replace(self, shown=self.shown.insert(reader, parts))

    def marked(self, mark: str, time: int) -> dict[str, int]:
        """The marks of the timetable with one more; the first time counts."""
        return self.marks if mark in self.marks else {**self.marks, mark: time}


def part(event: bytes, number: int) -> str:
    """How one object of an event is found."""
    return f"{event.hex()}/{number}"


def translation_key(source: bytes, number: int, lang: str) -> str:
    """How a translation is found: by its source, the object in it, and the language."""
    return f"{part(source, number)}/{lang}"
