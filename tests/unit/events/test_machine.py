"""A review driven at random: what the server would hold and what a client replays are the same, and nothing else gets in."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from events.card import card_of
from events.envelope import SignedEvent
from events.errors import EventsError
from events.kinds.desk_review import Message
from events.kinds.dialogue import Closing, Reply
from events.kinds.report import Comment
from events.kinds.response import Draft, Paper
from events.register import Register, RegisterHistory
from events.review import RequestStatus, Review
from events.rule import KINDS, Party, Phase, Role
from events.stream import delegation
from events.timetable import timetable
from events.turns import outstanding, turns
from events.workflow import admit_register, admit_review
from exchange.client import snapshot
from keys.errors import KeysError
from keys.recipient import Recipient
from tests.support.world import Said, World

WHO = ("officer", "vda", "nrl", "tsr", "vda-x", "nrl-x", "tsr-x")
EVERYBODY = (*WHO, "oth", "oth-x", "oversight", "translator", "archivist", "officer2")
POSITIONS = {"VDA": Party.UNDER_REVIEW, "NRL": Party.REVIEWING, "TSR": Party.REVIEWING, "": Party.SECRETARIAT}


class ReviewMachine(RuleBasedStateMachine):
    """Members do at random what comes to their mind; the world admits it or refuses it."""

    @initialize()
    def open(self) -> None:
        self.world = World().open_review()
        self.world.respond()
        self.world.step = 1
        self.admitted: list[tuple[str, Phase, str]] = []

    @property
    def review(self) -> Review:
        return self.world.review

    def attempt(self, said: Said) -> None:
        """What is refused changes nothing; what is admitted must be in the table for its author, side and step."""
        before = self.world.review
        author, phase = self.world.actors[said.author], before.phase
        try:
            self.world.do(said)
        except (EventsError, KeyError):
            assert self.world.review is before
            return
        row = KINDS[said.kind]
        assert author.role in row.by
        assert POSITIONS.get(author.state) in row.of or author.role in (Role.TRANSLATOR, Role.OVERSIGHT)
        assert phase in row.during
        assert self.world.review.seq == before.seq + 1

    @rule(who=st.sampled_from(EVERYBODY))
    def ask(self, who: str) -> None:
        self.attempt(self.world.question(who))

    @rule(
        who=st.sampled_from(EVERYBODY),
        kind=st.sampled_from(["request.answered", "request.followed-up", "request.closed"]),
        data=st.data(),
    )
    def reply(self, who: str, kind: str, data: st.DataObject) -> None:
        asked = sorted(self.review.requests)
        about = data.draw(st.sampled_from(asked)) if asked else self.review.head
        body: Any = Closing() if kind == "request.closed" else Reply("words")
        self.attempt(Said(who, kind, sealed=body, about=(about,)))

    @rule(who=st.sampled_from(EVERYBODY))
    def open_dialogue(self, who: str) -> None:
        self.attempt(Said(who, "dialogue.opened"))

    @rule(who=st.sampled_from(EVERYBODY))
    def submit_outcome(self, who: str) -> None:
        from events.kinds.desk_review import Outcome

        self.attempt(Said(who, "desk-review.submitted", sealed=Outcome("5", "t", "x")))

    @rule(who=st.sampled_from(EVERYBODY))
    def revise(self, who: str) -> None:
        self.attempt(self.world.revision(who))

    @rule(who=st.sampled_from(EVERYBODY), kind=st.sampled_from(["report.agreed", "summary.agreed"]))
    def agree(self, who: str, kind: str) -> None:
        self.attempt(self.world.agreement(who, kind))

    @rule(who=st.sampled_from(EVERYBODY), kind=st.sampled_from(["report.commented", "report.objected"]))
    def comment(self, who: str, kind: str) -> None:
        about = self.review.report.revision or self.review.head
        self.attempt(Said(who, kind, sealed=Comment("words"), about=(about,)))

    @rule(who=st.sampled_from(EVERYBODY))
    def provide(self, who: str) -> None:
        self.attempt(Said(who, "information.provided", sealed=Paper(title="t")))

    @rule(who=st.sampled_from(EVERYBODY))
    def confer(self, who: str) -> None:
        self.attempt(Said(who, "reviewers.noted", sealed=Message("t", "x")))

    @rule(who=st.sampled_from(EVERYBODY))
    def draft(self, who: str) -> None:
        self.attempt(Said(who, "draft.shared", sealed=Draft("t", "x")))

    @rule(who=st.sampled_from(EVERYBODY), gone=st.sampled_from(EVERYBODY))
    def remove(self, who: str, gone: str) -> None:
        keys = {place: list(epochs) for place, epochs in self.world.keys.items()}
        before = self.review
        self.attempt(self.world.removal(who, gone))
        if self.review is before:
            self.world.keys = keys

    @rule(who=st.sampled_from(WHO))
    def rotate(self, who: str) -> None:
        device = self.world.actors[who].device
        mine = {name: list(c.devices) for name, c in self.review.circles.items() if device in c.devices}
        keys = {place: list(epochs) for place, epochs in self.world.keys.items()}
        before = self.review
        if mine:
            self.attempt(self.world.rotation(who, "keys.rotated", mine))
        if self.review is before:
            self.world.keys = keys

    @rule(by=st.sampled_from(WHO), who=st.sampled_from(EVERYBODY))
    def nominate(self, by: str, who: str) -> None:
        self.attempt(self.world.nomination(by, who))

    @precondition(lambda self: self.review.nominations)
    @rule(by=st.sampled_from(WHO), data=st.data())
    def admit(self, by: str, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from(sorted(self.review.nominations)))
        nominee = self.world.by_device(device)
        circles = ("parties",) if nominee.state == "VDA" else ("parties", "reviewers")
        self.attempt(self.world.admission(by, nominee.name, circles))

    @rule(data=st.data())
    def translate(self, data: st.DataObject) -> None:
        source = self.world.last["response.submitted"]
        if any(self.review.circles[source.header.circle].epoch == t.epoch for t in self.review.translations.values()):
            return
        said, slots = self.world.assignment("officer", source)
        before = self.review
        self.attempt(said)
        if self.review is not before:
            event = self.world.last["translation.assigned"]
            if data.draw(st.booleans()):
                self.attempt(self.world.translation(event, slots))

    @rule(who=st.sampled_from(EVERYBODY), reader=st.sampled_from(EVERYBODY), data=st.data())
    def disclose(self, who: str, reader: str, data: st.DataObject) -> None:
        source = data.draw(
            st.sampled_from(sorted(kind for kind, event in self.world.last.items() if event.header.objects))
        )
        self.attempt(self.world.disclosure(who, self.world.last[source], reader))

    @rule(who=st.sampled_from(EVERYBODY), copy=st.sampled_from(EVERYBODY))
    def report_breach(self, who: str, copy: str) -> None:
        self.attempt(self.world.suspicion(who, [copy]))

    @precondition(lambda self: self.review.breaches)
    @rule(
        who=st.sampled_from(EVERYBODY),
        kind=st.sampled_from(["breach.considered", "breach.referred", "breach.closed"]),
        data=st.data(),
    )
    def follow_breach(self, who: str, kind: str, data: st.DataObject) -> None:
        report = data.draw(st.sampled_from(sorted(self.review.breaches)))
        self.attempt(self.world.finding(kind, report, who))

    @rule(kind=st.sampled_from(sorted(KINDS)), who=st.sampled_from(EVERYBODY))
    def forge_a_header(self, kind: str, who: str) -> None:
        """Any kind by anybody, with nothing in it: whatever else is wrong, it is refused whole."""
        said = Said(who, kind, force={"clear": {}, "about": (secrets.token_bytes(32),)})
        before = self.review
        with pytest.raises((EventsError, KeysError, AttributeError)):
            self.world.judge(
                replace(said, clear=KINDS[kind].clear() if not KINDS[kind].clear.__struct_fields__ else said.clear)
            )
        assert self.review is before

    # -- what always holds

    @invariant()
    def keys_are_the_members(self) -> None:
        active = {m.device for m in self.review.members.values() if m.active}
        overseers = {
            self.world.actors[name].device for name in ("oversight", "translator", "archivist", "oth", "oth-x")
        }
        under_review = {m.device for m in self.review.members.values() if m.state == "VDA"}
        for name, circle in self.review.circles.items():
            assert set(circle.devices) <= active
            assert not overseers & set(circle.held)
            if name in ("reviewers", delegation("NRL"), delegation("TSR")):
                assert not under_review & set(circle.held)

    @invariant()
    def counters_are_what_they_count(self) -> None:
        standing = [request.status for request in self.review.requests.values()]
        assert self.review.waiting_answer == standing.count(RequestStatus.OPEN)
        assert self.review.waiting_reviewers == standing.count(RequestStatus.ANSWERED)
        assert self.review.asked == len(standing)

    @invariant()
    def what_is_shown_was_disclosed(self) -> None:
        shown = {(device, part) for device, parts in self.review.shown.items() for part in parts}
        made = {(d.reader, f"{d.source.hex()}/{d.object}") for d in self.review.disclosures.values()}
        own = {(t.translator, f"{t.event.hex()}/0") for t in self.review.translations.values() if t.event}
        assert shown == made | own
        numbers = [breach.number for breach in self.review.breaches.values()]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))

    @invariant()
    def whatever_the_state_it_can_be_shown(self) -> None:
        timetable(self.review, self.world.time)
        turns(self.review)
        outstanding(self.review)

    def teardown(self) -> None:
        """A client that fetches what the server stored comes to the same state, through its memory too."""
        if not hasattr(self, "world"):
            return
        register, review = replayed(self.world)
        assert register == self.world.register
        assert review == self.world.review
        assert snapshot.load(snapshot.dump(review), Review) == review


def replayed(world: World) -> tuple[Register, Review]:
    history = RegisterHistory()
    register: Register | None = None
    for envelope, _ in world.records[world.register.id]:
        signed = SignedEvent.parse(envelope)
        person = history.latest.by_device(signed.claimed_author) if len(history) else None
        key = Recipient(person.signing, person.sealing) if person else card_of(signed.claimed_genesis[1]).recipient()
        register = admit_register(register, signed.verify(key), history)
    review: Review | None = None
    for envelope, _ in world.records[world.review.id]:
        signed = SignedEvent.parse(envelope)
        person = history.latest.by_device(signed.claimed_author)
        review = admit_review(review, signed.verify(Recipient(person.signing, person.sealing)), history)
    return register, review


ReviewMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
TestReviewMachine = ReviewMachine.TestCase
