"""Whose turn it is: what every side of a review has to do next, computed from its state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from events.review import BreachStatus, RequestStatus, Review, Translation, translation_key
from events.rule import Phase
from events.stream import delegation_of

SECRETARIAT = ""
OVERSIGHT = "oversight"


@dataclass(frozen=True, slots=True)
class Turn:
    """Something to be done: by whom, about an event, by which verb.

    `whose` is a State, the empty code for the secretariat, “translator” or “oversight”.
    """

    whose: str
    what: str
    verb: str
    about: bytes = b""
    detail: str = ""


def turns(review: Review) -> tuple[Turn, ...]:
    """Everything that waits for somebody, the most pressing first."""
    return (*_keys(review), *_step(review), *_requests(review), *_translations(review), *_breaches(review))


def _keys(review: Review) -> Iterator[Turn]:
    for name, circle in review.circles.items():
        if circle.waiting:
            whose = delegation_of(name) or SECRETARIAT
            yield Turn(whose, "change-keys", "members rotate", detail=name)
    for nomination in review.nominations.values():
        yield Turn(SECRETARIAT, "admit", "members admit", nomination.event, nomination.state)


def _step(review: Review) -> Iterator[Turn]:
    if review.phase is Phase.OPENING:
        yield from _opening(review)
    elif review.phase is Phase.DESK_REVIEW:
        yield from _desk_review(review)
    elif review.phase is Phase.REPORT:
        yield from _agreement(review)
    elif review.phase is Phase.DIALOGUE and not review.waiting_answer and not review.waiting_reviewers:
        yield from (Turn(code, "draft-report", "report revise") for code in review.reviewing)
    elif review.phase is Phase.SUMMARY:
        yield from _summary(review)


def _opening(review: Review) -> Iterator[Turn]:
    if not review.languages:
        yield Turn(SECRETARIAT, "schedule", "review schedule")
        return
    if "call:introductory" not in review.marks:
        yield Turn(SECRETARIAT, "introductory-call", "review call")
    yield Turn(review.under_review, "respond", "respond")


def _desk_review(review: Review) -> Iterator[Turn]:
    if "circulated" not in review.marks:
        yield Turn(SECRETARIAT, "circulate", "circulate", review.response)
    missing = [code for code in review.reviewing if f"outcome:{code}" not in review.marks]
    yield from (Turn(code, "desk-review", "desk-review submit", review.response) for code in missing)
    if not missing:
        yield Turn(SECRETARIAT, "open-dialogue", "review dialogue")


def _agreement(review: Review) -> Iterator[Turn]:
    report = review.report
    if report.objections:
        yield from (Turn(code, "settle-objection", "report revise", report.revision) for code in review.reviewing)
        return
    for code in review.states:
        if code not in report.agreed:
            yield Turn(code, "agree-report", "report agree", report.revision)


def _summary(review: Review) -> Iterator[Turn]:
    summary = review.summary
    if not summary.revision or summary.objections:
        yield from (Turn(code, "draft-summary", "summary revise", summary.revision) for code in review.reviewing)
        return
    for code in review.states:
        if code not in summary.agreed:
            yield Turn(code, "agree-summary", "summary agree", summary.revision)


def _requests(review: Review) -> Iterator[Turn]:
    for event, request in sorted(review.requests.items(), key=lambda item: item[1].number):
        if request.status is RequestStatus.OPEN:
            yield Turn(review.under_review, "answer", "answer", event, f"Q{request.number}")
        elif request.status is RequestStatus.ANSWERED:
            yield Turn(request.state, "follow-up-or-close", "close", event, f"Q{request.number}")


def _translations(review: Review) -> Iterator[Turn]:
    for entry in outstanding(review):
        if entry.assignment is None:
            yield Turn(SECRETARIAT, "assign-translation", "translate assign", entry.source, entry.lang)
        elif stale(review, entry.assignment):
            yield Turn(SECRETARIAT, "renew-assignment", "translate assign", entry.source, entry.lang)
        else:
            yield Turn("translator", "translate", "translate submit", entry.assignment.assignment, entry.lang)


def _breaches(review: Review) -> Iterator[Turn]:
    """A breach that was reported waits for the oversight group until it is closed (G 5)."""
    for event, breach in sorted(review.breaches.items(), key=lambda item: item[1].number):
        name = f"B{breach.number}"
        if breach.status is BreachStatus.OPEN:
            yield Turn(OVERSIGHT, "consider-breach", "breach consider", event, name)
        elif breach.status is not BreachStatus.CLOSED:
            yield Turn(OVERSIGHT, "conclude-breach", "breach close", event, name)


class Outstanding(NamedTuple):
    """A part of a document that is not translated into one of the review's languages."""

    source: bytes
    object: int
    lang: str
    assignment: Translation | None


def outstanding(review: Review) -> tuple[Outstanding, ...]:
    """What is still to be translated: the newest versions only (G 14, 15, 21)."""
    found: list[tuple[int, Outstanding]] = []
    for source, lang in review.sources.items():
        targets = [target for target in review.languages if target != lang]
        if targets and not review.superseded(source):
            known = review.known[source]
            found.extend((known.seq, part) for part in _missing(review, source, known.objects, targets))
    return tuple(part for _, part in sorted(found, key=_place))


def _missing(review: Review, source: bytes, objects: int, targets: Sequence[str]) -> Iterator[Outstanding]:
    for lang in targets:
        for number in range(objects):
            # Most papers of a young review have no translation at all.
            assignment = review.translated.get(translation_key(source, number, lang)) if review.translated else None
            entry = review.translations[assignment] if assignment else None
            if entry is None or not entry.event:
                yield Outstanding(source, number, lang, entry)


def _place(found: tuple[int, Outstanding]) -> tuple[int, str, int]:
    return found[0], found[1].lang, found[1].object


def stale(review: Review, entry: Translation) -> bool:
    """Whether an assignment can no longer be fulfilled (keys changed) or its source was revised."""
    circle = review.circles[entry.circle]
    keys_changed = not entry.event and (circle.epoch != entry.epoch or circle.waiting)
    return keys_changed or review.superseded(entry.source)
