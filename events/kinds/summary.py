"""The executive summary: drafted after the report is final, and agreed like it (ToR 33; G 34)."""

from __future__ import annotations

import msgspec

from events.act import Act
from events.kinds.report import Agreement, Comment, Revision, agreed, objected, revised
from events.review import Review
from events.rule import STATE_ROLES, CircleRule, Party, Phase, Role, kind, one, some


@kind(
    "summary.revised",
    verb="summary revise",
    by=STATE_ROLES | {Role.OFFICER},
    of={Party.REVIEWING, Party.SECRETARIAT},
    during={Phase.SUMMARY},
    circle=CircleRule.PARTIES,
    about=some("summary.revised", "summary.objected", "report.revised"),
    files=True,
    revisable=True,
    translated=True,
    para="ToR 32, 35; G 34",
)
class SummaryRevised:
    """Send the executive summary of the agreed report, or a new revision of it."""

    Sealed = Revision

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return msgspec.structs.replace(state, summary=revised(state.summary, act))


@kind(
    "summary.agreed",
    verb="summary agree",
    by={Role.FOCAL_POINT},
    of={Party.UNDER_REVIEW, Party.REVIEWING},
    during={Phase.SUMMARY},
    about=one("summary.revised"),
    para="ToR 33; G 34",
)
class SummaryAgreed:
    """Agree to the newest executive summary; when all three States have, the review is concluded."""

    Clear = Agreement

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        summary = agreed(state.summary, act, state.states)
        if not summary.final:
            return msgspec.structs.replace(state, summary=summary)
        marks = state.marked("concluded", act.header.time)
        return msgspec.structs.replace(state, summary=summary, phase=Phase.CONCLUDED, marks=marks)


@kind(
    "summary.objected",
    verb="summary object",
    by={Role.FOCAL_POINT},
    of={Party.UNDER_REVIEW, Party.REVIEWING},
    during={Phase.SUMMARY},
    circle=CircleRule.PARTIES,
    about=one("summary.revised"),
    para="G 34",
)
class SummaryObjected:
    """Disagree with the newest executive summary; a further revision must settle it."""

    Sealed = Comment

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return msgspec.structs.replace(state, summary=objected(state.summary, act))
