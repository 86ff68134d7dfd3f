"""The rules of the mechanism that a row of the table cannot say, and the rules about keys (1, 2, 14, 16-18)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from events.envelope import ZERO
from events.errors import (
    AlreadyDone,
    EventsError,
    Malformed,
    NotAMember,
    OtherRevision,
    StaleKey,
    TooMany,
    WrongCircle,
    WrongGrants,
    WrongParty,
    WrongPhase,
    WrongReference,
    WrongRole,
)
from events.kinds.dialogue import Closing, Reply
from events.kinds.keys import GrantedClear
from events.kinds.members import MemberAdmitted, MemberNominated
from events.kinds.opening import ReviewScheduled, TimetableExtended
from events.kinds.people import PersonRegistered, Profile
from events.kinds.report import Agreement, Comment
from events.kinds.response import Draft, Response
from events.review import RequestStatus
from events.rule import Phase, Role
from events.stream import DIRECTORY, PARTIES, REVIEWERS, delegation
from tests.support.tree import TestLog
from tests.support.world import Said, World, digest


@pytest.fixture
def world() -> World:
    return World().open_review()


@pytest.fixture
def dialogue() -> World:
    return World().to_dialogue()


def refused(world: World, said: Said, why: type[EventsError]) -> None:
    before = (world.register, world.review)
    with pytest.raises(why):
        world.judge(said)
    assert (world.register, world.review) == before


# -- the register


def test_the_twenty_first_expert_is_refused_and_room_is_made_by_leaving(world: World) -> None:
    for number in range(19):
        world.enrol(f"e{number}", Role.EXPERT, "VDA", "vda")
    one_more = world.actor("e20", Role.EXPERT, "VDA")
    refused(world, world.enrolment(one_more, "vda"), TooMany)
    world.share_directory()
    gone = world.actors["e0"]
    keep = [d for d in world.register.circles[DIRECTORY].devices if d != gone.device]
    entries, carried = world.rotated(world.register, {DIRECTORY: keep})
    from events.kinds.people import PersonLeft

    world.do(Said("vda", "person.left", PersonLeft.Clear(gone.person, entries, digest(carried)), carried=carried))
    world.do(world.enrolment(one_more, "vda"))


def test_each_state_has_one_focal_point(world: World) -> None:
    refused(world, world.enrolment(world.actor("second", Role.FOCAL_POINT, "VDA"), "officer"), AlreadyDone)


def test_experts_are_their_own_states_to_register(world: World) -> None:
    refused(world, world.enrolment(world.actor("e", Role.EXPERT, "VDA"), "nrl"), WrongRole)
    refused(world, world.enrolment(world.actor("f", Role.EXPERT, "VDA"), "officer"), WrongRole)


@pytest.mark.parametrize(
    ("role", "state"), [(Role.EXPERT, ""), (Role.FOCAL_POINT, "XXX"), (Role.TRANSLATOR, "VDA"), (Role.OVERSIGHT, "VDA")]
)
def test_roles_and_states_belong_together(world: World, role: Role, state: str) -> None:
    refused(world, world.enrolment(world.actor("x", role, state), "officer"), WrongReference)


def test_a_device_is_registered_once(world: World) -> None:
    again = replace(world.actors["translator"], person=secrets.token_bytes(16))
    refused(world, world.enrolment(again, "officer"), AlreadyDone)


def test_a_card_is_its_owners(world: World) -> None:
    """Rule 4: nobody is registered with a key they do not hold."""
    actor, other = world.actor("x", Role.TRANSLATOR), world.actors["oversight"]
    mixed = msgspec.structs.replace(actor.card, sealing=other.card.sealing)
    clear = PersonRegistered.Clear(actor.person, actor.role, "", mixed, b"")
    refused(world, Said("officer", "person.registered", clear, Profile(name="x")), Malformed)


# -- opening


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"reviewing": ("NRL", "NRL")}, WrongParty),
        ({"reviewing": ("NRL", "VDA")}, WrongParty),
        ({"reviewing": ("NRL", "XXX")}, WrongReference),
        ({"instruments": ("firearms",)}, WrongParty),
        ({"register": 10_000}, WrongReference),
        ({"drawn": "2026-02-30"}, WrongReference),
        ({"begins": "2026-13-01"}, Malformed),
        ({"begins": "٢٠٢٦-٠١-٠١"}, Malformed),
    ],
)
def test_a_review_is_of_three_states_party_to_what_is_reviewed(changes: dict[str, Any], why: type[EventsError]) -> None:
    world = World()
    refused(world, world.opening(**changes), why)


def test_no_response_before_languages_and_schedule_are_set() -> None:
    world = World()
    world.do(world.opening())
    circles = {name: [world.actors["officer"].device] for name in (PARTIES, REVIEWERS)}
    world.do(world.rotation("officer", "keys.rotated", circles))
    world.join("vda", "vda")
    refused(world, Said("vda", "response.submitted", sealed=Response(title="R")), WrongPhase)


def test_days_and_steps_are_real(world: World) -> None:
    refused(world, Said("officer", "review.scheduled", ReviewScheduled.Clear("2026-02-30", ("en",))), WrongReference)
    refused(
        world, Said("officer", "review.scheduled", ReviewScheduled.Clear("2026-02-15", ("en", "en"))), WrongReference
    )
    why = TimetableExtended.Sealed("why")
    for clear in (TimetableExtended.Clear("lunch", "2026-05-01"), TimetableExtended.Clear("response", "2026-06-31")):
        refused(world, Said("officer", "timetable.extended", clear, why), WrongReference)


# -- who joins (rules 1, 2, 18)


def test_nobody_admits_themselves(world: World) -> None:
    world.enrol("late", Role.EXPERT, "VDA", "vda")
    world.do(world.nomination("vda", "late"))
    refused(world, world.admission("vda", "late", ()), WrongRole)
    refused(world, world.admission("late", "late", ()), NotAMember)


def test_an_officer_is_admitted_by_somebody_else(world: World) -> None:
    world.do(world.nomination("officer", "officer2"))
    refused(world, world.admission("officer", "officer2", (PARTIES, REVIEWERS)), WrongRole)
    world.do(world.admission("nrl", "officer2", (PARTIES, REVIEWERS)))


def test_nobody_is_admitted_without_a_nomination(world: World) -> None:
    world.enrol("late", Role.EXPERT, "VDA", "vda")
    device = world.actors["late"].device
    clear = MemberAdmitted.Clear(device, (), ZERO)
    about = (world.last["member.nominated"].id,)
    refused(world, Said("officer", "member.admitted", clear, about=about), NotAMember)


@pytest.mark.parametrize("who", ["oversight", "archivist", "translator"])
@pytest.mark.parametrize("by", ["officer", "vda", "nrl"])
def test_oversight_never_joins(world: World, who: str, by: str) -> None:
    """Rule 18: whoever audits cannot be let in to read, by anybody."""
    refused(world, world.nomination(by, who), WrongRole)


@pytest.mark.parametrize("by", ["oth", "nrl", "officer"])
def test_only_their_own_state_nominates(world: World, by: str) -> None:
    refused(world, world.nomination(by, "oth-x"), WrongParty)
    world.enrol("late", Role.EXPERT, "VDA", "vda")
    refused(world, world.nomination(by, "late"), WrongParty)


def test_an_expert_nominates_nobody(world: World) -> None:
    world.enrol("late", Role.EXPERT, "VDA", "vda")
    refused(world, world.nomination("vda-x", "late"), WrongRole)


@pytest.mark.parametrize("who", ["oversight", "oth", "translator", "oth-x", "archivist"])
def test_no_grant_reaches_anyone_but_members(world: World, who: str) -> None:
    """Rules 1 and 18: by no event can a key of a review be granted to an outsider."""
    device = world.actors[who].device
    nomination = world.nomination("vda", "vda")
    world.enrol("late", Role.EXPERT, "VDA", "vda")
    late = world.actors["late"].device
    entries, carried = world.granted(world.review, {delegation("VDA"): sorted([late, device])})
    clear = MemberNominated.Clear(world.register.seq, late, entries, digest(carried))
    refused(world, replace(nomination, clear=clear, carried=carried), WrongGrants)
    for author, circle in (("officer", PARTIES), ("officer", REVIEWERS), ("vda", delegation("VDA"))):
        entries, carried = world.granted(world.review, {circle: [device]})
        refused(
            world, Said(author, "keys.granted", GrantedClear(entries, digest(carried)), carried=carried), WrongGrants
        )
        everyone = [*world.review.circles[circle].devices, device]
        refused(world, world.rotation(author, "keys.rotated", {circle: everyone}), WrongGrants)


def test_a_reviewers_key_is_not_granted_to_the_state_under_review(world: World) -> None:
    device = world.actors["vda"].device
    entries, carried = world.granted(world.review, {REVIEWERS: [device]})
    refused(
        world, Said("officer", "keys.granted", GrantedClear(entries, digest(carried)), carried=carried), WrongGrants
    )
    world.enrol("late", Role.EXPERT, "VDA", "vda")
    world.do(world.nomination("vda", "late"))
    refused(world, world.admission("officer", "late", (PARTIES, REVIEWERS)), WrongGrants)
    refused(world, world.admission("officer", "late", ()), WrongGrants)


# -- who leaves (rule 17)


def test_removal_changes_every_key_in_the_same_event(world: World) -> None:
    before = {name: circle.epoch for name, circle in world.review.circles.items()}
    world.do(world.removal("nrl", "nrl-x"))
    device = world.actors["nrl-x"].device
    for name in (PARTIES, REVIEWERS, delegation("NRL")):
        circle = world.review.circles[name]
        assert circle.epoch == before[name] + 1
        assert device not in circle.devices
        assert device not in circle.readers(circle.epoch)
        assert device in circle.readers(before[name])


def test_removal_without_new_keys_is_refused(world: World) -> None:
    whole = world.removal("nrl", "nrl-x")
    for missing in range(3):
        rotations = tuple(r for i, r in enumerate(whole.clear.rotations) if i != missing)
        clear = msgspec.structs.replace(whole.clear, rotations=rotations)
        refused(world, replace(whole, clear=clear), EventsError)


def test_the_removed_may_not_be_among_those_who_receive(world: World) -> None:
    whole = world.removal("nrl", "nrl-x")
    first = whole.clear.rotations[0]
    devices = tuple(sorted({*first.devices, world.actors["nrl-x"].device}))
    forged = (msgspec.structs.replace(first, devices=devices), *whole.clear.rotations[1:])
    refused(world, replace(whole, clear=msgspec.structs.replace(whole.clear, rotations=forged)), WrongGrants)


def test_a_member_may_not_be_left_out_of_a_rotation(world: World) -> None:
    devices = sorted(set(world.review.circles[PARTIES].devices) - {world.actors["vda"].device})
    refused(world, world.rotation("officer", "keys.rotated", {PARTIES: devices}), WrongGrants)


def test_after_removal_the_old_epoch_is_refused(dialogue: World) -> None:
    old = dialogue.question("tsr-x")
    epoch = dialogue.review.circles[PARTIES].epoch
    dialogue.do(dialogue.removal("nrl", "nrl-x"))
    refused(dialogue, replace(old, force={"epoch": epoch}), StaleKey)
    refused(dialogue, dialogue.question("nrl-x"), NotAMember)
    dialogue.do(dialogue.question("tsr-x"))


def test_a_circle_the_remover_cannot_change_waits(world: World) -> None:
    """An officer removes a State's expert: the State's own circle is closed until the State changes its keys."""
    name = delegation("NRL")
    world.do(world.removal("officer", "nrl-x"))
    assert world.review.circles[name].waiting
    draft = Said("nrl", "draft.shared", sealed=Draft("t", "x"))
    refused(world, draft, StaleKey)
    world.do(world.rotation("nrl", "keys.rotated", {name: list(world.review.circles[name].devices)}))
    world.do(draft)


@pytest.mark.parametrize(("by", "who"), [("vda", "nrl-x"), ("nrl", "officer"), ("nrl-x", "nrl"), ("nrl", "nrl")])
def test_a_state_removes_its_own_only(world: World, by: str, who: str) -> None:
    with pytest.raises(EventsError):
        world.judge(world.removal(by, who))


def test_epochs_follow_one_another(world: World) -> None:
    said = world.rotation("officer", "keys.rotated", {PARTIES: list(world.review.circles[PARTIES].devices)})
    entry = said.clear.rotations[0]
    for change, why in (
        ({"epoch": entry.epoch + 1}, StaleKey),
        ({"epoch": entry.epoch - 1}, StaleKey),
        ({"commitment": world.review.circles[PARTIES].epochs[0].commitment}, WrongGrants),
        ({"link": b"x" * 20}, WrongGrants),
        ({"devices": tuple(reversed(entry.devices))}, WrongGrants),
    ):
        clear = msgspec.structs.replace(said.clear, rotations=(msgspec.structs.replace(entry, **change),))
        refused(world, replace(said, clear=clear), why)
    twice = msgspec.structs.replace(said.clear, rotations=(entry, entry))
    refused(world, replace(said, clear=twice), WrongGrants)


def test_history_may_be_scoped_by_leaving_out_the_link(world: World) -> None:
    said = world.rotation("officer", "keys.rotated", {PARTIES: list(world.review.circles[PARTIES].devices)})
    entry = msgspec.structs.replace(said.clear.rotations[0], link=b"")
    world.do(replace(said, clear=msgspec.structs.replace(said.clear, rotations=(entry,))))
    world.enrol("late", Role.EXPERT, "VDA", "vda")
    world.do(world.nomination("vda", "late"))
    world.do(world.admission("officer", "late", (PARTIES,)))
    circle, late = world.review.circles[PARTIES], world.actors["late"].device
    assert late in circle.readers(2)
    assert late not in circle.readers(1)


# -- the dialogue


def test_a_request_is_answered_once(dialogue: World) -> None:
    asked = dialogue.do(dialogue.question())
    answer = Said("vda", "request.answered", sealed=Reply("because"), about=(asked.id,))
    dialogue.do(answer)
    refused(dialogue, answer, AlreadyDone)
    dialogue.do(Said("nrl-x", "request.followed-up", sealed=Reply("and?"), about=(asked.id,)))
    assert dialogue.review.requests[asked.id].status is RequestStatus.OPEN
    dialogue.do(answer)
    assert dialogue.review.requests[asked.id].answers == 2
    dialogue.do(Said("tsr-x", "request.closed", sealed=Closing(), about=(asked.id,)))
    for said, why in (
        (answer, AlreadyDone),
        (Said("nrl-x", "request.closed", sealed=Closing(), about=(asked.id,)), AlreadyDone),
        (Said("nrl-x", "request.followed-up", sealed=Reply("?"), about=(asked.id,)), WrongReference),
    ):
        refused(dialogue, said, why)
    assert (dialogue.review.waiting_answer, dialogue.review.waiting_reviewers) == (0, 0)


def test_requests_are_numbered_in_order(dialogue: World) -> None:
    asked = [dialogue.do(dialogue.question(who)) for who in ("nrl-x", "tsr", "nrl-x")]
    assert [dialogue.review.requests[event.id].number for event in asked] == [1, 2, 3]


def test_the_dialogue_needs_an_outcome() -> None:
    world = World().open_review()
    world.respond()
    refused(world, Said("officer", "dialogue.opened"), WrongPhase)


# -- the report


def test_agreement_is_to_the_newest_revision_and_its_digest(dialogue: World) -> None:
    first = dialogue.do(dialogue.revision())
    early = dialogue.agreement("vda")
    dialogue.do(dialogue.revision("tsr"))
    refused(dialogue, early, OtherRevision)
    now = dialogue.agreement("vda")
    refused(dialogue, replace(now, clear=Agreement(first.header.objects[0].digest)), OtherRevision)
    refused(dialogue, replace(now, about=(first.id,)), OtherRevision)
    dialogue.do(now)
    refused(dialogue, now, AlreadyDone)


def test_a_revision_follows_the_newest_one(dialogue: World) -> None:
    first = dialogue.do(dialogue.revision())
    dialogue.do(dialogue.revision())
    document = dialogue.review.report.object
    refused(dialogue, replace(dialogue.revision(), about=(first.id,), revises=document), OtherRevision)
    refused(dialogue, replace(dialogue.revision(), about=(), revises=document), OtherRevision)
    refused(dialogue, replace(dialogue.revision(), revises=b""), OtherRevision)


def test_a_new_revision_voids_what_was_agreed(dialogue: World) -> None:
    dialogue.do(dialogue.revision())
    dialogue.do(dialogue.agreement("vda"))
    dialogue.do(dialogue.agreement("nrl"))
    dialogue.do(dialogue.revision())
    assert not dialogue.review.report.agreed
    dialogue.agree_all()
    assert dialogue.review.report.final
    assert dialogue.review.phase is Phase.SUMMARY


def test_an_objection_blocks_agreement_until_a_revision_settles_it(dialogue: World) -> None:
    dialogue.do(dialogue.revision())
    dialogue.do(dialogue.agreement("vda"))
    objection = Said("vda", "report.objected", sealed=Comment("no"), about=(dialogue.review.report.revision,))
    dialogue.do(objection)
    assert not dialogue.review.report.agreed
    refused(dialogue, objection, AlreadyDone)
    refused(dialogue, dialogue.agreement("nrl"), OtherRevision)
    dialogue.do(dialogue.revision())
    dialogue.agree_all()


def test_a_final_report_is_final(dialogue: World) -> None:
    dialogue.do(dialogue.revision())
    dialogue.agree_all()
    refused(dialogue, dialogue.revision(), WrongPhase)
    refused(
        dialogue,
        Said("vda", "report.objected", sealed=Comment("no"), about=(dialogue.review.report.revision,)),
        WrongPhase,
    )


def test_the_summary_concludes_the_review(dialogue: World) -> None:
    dialogue.do(dialogue.revision())
    dialogue.agree_all()
    from events.kinds.report import Revision

    dialogue.do(Said("nrl-x", "summary.revised", sealed=Revision("S", "1.")))
    dialogue.agree_all("summary.agreed")
    assert dialogue.review.phase is Phase.CONCLUDED
    dialogue.do(Said("vda", "information.provided", sealed=Response(title="later")))


# -- objects (rules 14, 16)


def test_an_object_is_used_once(dialogue: World) -> None:
    asked = dialogue.do(dialogue.question())
    ref = asked.header.objects[0]
    fresh = dialogue.question()
    refused(dialogue, replace(fresh, force={"objects": (ref,)}), AlreadyDone)
    refused(dialogue, replace(fresh, force={"objects": (msgspec.structs.replace(ref, version=2),)}), AlreadyDone)
    new = msgspec.structs.replace(ref, id=secrets.token_bytes(16))
    refused(dialogue, replace(fresh, force={"objects": (new, new)}), AlreadyDone)
    refused(dialogue, replace(fresh, force={"objects": (msgspec.structs.replace(new, version=2),)}), OtherRevision)
    refused(dialogue, replace(fresh, force={"objects": (msgspec.structs.replace(new, size=10**6),)}), Malformed)


def test_versions_are_of_ones_own_document(dialogue: World) -> None:
    first = dialogue.last["desk-review.submitted"]
    from events.kinds.desk_review import Outcome

    document = first.header.objects[0].id
    other = Said("nrl-x", "desk-review.submitted", sealed=Outcome("5", "t", "x"), about=(first.id,), revises=document)
    assert first.header.author == dialogue.actors["tsr-x"].device
    refused(dialogue, other, WrongParty)
    dialogue.do(replace(other, author="tsr"))


def test_content_is_for_the_circle_of_its_kind(dialogue: World) -> None:
    for circle in ("reviewers", "delegation:NRL", "", "directory"):
        refused(dialogue, replace(dialogue.question(), force={"circle": circle}), WrongCircle)


def test_a_kind_without_files_takes_none(dialogue: World) -> None:
    asked = dialogue.do(dialogue.question())
    said = Said("nrl-x", "request.closed", sealed=Closing(), about=(asked.id,), files=(b"file",))
    refused(dialogue, said, Malformed)


def test_an_event_is_about_events_of_its_own_review(dialogue: World) -> None:
    other = World().to_dialogue()
    asked = other.do(other.question())
    refused(dialogue, Said("vda", "request.answered", sealed=Reply("x"), about=(asked.id,)), WrongReference)
    mine = dialogue.do(dialogue.question())
    refused(dialogue, Said("vda", "request.answered", sealed=Reply("x"), about=(mine.id, mine.id)), WrongReference)
    refused(dialogue, Said("vda", "request.answered", sealed=Reply("x")), WrongReference)


# -- translation


@pytest.fixture
def assigned(world: World) -> tuple[World, Any, list[Any]]:
    source = world.respond()
    said, slots = world.assignment("officer", source)
    return world, world.do(said), slots


def test_a_translation_goes_into_its_slots_once(assigned: tuple[World, Any, list[Any]]) -> None:
    world, event, slots = assigned
    good = world.translation(event, slots)
    slot, key = slots[0]
    stray = [(msgspec.structs.replace(slot, id=secrets.token_bytes(16)), key)]
    refused(world, world.translation(event, stray), WrongReference)
    refused(world, replace(good, force={"lang": "es"}), WrongReference)
    refused(world, replace(good, author="officer"), EventsError)
    world.do(good)
    refused(world, good, EventsError)


def test_only_the_translator_assigned_submits(assigned: tuple[World, Any, list[Any]]) -> None:
    world, event, slots = assigned
    world.enrol("translator2", Role.TRANSLATOR, "", "officer")
    refused(world, replace(world.translation(event, slots), author="translator2"), NotAMember)


def test_a_replaced_assignment_is_over(assigned: tuple[World, Any, list[Any]]) -> None:
    world, event, slots = assigned
    device = list(world.review.circles[PARTIES].devices)
    world.do(world.rotation("officer", "keys.rotated", {PARTIES: device}))
    refused(world, world.translation(event, slots), StaleKey)
    renewed, new_slots = world.assignment("officer", world.last["response.submitted"])
    second = world.do(renewed)
    refused(world, world.translation(event, slots), WrongReference)
    world.do(world.translation(second, new_slots))


def test_what_is_revised_is_not_assigned_any_more(assigned: tuple[World, Any, list[Any]]) -> None:
    world, _, _ = assigned
    first = world.last["response.submitted"]
    world.respond()
    said, _ = world.assignment("officer", first, lang="es")
    refused(world, said, WrongReference)


def test_slots_cannot_be_claimed_by_others(assigned: tuple[World, Any, list[Any]]) -> None:
    """Rule 14: a member who knows a slot's id cannot put something else there."""
    world, _, slots = assigned
    said = Said("vda", "information.provided", sealed=Response(title="x"), revises=slots[0][0].id)
    refused(world, said, EventsError)


