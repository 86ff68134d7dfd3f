"""A review opened, its schedule and languages set, its deadlines extended, its calls held."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from events.act import Act
from events.errors import WrongParty, WrongReference
from events.kinds.people import Instrument, LanguageCode, StateCode
from events.register import Register
from events.review import Extension, Member, Review
from events.rule import STATE_ROLES, CircleRule, Party, Role, Text, kind
from events.timetable import STEPS, check_day

Day = Annotated[str, msgspec.Meta(pattern=r"^20[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$(?!\n)")]
Instruments = Annotated[tuple[Instrument, ...], msgspec.Meta(min_length=1, max_length=4)]
Call = Literal["introductory", "desk-review", "dialogue", "report"]


@kind("review.opened", verb="review open", by={Role.OFFICER}, genesis=True, para="ToR 18-20; G 12, 13")
class ReviewOpened:
    """Open the review of a State by two others, and inform them of its beginning."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        register: Annotated[int, msgspec.Meta(ge=0)]
        under_review: StateCode
        reviewing: Annotated[tuple[StateCode, ...], msgspec.Meta(min_length=2, max_length=2)]
        instruments: Instruments
        year: Annotated[int, msgspec.Meta(ge=2020, le=2100)]
        drawn: Day
        begins: Day

    @staticmethod
    def evolve(state: Review | None, act: Act) -> Review:
        clear = act.clear
        register = act.register_at(clear.register, 0)
        check_day(clear.drawn)
        check_day(clear.begins)
        _check_states(register, clear.under_review, clear.reviewing, clear.instruments)
        officer = Member(act.author.person, act.author.device, Role.OFFICER, "", 0)
        return Review(
            id=act.id,
            under_review=clear.under_review,
            reviewing=clear.reviewing,
            year=clear.year,
            drawn=clear.drawn,
            begins=clear.begins,
            instruments=clear.instruments,
            register=clear.register,
            members={officer.device: officer},
            marks={"opened": act.header.time},
        )


@kind("review.scheduled", verb="review schedule", by={Role.OFFICER}, para="ToR 24, 49; G 14")
class ReviewScheduled:
    """Set the languages of the review and the day it begins, after consulting the three States."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        begins: Day
        languages: Annotated[tuple[LanguageCode, ...], msgspec.Meta(min_length=1, max_length=8)]

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        clear = act.clear
        check_day(clear.begins)
        if len(set(clear.languages)) != len(clear.languages):
            raise WrongReference("each language once", ", ".join(clear.languages))
        marks = state.marked("scheduled", act.header.time)
        return msgspec.structs.replace(state, begins=clear.begins, languages=clear.languages, marks=marks)


@kind(
    "timetable.extended",
    verb="review extend",
    by={Role.OFFICER},
    circle=CircleRule.PARTIES,
    para="G 9",
)
class TimetableExtended:
    """Give a step of the timetable until another day, with the reason."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        step: Annotated[str, msgspec.Meta(max_length=40)]
        until: Day

    class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        reason: Text

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        if act.clear.step not in STEPS:
            raise WrongReference(f"a step of the timetable ({', '.join(STEPS)})", act.clear.step)
        check_day(act.clear.until)
        extensions = {**state.extensions, act.clear.step: Extension(act.clear.until, act.id)}
        return msgspec.structs.replace(state, extensions=extensions)


@kind(
    "call.held",
    verb="review call",
    by={Role.OFFICER},
    circle=CircleRule.PARTIES,
    para="ToR 23; G 16, 23",
)
class CallHeld:
    """Record that a call or videoconference was held."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        call: Call

    class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        summary: Text

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return msgspec.structs.replace(state, marks=state.marked(f"call:{act.clear.call}", act.header.time))


@kind(
    "assistance.requested",
    verb="ask-secretariat",
    by=STATE_ROLES,
    of={Party.UNDER_REVIEW, Party.REVIEWING},
    circle=CircleRule.PARTIES,
    para="ToR 16; G 7",
)
class AssistanceRequested:
    """Ask the secretariat for assistance."""

    class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        text: Text

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return state


def _check_states(
    register: Register, under_review: str, reviewing: tuple[str, ...], instruments: tuple[str, ...]
) -> None:
    """Three different registered States; reviewers are parties to what they review (ToR 18, 18 bis, 57)."""
    if len({under_review, *reviewing}) != 3:
        raise WrongParty("three different States", ", ".join((under_review, *reviewing)))
    for code in (under_review, *reviewing):
        state = register.states.get(code)
        if state is None:
            raise WrongReference("a State of the register", code)
        for instrument in instruments:
            standing = state.instruments.get(instrument)
            if standing == "party":
                continue
            voluntary = code == under_review and instrument == "convention" and standing == "signatory"
            if not voluntary:
                raise WrongParty(f"{code} as a party to {instrument}", standing or "neither party nor signatory")
