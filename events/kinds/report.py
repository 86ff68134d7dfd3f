"""The country review report: revisions, comments, objections, and the same revision agreed by all three States."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from events.act import Act
from events.envelope import Hash
from events.errors import AlreadyDone, OtherRevision
from events.review import Report, Review
from events.rule import (
    STATE_ROLES,
    CircleRule,
    Files,
    Line,
    Note,
    Party,
    Phase,
    Role,
    Text,
    kind,
    one,
    some,
)

REPORT_TEXT = 200_000
REVISING = frozenset({Phase.DIALOGUE, Phase.REPORT})


class Incorporated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comment or objection, and the paragraphs of this revision that take it up (G 30)."""

    comment: Hash
    paragraphs: Line


class Revision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One revision of the report as text with numbered paragraphs."""

    title: Line
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=REPORT_TEXT)]
    incorporates: Annotated[tuple[Incorporated, ...], msgspec.Meta(max_length=60)] = ()
    files: Files = ()


@kind(
    "report.revised",
    verb="report revise",
    by=STATE_ROLES | {Role.OFFICER},
    of={Party.REVIEWING, Party.SECRETARIAT},
    during=REVISING,
    circle=CircleRule.PARTIES,
    about=some("report.revised", "report.commented", "report.objected"),
    files=True,
    revisable=True,
    translated=True,
    para="ToR 25, 32; G 30-32",
)
class ReportRevised:
    """Send the draft report, or a new revision of it that takes up comments."""

    Sealed = Revision

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        marks = state.marked("report", act.header.time)
        report = revised(state.report, act)
        return msgspec.structs.replace(state, report=report, phase=Phase.REPORT, marks=marks)


class Comment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comment on a paragraph of a revision."""

    text: Text
    paragraph: Note = ""


@kind(
    "report.commented",
    verb="report comment",
    by={Role.FOCAL_POINT},
    of={Party.UNDER_REVIEW, Party.REVIEWING},
    during={Phase.REPORT},
    circle=CircleRule.PARTIES,
    about=one("report.revised"),
    translated=True,
    para="G 30",
)
class ReportCommented:
    """Comment on the newest revision of the report."""

    Sealed = Comment

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        check_newest(state.report, act)
        return state


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digest of the sealed revision that is agreed to, beside its event."""

    digest: Hash


@kind(
    "report.agreed",
    verb="report agree",
    by={Role.FOCAL_POINT},
    of={Party.UNDER_REVIEW, Party.REVIEWING},
    during={Phase.REPORT},
    about=one("report.revised"),
    para="ToR 33; G 34",
)
class ReportAgreed:
    """Agree to the newest revision; when all three States have, the report is final."""

    Clear = Agreement

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        report = agreed(state.report, act, state.states)
        if not report.final:
            return msgspec.structs.replace(state, report=report)
        marks = state.marked("agreed", act.header.time)
        return msgspec.structs.replace(state, report=report, phase=Phase.SUMMARY, marks=marks)


@kind(
    "report.objected",
    verb="report object",
    by={Role.FOCAL_POINT},
    of={Party.UNDER_REVIEW, Party.REVIEWING},
    during={Phase.REPORT},
    circle=CircleRule.PARTIES,
    about=one("report.revised"),
    translated=True,
    para="G 34",
)
class ReportObjected:
    """Disagree with the newest revision; a dialogue opens, and a further revision must settle it."""

    Sealed = Comment

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return msgspec.structs.replace(state, report=objected(state.report, act))


@kind(
    "report.discussed",
    verb="report discuss",
    by=STATE_ROLES | {Role.OFFICER},
    during={Phase.REPORT},
    circle=CircleRule.PARTIES,
    about=one("report.objected", "report.commented"),
    translated=True,
    para="G 34",
)
class ReportDiscussed:
    """Discuss an objection or a comment, to arrive at a consensual report."""

    Sealed = Comment

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return state


def revised(report: Report, act: Act) -> Report:
    """A new revision: earlier agreements and objections belong to the earlier ones."""
    ref = act.header.objects[0]
    if report.revision and (report.revision not in act.header.about or ref.id != report.object):
        raise OtherRevision(f"a revision that follows number {report.number}", "one that follows another")
    return Report(revision=act.id, number=report.number + 1, object=ref.id, digest=ref.digest)


def check_newest(report: Report, act: Act) -> None:
    """Raise OtherRevision unless the event is about the newest revision."""
    about = act.header.about[0]
    if about != report.revision:
        raise OtherRevision(f"revision {report.number}, the newest ({report.revision.hex()[:12]})", about.hex()[:12])


def agreed(report: Report, act: Act, states: tuple[str, ...]) -> Report:
    """One State's agreement to the newest revision, final when all three agreed to the same."""
    check_newest(report, act)
    if act.clear.digest != report.digest:
        raise OtherRevision("the digest of the revision agreed to", "another")
    if report.objections:
        raise OtherRevision("a further revision that settles the objection", "the revision objected to")
    if act.author.state in report.agreed:
        raise AlreadyDone("one agreement of each State", f"a second one of {act.author.state}")
    signed: dict[str, bytes] = {**report.agreed, act.author.state: act.id}
    return msgspec.structs.replace(report, agreed=signed, final=set(signed) == set(states))


def objected(report: Report, act: Act) -> Report:
    """One State's objection to the newest revision; its own agreement to it, if any, stands withdrawn."""
    check_newest(report, act)
    if act.author.state in report.objections:
        raise AlreadyDone("one objection of each State to a revision", f"a second one of {act.author.state}")
    kept: dict[str, Any] = {code: event for code, event in report.agreed.items() if code != act.author.state}
    return msgspec.structs.replace(report, agreed=kept, objections={**report.objections, act.author.state: act.id})