@pytest.mark.parametrize("who", ["oversight", "vda-x", "officer2"])
def test_documents_are_disclosed_to_translators_only(world: World, who: str) -> None:
    source = world.respond()
    said, _ = world.assignment("officer", source, to=who)
    refused(world, said, WrongRole)


def test_what_nobody_translates_is_not_assigned(world: World) -> None:
    draft = world.do(Said("vda-x", "draft.shared", sealed=Draft("d", "t")))
    said, _ = world.assignment("officer", draft)
    refused(world, said, WrongReference)


# -- the log


def test_the_newest_announcement_counts() -> None:
    world = World(experts=False)
    assert world.register.log == ""
    for policy in (TestLog([]).policy(0), TestLog([]).policy(1, "NRL"), TestLog([]).policy(2, "NRL", "TSR")):
        world.do(world.announcement(policy))
        assert world.register.log == policy


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "quorum none\n",
        "trust me\n",
        TestLog([]).policy(0).replace("+A", "+a"),
        f"log {TestLog([], 'a').vkey}\nlog {TestLog([], 'b').vkey}\nquorum none\n",
        TestLog([]).policy(0) + "#" * 16_384,
        TestLog([]).policy(0) + "#" + "é" * 8_190,
    ],
)
def test_an_announcement_is_a_policy_of_one_log(policy: str) -> None:
    world = World(experts=False)
    with pytest.raises(Malformed):
        world.judge(world.announcement(policy))
