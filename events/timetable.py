"""The timetable: indicative, computed from events alone; it never blocks (ToR 24; G 9, 12-16, 21, 23, 30)."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from events.errors import WrongReference
from events.review import Review

MS_PER_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """One step: when it was due, when it was done, how many days late it is or was."""

    name: str
    para: str
    whose: tuple[str, ...]
    begins: date | None
    due: date | None
    done: date | None
    days_late: int
    extended: bool

    @property
    def open(self) -> bool:
        """Whether its time runs: it has begun and is not done."""
        return self.begins is not None and self.done is None


@dataclass(frozen=True, slots=True)
class _Line:
    para: str
    whose: Callable[[Review], tuple[str, ...]]
    begins: Callable[[Review], date | None]
    months: int
    weeks: int
    done: Callable[[Review], date | None]


def day(time: int) -> date:
    """The day (UTC) of a time in milliseconds."""
    return datetime.fromtimestamp(time / MS_PER_SECOND, UTC).date()


def _mark(name: str) -> Callable[[Review], date | None]:
    return lambda review: day(review.marks[name]) if name in review.marks else None


def _drawn(review: Review) -> date | None:
    return date.fromisoformat(review.drawn)


def _begins(review: Review) -> date | None:
    return date.fromisoformat(review.begins)


def _secretariat(_review: Review) -> tuple[str, ...]:
    return ("",)


def _under_review(review: Review) -> tuple[str, ...]:
    return (review.under_review,)


def _reviewing(review: Review) -> tuple[str, ...]:
    return tuple(code for code in review.reviewing if f"outcome:{code}" not in review.marks) or review.reviewing


def _in_dialogue(review: Review) -> tuple[str, ...]:
    return (review.under_review,) if review.waiting_answer else review.reviewing


def _drafting(review: Review) -> tuple[str, ...]:
    return review.reviewing


def _agreeing(review: Review) -> tuple[str, ...]:
    return tuple(code for code in review.states if code not in review.report.agreed)


def _summarising(review: Review) -> tuple[str, ...]:
    if not review.summary.revision:
        return review.reviewing
    return tuple(code for code in review.states if code not in review.summary.agreed)


def _focal_point(review: Review) -> date | None:
    return _mark(f"focal-point:{review.under_review}")(review)


def _outcomes(review: Review) -> date | None:
    times = [review.marks.get(f"outcome:{code}") for code in review.reviewing]
    return None if None in times else day(max(time for time in times if time is not None))


_LINES = {
    "inform": _Line("G 12", _secretariat, _drawn, 1, 0, _mark("opened")),
    "focal-point": _Line("G 13", _under_review, _mark("opened"), 0, 3, _focal_point),
    "introductory-call": _Line("G 16", _secretariat, _mark("opened"), 1, 0, _mark("call:introductory")),
    "response": _Line("G 15", _under_review, _mark("opened"), 2, 0, _mark("response")),
    "circulation": _Line("G 15", _secretariat, _mark("response"), 1, 0, _mark("circulated")),
    "desk-review": _Line("G 21", _reviewing, _mark("circulated"), 1, 0, _outcomes),
    "dialogue": _Line("G 23", _in_dialogue, _mark("dialogue"), 2, 0, _mark("report")),
    "draft-report": _Line("G 30", _drafting, _begins, 5, 0, _mark("report")),
    "agreement": _Line("ToR 33; G 34", _agreeing, _mark("report"), 0, 0, _mark("agreed")),
    "summary": _Line("G 34", _summarising, _mark("agreed"), 0, 0, _mark("concluded")),
    "whole-review": _Line("ToR 24", lambda review: review.states, _begins, 6, 0, _mark("concluded")),
}
STEPS = tuple(_LINES)
_END_OF_REVIEW = frozenset({"agreement", "summary"})


def timetable(review: Review, now: int) -> tuple[Step, ...]:
    """Every step of the review as of `now` (milliseconds), in the order of the mechanism."""
    return tuple(_step(review, name, line, day(now)) for name, line in _LINES.items())


def late(review: Review, now: int) -> tuple[Step, ...]:
    """The steps that are late now or were done late."""
    return tuple(step for step in timetable(review, now) if step.days_late > 0)


def _step(review: Review, name: str, line: _Line, today: date) -> Step:
    begins, done = line.begins(review), line.done(review)
    extension = review.extensions.get(name)
    due = date.fromisoformat(extension.until) if extension else _due(review, name, line, begins)
    overdue = max(0, ((done or today) - due).days) if due else 0
    return Step(name, line.para, line.whose(review), begins, due, done, overdue, extension is not None)


def _due(review: Review, name: str, line: _Line, begins: date | None) -> date | None:
    if begins is None:
        return None
    if name in _END_OF_REVIEW:
        return add_months(date.fromisoformat(review.begins), 6)
    return add_months(begins, line.months) + timedelta(weeks=line.weeks)


def check_day(text: str) -> None:
    """Raise WrongReference unless the day exists in the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        raise WrongReference("a day of the calendar", text) from None


def add_months(start: date, months: int) -> date:
    """The same day some months later, or the last day of a shorter month."""
    index = start.month - 1 + months
    year, month = start.year + index // 12, index % 12 + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
