"""Disclosure: one object's key sealed to one more device; nothing else opens by it (ToR 36, 37; G 5)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from events.act import Act, Author
from events.envelope import Hash
from events.errors import AlreadyDone, NotAMember, WrongParty, WrongReference, WrongRole
from events.register import Person, Register
from events.review import Disclosure, Review
from events.rule import Role, kind
from events.stream import REVIEWERS, Known

MAX_DISCLOSURE = 16 * 1024
REPORTS = frozenset({"report.revised", "summary.revised"})


@kind(
    "object.disclosed",
    verb="disclose",
    by={Role.FOCAL_POINT, Role.OFFICER},
    most_carried=MAX_DISCLOSURE,
    para="ToR 36, 37, 40; G 5",
)
class ObjectDisclosed:
    """Disclose one paper, or one of its files, to one more person: its key alone is sealed to them."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        register: Annotated[int, msgspec.Meta(ge=0)]
        source: Hash
        object: Annotated[int, msgspec.Meta(ge=0, le=32)]
        reader: Hash
        carried: Hash

        @property
        def readers(self) -> tuple[bytes, ...]:
            """Whom the key is sealed to."""
            return (self.reader,)

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        clear, author = act.clear, act.author
        register = act.register_at(clear.register, state.register)
        reader = register.active(clear.reader)
        known = _paper(state, clear.source, clear.object)
        if not holds_key(state, known, author.device):
            raise NotAMember(f"an author who holds the key of circle {known.circle}", "one who does not")
        _check_new(state, act, known)
        _check_reader(state, register, author, clear.source, reader)
        made = Disclosure(act.header.seq, clear.source, clear.object, reader.device, author.device)
        return msgspec.structs.replace(state.with_disclosure(act.id, made), register=clear.register)


def holds_key(state: Review, known: Known, device: bytes) -> bool:
    """Whether a device holds the newest key of a paper's circle, and its links lead back to the paper."""
    circle = state.circles[known.circle]
    return device in circle.devices and device in circle.readers(known.epoch)


def owner(state: Review, register: Register, source: bytes) -> str:
    """The State whose paper this is: of the report and its summary, the State under review (ToR 36)."""
    original = _original(state, source)
    known = state.known[original]
    return state.under_review if known.kind in REPORTS else register.people[known.person].state


def _original(state: Review, source: bytes) -> bytes:
    """A translation is its source's owner's."""
    if state.known[source].kind != "translation.submitted":
        return source
    return next(entry.source for entry in state.translations.values() if entry.event == source)


def _paper(state: Review, source: bytes, number: int) -> Known:
    known = state.known.get(source)
    if known is None or not known.circle or number >= known.objects:
        raise WrongReference("a sealed paper of this review, and one of its parts", "something else")
    return known


def _check_new(state: Review, act: Act, known: Known) -> None:
    """Once by each author: what one of them seals wrongly must not keep another from doing it right."""
    clear = act.clear
    if holds_key(state, known, clear.reader):
        raise AlreadyDone(f"a reader without the key of circle {known.circle}", "one who holds it")
    before = state.shown_by(clear.reader, clear.source, clear.object)
    if any(state.disclosures[event].by == act.author.device for event in before):
        raise AlreadyDone("a reader to whom this author did not disclose it yet", "the same one")


def _check_reader(state: Review, register: Register, author: Author, source: bytes, reader: Person) -> None:
    """Who may be shown what, and by whom."""
    member = state.members.get(reader.device)
    if member is not None and not member.active:
        raise NotAMember("a reader who was not removed from this review", "one who was")
    if reader.role is Role.OVERSIGHT:
        return
    if state.known[source].circle == REVIEWERS:
        raise WrongReference("the oversight group as reader of what reviewers say among themselves", reader.role)
    if reader.role is Role.TRANSLATOR:
        if author.role is not Role.OFFICER:
            raise WrongRole("an officer (to a translator)", author.role)
        return
    if author.role is not Role.FOCAL_POINT:
        raise WrongRole("the focal point of the State whose paper it is", author.role)
    whose = owner(state, register, source)
    if author.state != whose:
        raise WrongParty(whose or "of no State", author.state)
