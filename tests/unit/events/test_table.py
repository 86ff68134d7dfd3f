"""Every kind of the table: lawful once in its place, refused for everybody and everything else."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from events.errors import (
    BadTime,
    Conflict,
    EventsError,
    NotAMember,
    Refused,
    StaleKey,
    WrongCircle,
    WrongReference,
    WrongStream,
)
from events.rule import KINDS
from tests.support.world import Said, World, every_kind

# Who of the world's people may do it at that point; written down by hand, not derived from the rules.
ALLOWED = {
    "person.profiled": {
        "vda",
        "nrl",
        "tsr",
        "oth",
        "officer",
        "officer2",
        "translator",
        "oversight",
        "archivist",
        "vda-x",
        "nrl-x",
        "tsr-x",
        "oth-x",
    },
    "log.announced": {"officer", "officer2"},
    "release.announced": {"officer", "officer2"},
    "review.opened": {"officer", "officer2"},
    "keys.rotated": {"officer"},
    "member.nominated": {"vda"},
    "member.admitted": {"officer"},
    "keys.granted": {"vda"},
    "review.scheduled": {"officer"},
    "timetable.extended": {"officer"},
    "call.held": {"officer"},
    "assistance.requested": {"vda", "vda-x", "nrl", "nrl-x", "tsr", "tsr-x"},
    "draft.shared": {"vda", "vda-x", "nrl", "nrl-x", "tsr", "tsr-x"},
    "response.submitted": {"vda"},
    "translation.assigned": {"officer"},
    "translation.submitted": {"translator"},
    "object.disclosed": {"vda", "nrl", "tsr", "officer"},
    "breach.reported": {"vda", "nrl", "tsr", "officer"},
    "breach.considered": {"oversight"},
    "breach.referred": {"oversight"},
    "breach.closed": {"oversight"},
    "response.circulated": {"officer"},
    "desk-review.divided": {"nrl", "nrl-x", "tsr", "tsr-x"},
    "desk-review.submitted": {"nrl", "nrl-x", "tsr", "tsr-x"},
    "information.from-organization": {"nrl", "nrl-x", "tsr", "tsr-x", "officer"},
    "dialogue.opened": {"officer"},
    "request.made": {"nrl", "nrl-x", "tsr", "tsr-x"},
    "request.answered": {"vda"},
    "request.followed-up": {"nrl", "nrl-x", "tsr", "tsr-x"},
    "request.closed": {"nrl", "nrl-x", "tsr", "tsr-x"},
    "information.provided": {"vda"},
    "reviewers.noted": {"nrl", "nrl-x", "tsr", "tsr-x", "officer"},
    "report.revised": {"nrl", "nrl-x", "tsr", "tsr-x", "officer"},
    "report.commented": {"vda", "nrl", "tsr"},
    "report.objected": {"vda", "nrl", "tsr"},
    "report.discussed": {"vda", "vda-x", "nrl", "nrl-x", "tsr", "tsr-x", "officer"},
    "report.agreed": {"vda", "nrl", "tsr"},
    "summary.revised": {"nrl", "nrl-x", "tsr", "tsr-x", "officer"},
    "summary.objected": {"vda", "nrl", "tsr"},
    "summary.agreed": {"vda", "nrl", "tsr"},
    "member.removed": {"nrl", "officer", "tsr", "vda"},
    "person.left": {"nrl", "officer", "officer2"},
}
# The author is part of what they carry: others would have to compose them anew, which their own tests do.
BOUND_TO_AUTHOR = {"member.removed", "translation.submitted"}
STEPS = every_kind()


def reach(kind: str) -> tuple[World, Said]:
    """A world just before the first lawful event of a kind, and the draft of it."""
    world = World()
    for name, make in STEPS:
        made = make(world)
        if name == kind:
            return world, made
        if isinstance(made, Said):
            world.do(made)
    raise AssertionError(kind)


def test_the_list_names_every_kind() -> None:
    early = {"register.founded", "directory.rotated", "state.registered", "person.registered", "person.granted"}
    assert {name for name, _ in STEPS if name != "-"} | early == set(KINDS)
    assert set(ALLOWED) | early == set(KINDS)


def test_every_kind_is_lawful_in_its_place() -> None:
    world = World()
    for _, make in STEPS:
        made = make(world)
        if isinstance(made, Said):
            world.do(made)
    assert world.review is not None
    assert world.review.report.final


@pytest.mark.parametrize("kind", sorted(ALLOWED))
def test_only_those_whom_the_table_allows(kind: str) -> None:
    world, draft = reach(kind)
    for name in world.actors:
        other = replace(draft, author=name)
        if name in ALLOWED[kind]:
            if name == draft.author or kind not in BOUND_TO_AUTHOR:
                world.judge(other)
        else:
            with pytest.raises(EventsError):
                world.judge(other)


@pytest.mark.parametrize("kind", sorted(ALLOWED))
def test_a_changed_header_is_refused(kind: str) -> None:
    world, draft = reach(kind)
    state, rule = world.state_for(kind), KINDS[kind]
    wrong: list[tuple[dict[str, object], type[EventsError]]] = []
    if state is not None:
        wrong += [
            ({"stream": secrets.token_bytes(32)}, WrongStream),
            ({"seq": state.seq}, Conflict),
            ({"seq": state.seq + 2}, Conflict),
            ({"prev": secrets.token_bytes(32)}, Conflict),
            ({"time": state.time - 1}, BadTime),
            ({"about": (secrets.token_bytes(32),)}, NotAMember if kind == "translation.submitted" else WrongReference),
        ]
    if rule.has_objects:
        circle = "reviewers" if rule.circle != "reviewers" else "parties"
        wrong += [
            ({"circle": circle}, WrongCircle),
            ({"epoch": 0}, StaleKey),
            ({"epoch": 99}, StaleKey),
            ({"objects": ()}, EventsError),
        ]
    else:
        wrong += [({"circle": "parties"}, EventsError), ({"lang": "en"}, EventsError)]
    for force, error in wrong:
        with pytest.raises(error):
            world.judge(replace(draft, force={**draft.force, **force}))


@pytest.mark.parametrize("kind", sorted(ALLOWED))
def test_clear_fields_are_exact(kind: str) -> None:
    world, draft = reach(kind)
    signed, _ = world.compose(draft)
    clear = dict(signed.claimed_genesis[1])
    for changed in (
        {**clear, "extra": 1},
        {k: v for k, v in clear.items() if k != next(iter(clear), "")} if clear else {"x": 1},
    ):
        with pytest.raises(EventsError):
            world.judge(replace(draft, force={**draft.force, "clear": changed}))


@pytest.mark.parametrize("kind", sorted(k for k in ALLOWED if len(KINDS[k].during) < 6))
def test_not_before_its_step(kind: str) -> None:
    world, draft = reach(kind)
    fresh = World().open_review()
    fresh.actors, fresh.history, fresh.register = world.actors, world.history, world.register
    assert fresh.review is not None
    with pytest.raises(Refused):
        fresh.judge(replace(draft, about=()))


def test_the_same_event_is_not_admitted_twice() -> None:
    from events.workflow import admit

    world, draft = reach("request.made")
    event = world.do(draft)
    with pytest.raises(Conflict):
        admit(world.review, event, world.history)
