"""The self-assessment response and everything else the State under review provides."""

from __future__ import annotations

import msgspec

from events.act import Act
from events.errors import OtherRevision, WrongPhase
from events.review import Review
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
    maybe,
    one,
)


class Paper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A titled text with attachments."""

    title: Line
    text: Note = ""
    files: Files = ()


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The response to the checklist, with the stakeholders consulted and why they are relevant (ToR 27)."""

    title: Line
    text: Note = ""
    stakeholders: Note = ""
    files: Files = ()


@kind(
    "response.submitted",
    verb="respond",
    by={Role.FOCAL_POINT},
    of={Party.UNDER_REVIEW},
    circle=CircleRule.PARTIES,
    about=maybe("response.submitted"),
    files=True,
    revisable=True,
    translated=True,
    para="ToR 15, 27; G 15",
)
class ResponseSubmitted:
    """Submit the response to the self-assessment checklist, or a new version of it."""

    Sealed = Response

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        if not state.languages:
            raise WrongPhase("a review whose languages and schedule are set", "one where they are not")
        if state.response and state.response not in act.header.about:
            raise OtherRevision("a version that follows the newest response", "one that does not")
        phase = Phase.DESK_REVIEW if state.phase is Phase.OPENING else state.phase
        marks = state.marked("response", act.header.time)
        return msgspec.structs.replace(state, response=act.id, phase=phase, marks=marks)


@kind(
    "response.circulated",
    verb="circulate",
    by={Role.OFFICER},
    about=one("response.submitted"),
    para="G 15",
)
class ResponseCirculated:
    """Record that the response and its translations went to the governmental experts."""

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return msgspec.structs.replace(state, marks=state.marked("circulated", act.header.time))


@kind(
    "information.provided",
    verb="inform",
    by={Role.FOCAL_POINT},
    of={Party.UNDER_REVIEW},
    circle=CircleRule.PARTIES,
    about=maybe("information.provided"),
    files=True,
    revisable=True,
    translated=True,
    para="ToR 13, 26 (a)",
)
class InformationProvided:
    """Provide supplementary or new information; accepted at any time."""

    Sealed = Paper

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return state


class OrganizationPaper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Information produced by a competent organization, named as its source."""

    organization: Line
    title: Line
    text: Note = ""
    files: Files = ()


@kind(
    "information.from-organization",
    verb="inform-organization",
    by=STATE_ROLES | {Role.OFFICER},
    of={Party.REVIEWING, Party.SECRETARIAT},
    circle=CircleRule.PARTIES,
    files=True,
    translated=True,
    para="ToR 26 (c); G 6",
)
class InformationFromOrganization:
    """Bring in information of a competent organization to which the State under review belongs."""

    Sealed = OrganizationPaper

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return state


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draft that stays within one State until its focal point clears it."""

    title: Line
    text: Text
    files: Files = ()


@kind(
    "draft.shared",
    verb="draft",
    by=STATE_ROLES,
    of={Party.UNDER_REVIEW, Party.REVIEWING},
    circle=CircleRule.DELEGATION,
    about=maybe("request.made", "draft.shared", "report.revised", "response.submitted"),
    files=True,
    para="ToR 17",
)
class DraftShared:
    """Share a draft within one's own delegation, before the focal point clears it."""

    Sealed = Draft

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        return state
