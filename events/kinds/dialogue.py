"""The dialogue: requests numbered and tied to an article, answered, followed up, closed (ToR 23, G 18-21)."""

from __future__ import annotations

from typing import Literal

import msgspec

from events.act import Act
from events.errors import AlreadyDone, WrongReference
from events.review import Request, RequestStatus, Review
from events.rule import (
    STATE_ROLES,
    Article,
    CircleRule,
    Files,
    Note,
    Party,
    Phase,
    Role,
    Text,
    kind,
    one,
)

Form = Literal["clarification", "information", "supplementary"]
DIALOGUE = frozenset({Phase.DIALOGUE, Phase.REPORT})


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked, about which article."""

    article: Article
    text: Text
    files: Files = ()


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is answered or asked further."""

    text: Text
    files: Files = ()


@kind(
    "request.made",
    verb="ask",
    by=STATE_ROLES,
    of={Party.REVIEWING},
    during=DIALOGUE,
    circle=CircleRule.PARTIES,
    files=True,
    translated=True,
    para="ToR 23; G 20, 21, 23, 28",
)
class RequestMade:
    """Ask the State under review for a clarification, additional information or a supplementary question."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        form: Form

    Sealed = Question

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        number = state.asked + 1
        request = Request(number, act.clear.form, RequestStatus.OPEN, act.header.time, state=act.author.state)
        return msgspec.structs.replace(
            state,
            asked=number,
            waiting_answer=state.waiting_answer + 1,
            requests=state.requests.insert(act.id, request),
        )


@kind(
    "request.answered",
    verb="answer",
    by={Role.FOCAL_POINT},
    of={Party.UNDER_REVIEW},
    during=DIALOGUE,
    circle=CircleRule.PARTIES,
    about=one("request.made"),
    files=True,
    translated=True,
    para="ToR 23",
)
class RequestAnswered:
    """Answer an open request."""

    Sealed = Reply

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        request = _request(state, act)
        if request.status is not RequestStatus.OPEN:
            raise AlreadyDone(
                f"an open request, to be answered once (Q{request.number})", f"one that is {request.status}"
            )
        return _moved(state, act, RequestStatus.ANSWERED, answers=request.answers + 1)


@kind(
    "request.followed-up",
    verb="follow-up",
    by=STATE_ROLES,
    of={Party.REVIEWING},
    during=DIALOGUE,
    circle=CircleRule.PARTIES,
    about=one("request.made"),
    files=True,
    translated=True,
    para="ToR 23; G 23",
)
class RequestFollowedUp:
    """Ask further about an answer; the request is open again."""

    Sealed = Reply

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        request = _request(state, act)
        if request.status is not RequestStatus.ANSWERED:
            raise WrongReference(f"an answered request (Q{request.number})", f"one that is {request.status}")
        return _moved(state, act, RequestStatus.OPEN)


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a request was settled."""

    note: Note = ""


@kind(
    "request.closed",
    verb="close",
    by=STATE_ROLES,
    of={Party.REVIEWING},
    during=DIALOGUE,
    circle=CircleRule.PARTIES,
    about=one("request.made"),
    para="ToR 23",
)
class RequestClosed:
    """Close a request that needs no further answer."""

    Sealed = Closing

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        request = _request(state, act)
        if request.status is RequestStatus.CLOSED:
            raise AlreadyDone(f"a request not closed yet (Q{request.number})", "one that is closed")
        return _moved(state, act, RequestStatus.CLOSED)


def _request(state: Review, act: Act) -> Request:
    return state.requests[act.header.about[0]]


def _moved(state: Review, act: Act, status: RequestStatus, *, answers: int | None = None) -> Review:
    old = _request(state, act)
    new = msgspec.structs.replace(old, status=status, answers=old.answers if answers is None else answers)
    change = {RequestStatus.OPEN: 0, RequestStatus.ANSWERED: 0} | {old.status: -1}
    change[status] = change.get(status, 0) + 1
    return msgspec.structs.replace(
        state,
        requests=state.requests.insert(act.header.about[0], new),
        waiting_answer=state.waiting_answer + change[RequestStatus.OPEN],
        waiting_reviewers=state.waiting_reviewers + change[RequestStatus.ANSWERED],
    )
