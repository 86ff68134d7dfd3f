"""The clock of a review: what was due when, what is late, whose turn it is (ToR 24; G 9, 12-16, 21, 23, 30)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.kinds.dialogue import Reply
from events.kinds.opening import TimetableExtended
from events.kinds.report import Comment
from events.stream import delegation
from events.timetable import STEPS, Step, add_months, late, timetable
from events.turns import outstanding, turns
from tests.support.world import Said, World


def ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def step(world: World, name: str, now: str = "2026-03-01") -> Step:
    return next(s for s in timetable(world.review, ms(now)) if s.name == name)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-02-15", 6, "2026-08-15"),
    ],
)
def test_months_end_where_calendars_say(start: str, months: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(end)


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(0, 24))
def test_months_never_run_over(start: date, months: int) -> None:
    end = add_months(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day <= start.day


def test_every_step_has_its_paragraph_and_owner() -> None:
    world = World().open_review()
    steps = timetable(world.review, ms("2026-03-01"))
    assert tuple(s.name for s in steps) == STEPS
    assert all(s.para for s in steps)


def test_the_response_is_due_two_months_after_the_opening() -> None:
    world = World().open_review()
    opened = step(world, "response").begins
    assert opened is not None
    due = add_months(opened, 2)
    on_time = step(world, "response", due.isoformat())
    assert (on_time.due, on_time.days_late, on_time.open) == (due, 0, True)
    after = step(world, "response", "2026-07-01")
    assert after.days_late == (date(2026, 7, 1) - due).days


def test_an_extension_moves_the_day_and_blocks_nothing() -> None:
    world = World().open_review()
    world.do(
        Said(
            "officer",
            "timetable.extended",
            TimetableExtended.Clear("response", "2026-06-30"),
            TimetableExtended.Sealed("why"),
        )
    )
    extended = step(world, "response", "2026-07-02")
    assert (extended.due, extended.extended, extended.days_late) == (date(2026, 6, 30), True, 2)
    world.time = ms("2026-07-10")
    world.respond()
    done = step(world, "response", "2026-12-01")
    assert (done.done, done.days_late, done.open) == (date(2026, 7, 10), 10, False)
    assert "response" in [s.name for s in late(world.review, ms("2026-12-01"))]


def whose(world: World, verb: str) -> set[str]:
    return {turn.whose for turn in turns(world.review) if turn.verb == verb}


def test_whose_turn_it_is_follows_the_dialogue() -> None:
    world = World().to_dialogue()
    assert whose(world, "report revise") == {"NRL", "TSR"}
    asked = world.do(world.question())
    assert whose(world, "answer") == {"VDA"}
    assert not whose(world, "report revise")
    world.do(Said("vda", "request.answered", sealed=Reply("because"), about=(asked.id,)))
    assert whose(world, "close") == {"NRL"}
    assert not whose(world, "answer")


def test_whose_turn_it_is_follows_the_report() -> None:
    world = World().to_dialogue()
    world.do(world.revision())
    assert whose(world, "report agree") == {"VDA", "NRL", "TSR"}
    world.do(world.agreement("nrl"))
    assert whose(world, "report agree") == {"VDA", "TSR"}
    world.do(Said("vda", "report.objected", sealed=Comment("no"), about=(world.review.report.revision,)))
    assert not whose(world, "report agree")
    assert whose(world, "report revise") == {"NRL", "TSR"}


def test_keys_that_wait_are_somebodys_turn() -> None:
    world = World().open_review()
    world.do(world.removal("officer", "nrl-x"))
    assert [(t.whose, t.detail) for t in turns(world.review) if t.verb == "members rotate"] == [
        ("NRL", delegation("NRL"))
    ]


def test_translation_is_outstanding_until_it_is_there_and_again_after_a_new_version() -> None:
    world = World().open_review()
    source = world.respond()
    assert {(o.source, o.object, o.lang) for o in outstanding(world.review)} == {
        (source.id, 0, "fr"),
        (source.id, 1, "fr"),
    }
    assert whose(world, "translate assign") == {""}
    said, slots = world.assignment("officer", source)
    assigned = world.do(said)
    assert "translator" in whose(world, "translate submit")
    world.do(world.translation(assigned, slots))
    assert {(o.source, o.object) for o in outstanding(world.review)} == {(source.id, 1)}
    newer = world.respond()
    assert {o.source for o in outstanding(world.review)} == {newer.id}
