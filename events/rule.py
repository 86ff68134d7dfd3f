"""The table of kinds: a kind's wire name, its data and its rule stand together in one class.

A kind is a class decorated with `@kind(...)`. It may hold a `Clear` struct (read by everyone, signed) and a
`Sealed` struct (read by its circle), and an `evolve(state, act)` that folds it into the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import msgspec

from events.errors import Malformed, UnknownKind

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=60_000)]
Note = Annotated[str, msgspec.Meta(max_length=10_000)]
Article = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Role(StrEnum):
    """Who a person is in the mechanism."""

    FOCAL_POINT = "focal-point"
    EXPERT = "expert"
    OFFICER = "officer"
    TRANSLATOR = "translator"
    OVERSIGHT = "oversight"
    ARCHIVIST = "archivist"


class Party(StrEnum):
    """What part a person's side has in one review."""

    UNDER_REVIEW = "under-review"
    REVIEWING = "reviewing"
    SECRETARIAT = "secretariat"
    OUTSIDE = "outside"


class Phase(StrEnum):
    """The steps of a review, in their order."""

    OPENING = "opening"
    DESK_REVIEW = "desk-review"
    DIALOGUE = "dialogue"
    REPORT = "report"
    SUMMARY = "summary"
    CONCLUDED = "concluded"


class CircleRule(StrEnum):
    """For which audience a kind's content is sealed."""

    NONE = ""
    PARTIES = "parties"
    REVIEWERS = "reviewers"
    DELEGATION = "delegation"
    DIRECTORY = "directory"
    SOURCE = "source"
    NAMED = "named"


class StreamKind(StrEnum):
    """The two sorts of streams that exist so far."""

    REGISTER = "register"
    REVIEW = "review"


EVERY_PHASE = frozenset(Phase)
STATE_ROLES = frozenset({Role.FOCAL_POINT, Role.EXPERT})
MEMBER_ROLES = STATE_ROLES | {Role.OFFICER}
ALL_PARTIES = frozenset({Party.UNDER_REVIEW, Party.REVIEWING, Party.SECRETARIAT})


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The clear payload of the kinds that have none."""


class FileInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader is told of an attachment; sealed with the body."""

    name: FileName
    title: Line
    media: Line
    size: Annotated[int, msgspec.Meta(ge=0)]


Files = Annotated[tuple[FileInfo, ...], msgspec.Meta(max_length=32)]


@dataclass(frozen=True, slots=True)
class About:
    """Which kinds an event may refer to (none named: any), and how many of them."""

    kinds: frozenset[str] = frozenset()
    least: int = 0
    most: int = 0


NOTHING = About()


def one(*kinds: str) -> About:
    """About exactly one event of these kinds."""
    return About(frozenset(kinds), 1, 1)


def maybe(*kinds: str) -> About:
    """About at most one event of these kinds."""
    return About(frozenset(kinds), 0, 1)


def some(*kinds: str) -> About:
    """About any number of events of these kinds."""
    return About(frozenset(kinds), 0, 64)


def anything() -> About:
    """About any number of events of whatever kind the stream has."""
    return About(frozenset(), 0, 64)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: who may do it, when, about what, for whom to read."""

    name: str
    verb: str
    summary: str
    stream: StreamKind
    by: frozenset[Role]
    of: frozenset[Party]
    during: frozenset[Phase]
    circle: CircleRule
    about: About
    files: bool
    revisable: bool
    translated: bool
    genesis: bool
    most_carried: int
    para: str
    body: type[Any]
    clear: type[msgspec.Struct]
    sealed: type[msgspec.Struct] | None

    def read_clear(self, value: dict[str, Any]) -> msgspec.Struct:
        """Read the clear payload; raises Malformed for unknown, missing or over-long fields."""
        try:
            clear = msgspec.convert(value, self.clear, builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            raise Malformed(f"expected the clear fields of {self.name}, got: {error}") from None
        # Absent fields with a default would give one meaning two encodings.
        if len(value) != len(self.clear.__struct_fields__):
            raise Malformed(f"expected all clear fields of {self.name}: {', '.join(self.clear.__struct_fields__)}")
        return clear

    def read_sealed(self, value: Any) -> msgspec.Struct:
        """Read an opened body; raises Malformed."""
        if self.sealed is None:
            raise Malformed(f"expected no sealed body in {self.name}")
        try:
            return msgspec.convert(value, self.sealed, builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            raise Malformed(f"expected the sealed fields of {self.name}, got: {error}") from None

    @property
    def label(self) -> str:
        """What happened, in a few words: `request.answered` is “Request answered”."""
        return self.name.replace(".", " ").replace("-", " ").capitalize()

    @property
    def carries(self) -> bool:
        """Whether sealed keys or a letter travel with the event in place of a sealed body."""
        return "carried" in self.clear.__struct_fields__

    @property
    def has_objects(self) -> bool:
        """Whether its content is sealed as objects for a circle; a letter is sealed for those it names."""
        return self.sealed is not None and self.circle is not CircleRule.NAMED


KINDS: dict[str, Rule] = {}
C = TypeVar("C")


def kind(
    name: str,
    *,
    verb: str,
    by: Iterable[Role],
    para: str,
    stream: StreamKind = StreamKind.REVIEW,
    of: Iterable[Party] = ALL_PARTIES,
    during: Iterable[Phase] = EVERY_PHASE,
    circle: CircleRule = CircleRule.NONE,
    about: About = NOTHING,
    files: bool = False,
    revisable: bool = False,
    translated: bool = False,
    genesis: bool = False,
    most_carried: int = 0,
) -> Callable[[type[C]], type[C]]:
    """Enter a kind into the table; a second one with the same name or verb fails at import.

    `most_carried` bounds what travels with it, in bytes, where grants do not say the exact size.
    """

    def enter(cls: type[C]) -> type[C]:
        row = Rule(
            name=name,
            verb=verb,
            summary=(cls.__doc__ or "").strip().splitlines()[0],
            stream=stream,
            by=frozenset(by),
            of=frozenset(of),
            during=frozenset(during),
            circle=circle,
            about=about,
            files=files,
            revisable=revisable,
            translated=translated,
            genesis=genesis,
            most_carried=most_carried,
            para=para,
            body=cls,
            clear=vars(cls).get("Clear", Nothing),
            sealed=vars(cls).get("Sealed"),
        )
        if name in KINDS or any(verb == other.verb for other in KINDS.values()):
            raise ValueError(f"two kinds are named {name} or have the verb {verb}")
        if (row.sealed is None) != (circle is CircleRule.NONE):
            raise ValueError(f"{name}: a sealed body and a circle belong together")
        KINDS[name] = row
        return cls

    return enter


def rule_of(name: str) -> Rule:
    """The row of a kind; raises UnknownKind."""
    rule = KINDS.get(name)
    if rule is None:
        raise UnknownKind("a kind of the table", name)
    return rule
