"""Who may disclose what to whom, and whom letters about breaches are for; every refusal, each beside what is allowed."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from events.errors import AlreadyDone, EventsError, NotAMember, WrongGrants, WrongParty, WrongReference, WrongRole
from events.kinds.breach import Finding, Suspicion
from events.kinds.desk_review import Message
from events.kinds.response import Draft
from events.review import BreachStatus
from events.rule import Role
from tests.support.world import Said, World

FOLLOWING = ("breach.considered", "breach.referred", "breach.closed")


@pytest.fixture
def world() -> World:
    return World().to_dialogue()


def refused(world: World, said: Said, why: type[EventsError], expected: str = "") -> None:
    before = world.review
    with pytest.raises(why) as caught:
        world.judge(said)
    assert expected in str(caught.value)
    assert world.review == before


# -- what, and by whom


def test_any_holder_of_the_key_discloses_to_the_oversight_group(world: World) -> None:
    response = world.last["response.submitted"]
    for author in ("vda", "nrl", "tsr", "officer"):
        world.do(world.disclosure(author, response, "oversight"))
    reader = world.actors["oversight"].device
    assert len(world.review.shown_by(reader, response.id, 0)) == 4
    assert world.review.shown_by(reader, response.id, 1) == ()


def test_who_holds_no_key_discloses_nothing(world: World) -> None:
    note = world.do(Said("nrl-x", "reviewers.noted", sealed=Message("t", "x")))
    draft = world.do(Said("nrl-x", "draft.shared", sealed=Draft("d", "t")))
    refused(world, world.disclosure("vda", note, "oversight"), NotAMember, "holds the key of circle reviewers")
    refused(world, world.disclosure("tsr", draft, "oversight"), NotAMember, "delegation:NRL")
    world.do(world.disclosure("tsr", note, "oversight"))
    world.do(world.disclosure("nrl", draft, "oversight"))


@pytest.mark.parametrize("author", ["vda-x", "nrl-x", "oth", "translator", "oversight", "officer2", "archivist"])
def test_only_focal_points_and_officers_of_the_review_disclose(world: World, author: str) -> None:
    with pytest.raises(EventsError):
        world.judge(world.disclosure(author, world.last["response.submitted"], "oversight"))


def test_only_sealed_papers_of_this_review_are_disclosed(world: World) -> None:
    report = world.do(world.suspicion("vda"))
    for source in (world.last["dialogue.opened"], report):
        refused(world, world.disclosure("vda", source, "oth"), WrongReference)
    response = world.last["response.submitted"]
    world.judge(world.disclosure("vda", response, "oth", 1))
    refused(world, world.disclosure("vda", response, "oth", 2), WrongReference)
    said = world.disclosure("vda", response, "oth")
    elsewhere = msgspec.structs.replace(said.clear, source=secrets.token_bytes(32))
    refused(world, replace(said, clear=elsewhere), WrongReference)


# -- to whom


def test_whoever_holds_the_key_is_not_shown_it_again(world: World) -> None:
    response = world.last["response.submitted"]
    for member in ("nrl", "tsr-x", "officer"):
        refused(world, world.disclosure("vda", response, member), AlreadyDone, "without the key")
    world.do(world.disclosure("vda", response, "oth"))
    refused(world, world.disclosure("vda", response, "oth"), AlreadyDone, "did not disclose it yet")
    world.do(world.disclosure("vda", response, "oth", 1))


def test_whoever_was_removed_or_left_or_was_never_there_is_shown_nothing(world: World) -> None:
    world.do(world.removal("nrl", "nrl-x"))
    later = world.do(world.question("nrl"))
    refused(world, world.disclosure("nrl", later, "nrl-x"), NotAMember, "not removed")
    said = world.disclosure("vda", world.last["response.submitted"], "oth")
    nobody = msgspec.structs.replace(said.clear, reader=secrets.token_bytes(32))
    refused(world, replace(said, clear=nobody), NotAMember, "active person")


def test_what_reviewers_say_among_themselves_is_for_oversight_only(world: World) -> None:
    note = world.do(Said("nrl-x", "reviewers.noted", sealed=Message("t", "x")))
    for reader in ("oth", "vda", "translator"):
        refused(world, world.disclosure("nrl", note, reader), WrongReference, "oversight group")
        refused(world, world.disclosure("officer", note, reader), WrongReference, "oversight group")


def test_translators_are_shown_papers_by_officers(world: World) -> None:
    response = world.last["response.submitted"]
    refused(world, world.disclosure("vda", response, "translator"), WrongRole, "officer")
    world.do(world.disclosure("officer", response, "translator"))


@pytest.mark.parametrize("reader", ["oth", "oth-x", "archivist", "officer2"])
def test_others_are_shown_a_paper_by_the_state_whose_it_is(world: World, reader: str) -> None:
    response, outcome = world.last["response.submitted"], world.last["desk-review.submitted"]
    refused(world, world.disclosure("officer", response, reader), WrongRole, "focal point")
    refused(world, world.disclosure("nrl", response, reader), WrongParty, "VDA")
    refused(world, world.disclosure("vda", outcome, reader), WrongParty, "TSR")
    world.do(world.disclosure("vda", response, reader))
    world.do(world.disclosure("tsr", outcome, reader))


def test_the_report_is_the_state_under_reviews(world: World) -> None:
    revision = world.do(world.revision())
    refused(world, world.disclosure("nrl", revision, "oth"), WrongParty, "VDA")
    world.do(world.disclosure("vda", revision, "oth"))


def test_a_translation_is_whose_its_source_is(world: World) -> None:
    said, slots = world.assignment("officer", world.last["response.submitted"])
    assigned = world.do(said)
    translation = world.do(world.translation(assigned, slots))
    refused(world, world.disclosure("nrl", translation, "oth"), WrongParty, "VDA")
    world.do(world.disclosure("vda", translation, "oth"))
    reader = world.actors["translator"].device
    refused(world, world.disclosure("officer", world.last["response.submitted"], "translator"), AlreadyDone)
    assert world.review.shown_by(reader, translation.id, 0) == (assigned.id,)


# -- whom letters are for


def second_overseer(world: World) -> None:
    world.enrol("oversight2", Role.OVERSIGHT, "", "officer")


def test_a_report_is_for_the_whole_oversight_group(world: World) -> None:
    second_overseer(world)
    words = Suspicion("t", "x")
    refused(world, world.letter("vda", "breach.reported", words, ["oversight", "vda"]), WrongGrants, "all 2")
    world.do(world.suspicion("vda", copies=("tsr", "officer")))


@pytest.mark.parametrize("extra", ["nrl-x", "oth", "translator", "archivist", "officer2"])
def test_a_report_is_for_nobody_else(world: World, extra: str) -> None:
    said = world.letter("vda", "breach.reported", Suspicion("t", "x"), ["oversight", "vda", extra])
    refused(world, said, WrongGrants, "only recipients")


def test_a_report_is_for_nobody_who_left(world: World) -> None:
    second_overseer(world)
    world.do(world.departure("officer", "oversight2"))
    refused(
        world,
        world.letter("vda", "breach.reported", Suspicion("t", "x"), ["oversight", "vda", "oversight2"]),
        WrongGrants,
    )
    world.do(world.letter("vda", "breach.reported", Suspicion("t", "x"), ["oversight", "vda"]))


def test_recipients_stand_in_order_and_once(world: World) -> None:
    said = world.suspicion("vda", copies=("tsr", "nrl"))
    given = said.clear.recipients
    for wrong in (given[::-1], (*given, given[-1])):
        refused(world, replace(said, clear=msgspec.structs.replace(said.clear, recipients=wrong)), WrongGrants, "order")


def test_without_an_oversight_group_there_is_nobody_to_write_to(world: World) -> None:
    world.do(world.departure("officer", "oversight"))
    refused(world, world.letter("vda", "breach.reported", Suspicion("t", "x"), ["vda"]), NotAMember, "oversight group")


def test_a_report_is_about_papers(world: World) -> None:
    world.do(world.suspicion("vda", about=(world.review.response,)))
    refused(world, world.suspicion("vda", about=(world.last["dialogue.opened"].id,)), WrongReference, "sealed content")


def test_a_letters_id_is_used_once(world: World) -> None:
    first = world.suspicion("vda")
    world.do(first)
    refused(world, first, AlreadyDone, "never used")
    taken = msgspec.structs.replace(
        world.suspicion("vda").clear, letter=world.last["response.submitted"].header.objects[0].id
    )
    refused(world, replace(world.suspicion("vda"), clear=taken), AlreadyDone, "never used")


# -- what follows a report


def test_a_breach_goes_from_open_to_closed(world: World) -> None:
    report = world.do(world.suspicion("nrl")).id
    seen: list[Any] = [world.review.breaches[report].status]
    for kind in ("breach.considered", "breach.referred", "breach.considered", "breach.closed"):
        world.do(world.finding(kind, report))
        seen.append(world.review.breaches[report].status)
    assert seen == [
        BreachStatus.OPEN,
        BreachStatus.CONSIDERED,
        BreachStatus.REFERRED,
        BreachStatus.REFERRED,
        BreachStatus.CLOSED,
    ]
    for kind in FOLLOWING:
        refused(world, world.finding(kind, report), AlreadyDone, "not closed yet")


@pytest.mark.parametrize("kind", FOLLOWING)
def test_what_follows_is_for_the_group_and_the_reporter(world: World, kind: str) -> None:
    second_overseer(world)
    report = world.do(world.suspicion("nrl")).id
    for wrong in (["oversight", "nrl"], ["oversight", "oversight2"], ["oversight", "oversight2", "nrl", "tsr"]):
        refused(world, world.letter("oversight", kind, Finding("x"), wrong, (report,)), WrongGrants)
    for author in ("nrl", "officer", "nrl-x", "oth"):
        with pytest.raises(EventsError):
            world.judge(world.finding(kind, report, by=author))
    world.do(world.finding(kind, report, by="oversight2"))


@pytest.mark.parametrize("kind", FOLLOWING)
def test_what_follows_is_about_a_report(world: World, kind: str) -> None:
    report = world.do(world.suspicion("nrl")).id
    said = world.finding(kind, report)
    for about in ((world.review.response,), (), (report, report)):
        with pytest.raises(EventsError):
            world.judge(replace(said, about=about))


def test_a_reporter_who_left_gets_no_more_letters(world: World) -> None:
    report = world.do(world.suspicion("nrl")).id
    world.do(world.departure("officer", "nrl"))
    refused(world, world.finding("breach.closed", report), WrongGrants)
    world.do(world.letter("oversight", "breach.closed", Finding("x"), ["oversight"], (report,)))


def test_breaches_are_numbered_in_order(world: World) -> None:
    for who in ("vda", "officer", "tsr"):
        world.do(world.suspicion(who))
    assert sorted(breach.number for breach in world.review.breaches.values()) == [1, 2, 3]
