"""The desk review: topics divided among the experts, an outcome per article, the reviewers' own exchange."""

from __future__ import annotations

from typing import Annotated

import msgspec

from events.act import Act
from events.errors import WrongPhase
from events.review import Review
from events.rule import (
    STATE_ROLES,
    Article,
    CircleRule,
    Files,
    Line,
    Note,
    Party,
    Phase,
    Role,
    Text,
    kind,
    maybe,
    some,
)


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An article and the expert who takes it."""

    article: Article
    expert: Line
    note: Note = ""


class Division(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the reviewing experts divide the articles among themselves."""

    topics: Annotated[tuple[Topic, ...], msgspec.Meta(min_length=1, max_length=200)]


@kind(
    "desk-review.divided",
    verb="desk-review divide",
    by=STATE_ROLES,
    of={Party.REVIEWING},
    circle=CircleRule.REVIEWERS,
    para="G 17",
)
class DeskReviewDivided:
    """Divide the articles among the reviewing experts."""

    Sealed = Division

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return state


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome of the desk review on one article."""

    article: Article
    title: Line
    text: Text
    files: Files = ()


@kind(
    "desk-review.submitted",
    verb="desk-review submit",
    by=STATE_ROLES,
    of={Party.REVIEWING},
    during={Phase.DESK_REVIEW, Phase.DIALOGUE, Phase.REPORT},
    circle=CircleRule.PARTIES,
    about=maybe("desk-review.submitted"),
    files=True,
    revisable=True,
    translated=True,
    para="ToR 22; G 21, 22",
)
class DeskReviewSubmitted:
    """Submit the outcome of the desk review on an article."""

    Sealed = Outcome

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return msgspec.structs.replace(state, marks=state.marked(f"outcome:{act.author.state}", act.header.time))


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message of the reviewers' own exchange."""

    title: Line
    text: Text
    files: Files = ()


@kind(
    "reviewers.noted",
    verb="confer",
    by=STATE_ROLES | {Role.OFFICER},
    of={Party.REVIEWING, Party.SECRETARIAT},
    circle=CircleRule.REVIEWERS,
    about=some("reviewers.noted", "request.made", "request.answered", "response.submitted", "report.revised"),
    files=True,
    para="G 17, 29",
)
class ReviewersNoted:
    """Share opinions and findings among the reviewing States and the secretariat only."""

    Sealed = Message

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return state


@kind(
    "dialogue.opened",
    verb="review dialogue",
    by={Role.OFFICER},
    during={Phase.DESK_REVIEW},
    para="ToR 23; G 23",
)
class DialogueOpened:
    """Give the outcome of the desk review to the State under review and open the dialogue."""

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        if not any(mark.startswith("outcome:") for mark in state.marks):
            raise WrongPhase("an outcome of the desk review", "none submitted yet")
        marks = state.marked("dialogue", act.header.time)
        return msgspec.structs.replace(state, phase=Phase.DIALOGUE, marks=marks)
