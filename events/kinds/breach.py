"""A suspected breach of confidentiality: reported, considered, referred, closed, by letters to those concerned (G 5).

A letter is sealed to the devices it names and to nobody else; no key of the review opens it. What travels is one
canonical array: [the letter's key sealed to each recipient, in their order], [the sealed words].
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import msgspec

from events.act import Act
from events.envelope import Hash, ObjectId
from events.errors import AlreadyDone, NotAMember, WrongGrants, WrongReference
from events.register import Register
from events.review import Breach, BreachStatus, Review
from events.rule import CircleRule, Line, Party, Role, Text, anything, kind, one
from events.stream import Document

MAX_LETTER = 256 * 1024
MAX_RECIPIENTS = 64
MAX_EVIDENCE = 200_000
REPORTERS = frozenset({Role.FOCAL_POINT, Role.OFFICER})


class LetterClear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What everybody sees of a letter: its id, whom it is for, and the commitment to its key (rule 13)."""

    register: Annotated[int, msgspec.Meta(ge=0)]
    letter: ObjectId
    recipients: Annotated[tuple[Hash, ...], msgspec.Meta(min_length=1, max_length=MAX_RECIPIENTS)]
    commitment: Hash
    carried: Hash

    @property
    def readers(self) -> tuple[bytes, ...]:
        """Whom the letter is sealed to."""
        return self.recipients


class Suspicion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is suspected, the evidence for it, and the name of the file that came to light."""

    title: Line
    text: Text
    evidence: Annotated[str, msgspec.Meta(max_length=MAX_EVIDENCE)] = ""
    leaked: Annotated[str, msgspec.Meta(max_length=255)] = ""


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the oversight group found, to whom it refers the matter, or why it closes it."""

    text: Text


@kind(
    "breach.reported",
    verb="breach report",
    by=REPORTERS,
    circle=CircleRule.NAMED,
    about=anything(),
    most_carried=MAX_LETTER,
    para="G 5",
)
class BreachReported:
    """Report a suspected breach of confidentiality to the oversight group; its words are for those it names."""

    Clear = LetterClear
    Sealed = Suspicion

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        if not all(state.known[event].objects for event in act.header.about):
            raise WrongReference("papers with sealed content", "an event without")
        state = _delivered(state, act, needed=(), copies=_reporters(state))
        number = len(state.breaches) + 1
        breach = Breach(number, BreachStatus.OPEN, act.author.device, act.header.seq)
        return msgspec.structs.replace(state, breaches=state.breaches.insert(act.id, breach))


@kind(
    "breach.considered",
    verb="breach consider",
    by={Role.OVERSIGHT},
    of={Party.OUTSIDE},
    circle=CircleRule.NAMED,
    about=one("breach.reported"),
    most_carried=MAX_LETTER,
    para="ToR 40; G 5",
)
class BreachConsidered:
    """Consider a reported breach: what the oversight group thinks or asks, as often as it takes."""

    Clear = LetterClear
    Sealed = Finding

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return _followed(state, act, BreachStatus.CONSIDERED)


@kind(
    "breach.referred",
    verb="breach refer",
    by={Role.OVERSIGHT},
    of={Party.OUTSIDE},
    circle=CircleRule.NAMED,
    about=one("breach.reported"),
    most_carried=MAX_LETTER,
    para="G 5",
)
class BreachReferred:
    """Refer a reported breach, such as to the Conference; the letter says to whom and why."""

    Clear = LetterClear
    Sealed = Finding

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return _followed(state, act, BreachStatus.REFERRED)


@kind(
    "breach.closed",
    verb="breach close",
    by={Role.OVERSIGHT},
    of={Party.OUTSIDE},
    circle=CircleRule.NAMED,
    about=one("breach.reported"),
    most_carried=MAX_LETTER,
    para="G 5",
)
class BreachClosed:
    """Close a reported breach; nothing follows."""

    Clear = LetterClear
    Sealed = Finding

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return _followed(state, act, BreachStatus.CLOSED)


def overseers(register: Register) -> frozenset[bytes]:
    """The devices of the active members of the oversight group."""
    return frozenset(p.device for p in register.people.values() if p.active and p.role is Role.OVERSIGHT)


def concerned(register: Register, breach: Breach) -> frozenset[bytes]:
    """Whom the letters that follow a report are for: the oversight group and, while active, the reporter."""
    return overseers(register) | ({breach.by} if _is_active(register, breach.by) else frozenset())


def _is_active(register: Register, device: bytes) -> bool:
    person = register.by_device(device)
    return person is not None and person.active


def _followed(state: Review, act: Act, status: BreachStatus) -> Review:
    report = act.header.about[0]
    breach = state.breaches[report]
    if breach.status is BreachStatus.CLOSED:
        raise AlreadyDone("a breach not closed yet", "one that is")
    register = act.register_at(act.clear.register, state.register)
    state = _delivered(state, act, needed=concerned(register, breach))
    if status is BreachStatus.CONSIDERED and breach.status is BreachStatus.REFERRED:
        return state
    new = msgspec.structs.replace(breach, status=status)
    return msgspec.structs.replace(state, breaches=state.breaches.insert(report, new))


def _reporters(state: Review) -> frozenset[bytes]:
    return frozenset(device for device, m in state.members.items() if m.active and m.role in REPORTERS)


def _delivered(state: Review, act: Act, *, needed: Collection[bytes], copies: Collection[bytes] = ()) -> Review:
    """Check whom a letter is for: the whole oversight group, those `needed`, any of `copies`, nobody else."""
    clear = act.clear
    register = act.register_at(clear.register, state.register)
    group = overseers(register)
    if not group:
        raise NotAMember("an oversight group to write to", "nobody")
    if list(clear.recipients) != sorted(set(clear.recipients)):
        raise WrongGrants("recipients in ascending order without repetition", "others")
    given, due = set(clear.recipients), group | set(needed)
    if not due <= given:
        raise WrongGrants(f"all {len(due)} who must have this letter", f"{len(due & given)} of them")
    if not given <= due | set(copies) or not all(_is_active(register, device) for device in given):
        raise WrongGrants("only recipients who may have this letter", "others")
    if clear.letter in state.documents:
        raise AlreadyDone("a letter's id never used before", "one that was")
    document = Document(1, act.id, act.header.kind, act.author.state)
    return msgspec.structs.replace(
        state, register=clear.register, documents=state.documents.insert(clear.letter, document)
    )
