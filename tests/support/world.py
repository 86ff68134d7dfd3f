"""A whole review in memory: people, keys, a register, a review; every kind composed, sealed, signed and admitted.

It composes on its own, not through the client, so that the two can be held against each other.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from events import canonical
from events.body import check_body
from events.card import Card
from events.envelope import ZERO, Event, Header, ObjectRef, SignedEvent, object_context, scope
from events.kinds.breach import Finding, LetterClear, Suspicion, overseers
from events.kinds.desk_review import Division, Message, Outcome, Topic
from events.kinds.dialogue import Closing, Question, Reply
from events.kinds.disclosure import ObjectDisclosed
from events.kinds.keys import GrantedClear, RotatedClear
from events.kinds.log import LogAnnounced
from events.kinds.members import MemberAdmitted, MemberNominated, MemberRemoved
from events.kinds.opening import AssistanceRequested, CallHeld, ReviewOpened, ReviewScheduled, TimetableExtended
from events.kinds.people import (
    PersonGranted,
    PersonLeft,
    PersonRegistered,
    Profile,
    RegisterFounded,
    StateRegistered,
)
from events.kinds.release import ReleaseAnnounced
from events.kinds.report import Agreement, Comment, Revision
from events.kinds.response import Draft, OrganizationPaper, Paper, Response
from events.kinds.translation import Translated, TranslationAssigned
from events.register import Register, RegisterHistory
from events.review import Review, Slot
from events.rotation import Granted, Rotated
from events.rule import CircleRule, FileInfo, Nothing, Role, rule_of
from events.stream import DIRECTORY, PARTIES, REVIEWERS, delegation
from events.workflow import admit
from keys import grants
from keys.epoch import EpochKey
from keys.identity import Identity
from keys.labels import Label, frame
from keys.sealing import ObjectKey, SlotKey, new_salt
from tests.support.tree import TestLog

START = 1_770_000_000_000
CIRCLES = {CircleRule.PARTIES: PARTIES, CircleRule.REVIEWERS: REVIEWERS, CircleRule.DIRECTORY: DIRECTORY}


@dataclass(frozen=True)
class Actor:
    """A person of the world."""

    name: str
    role: Role
    state: str
    identity: Identity
    person: bytes

    @property
    def device(self) -> bytes:
        return self.identity.fingerprint

    @property
    def card(self) -> Card:
        keys = self.identity.recipient
        return Card(keys.signing, keys.sealing, self.identity.sign(Label.CARD, keys.signing + keys.sealing))


@dataclass
class Said:
    """What an actor means to say; every field of the header can be forced."""

    author: str
    kind: str
    clear: Any = field(default_factory=Nothing)
    sealed: Any = None
    about: tuple[bytes, ...] = ()
    carried: bytes = b""
    files: tuple[bytes, ...] = ()
    revises: bytes = b""
    circle: str | None = None
    slots: tuple[tuple[Any, SlotKey], ...] = ()
    force: dict[str, Any] = field(default_factory=dict)


class World:
    """Everything, with the register founded and the people in it."""

    def __init__(self, experts: bool = True, time: int = START, step: int = 60_000) -> None:
        self.time = time
        self.step = step
        self.actors: dict[str, Actor] = {}
        self.history = RegisterHistory()
        self.register: Register | None = None
        self.review: Review | None = None
        self.keys: dict[tuple[bytes, str], list[EpochKey]] = {}
        self.records: dict[bytes, list[tuple[bytes, bytes | None]]] = {}
        self.blobs: dict[bytes, bytes] = {}
        self.last: dict[str, Event] = {}
        self._found()
        if experts:
            self._people()

    # -- composing

    def actor(self, name: str, role: Role, state: str = "") -> Actor:
        self.actors[name] = Actor(name, role, state, Identity.generate(), secrets.token_bytes(16))
        return self.actors[name]

    def state_for(self, kind: str) -> Register | Review | None:
        rule = rule_of(kind)
        if rule.genesis:
            return None
        return self.register if rule.stream == "register" else self.review

    def compose(self, draft: Said) -> tuple[SignedEvent, bytes | None]:
        """Seal and sign, whether it is allowed or not."""
        author, rule, state = self.actors[draft.author], rule_of(draft.kind), self.state_for(draft.kind)
        circle = draft.circle
        if circle is None:
            circle = delegation(author.state) if rule.circle is CircleRule.DELEGATION else CIRCLES.get(rule.circle, "")
        epoch = draft.force.get("epoch", state.circles[circle].epoch if state and circle in state.circles else 0)
        objects, body = self._objects(state, draft, circle, epoch)
        fields = {
            "stream": state.id if state else b"",
            "seq": state.seq + 1 if state else 0,
            "prev": state.head if state else ZERO,
            "author": author.device,
            "kind": draft.kind,
            "time": max(self.time, state.time if state else 0),
            "circle": circle if draft.sealed is not None else "",
            "epoch": epoch if draft.sealed is not None else 0,
            "about": draft.about,
            "lang": "en" if draft.sealed is not None else "",
            "objects": objects,
            "clear": msgspec.to_builtins(draft.clear, builtin_types=(bytes,)),
            "seen": None,
        }
        header = Header(**{**fields, **draft.force})
        return SignedEvent.assemble(header, author.identity.sign(Label.EVENT, header.encode())), body

    def judge(self, draft: Said) -> tuple[SignedEvent, bytes | None, Register | Review]:
        """Compose, verify and admit; the world does not change."""
        signed, body = self.compose(draft)
        event = signed.verify(self.actors[draft.author].identity.recipient)
        new = admit(self.state_for(draft.kind), event, self.history)
        check_body(event.header, body)
        return signed, body, new

    def do(self, draft: Said) -> Event:
        """Compose, verify, admit, keep."""
        self.time += self.step
        signed, body, new = self.judge(draft)
        self.records.setdefault(new.id, []).append((signed.envelope, body))
        if isinstance(new, Register):
            self.register = new
            self.history.add(new)
        else:
            self.review = new
        event = signed.verify(self.actors[draft.author].identity.recipient)
        self.last[draft.kind] = event
        return event

    def _objects(self, state: Any, draft: Said, circle: str, epoch: int) -> tuple[tuple[ObjectRef, ...], bytes | None]:
        if draft.sealed is None:
            return (), draft.carried or None
        plain = canonical.encode(msgspec.to_builtins(draft.sealed, builtin_types=(bytes,)))
        refs, bodies = [], []
        for number, data in enumerate((plain, *draft.files)):
            ref, sealed = self._object(state, draft, circle, epoch, number, data)
            refs.append(ref)
            bodies.append(sealed)
            if number:
                self.blobs[ref.digest] = sealed
        return tuple(refs), bodies[0]

    def _object(
        self, state: Any, draft: Said, circle: str, epoch: int, number: int, data: bytes
    ) -> tuple[ObjectRef, bytes]:
        salt = new_salt()
        if draft.slots:
            slot, slot_key = draft.slots[number]
            object_id, version, key = slot.id, 1, slot_key.object(salt)
        else:
            object_id = draft.revises if draft.revises and not number else secrets.token_bytes(16)
            version = state.documents[object_id].version + 1 if object_id in state.documents else 1
            epochs = self.keys.get((state.id, circle)) or [EpochKey.generate(scope(state.id, circle), 1)]
            epoch_key = next((k for k in epochs if k.epoch == epoch), epochs[-1])
            key = ObjectKey.derive(epoch_key, object_context(object_id, version), salt)
        sealed = key.seal(data)
        return ObjectRef(object_id, version, salt, hashlib.sha256(sealed).digest(), len(sealed), key.commitment), sealed

    # -- keys

    def rotated(self, state: Any, circles: dict[str, list[bytes]]) -> tuple[tuple[Rotated, ...], bytes]:
        """New epochs; the keys are kept as if they were used."""
        entries, sealed = [], []
        for name in sorted(circles):
            earlier = self.keys.setdefault((state.id, name), [])
            number = state.circles[name].epoch + 1 if name in state.circles else 1
            key = EpochKey.generate(scope(state.id, name), number)
            link = key.link(earlier[number - 2]) if number > 1 else b""
            del earlier[number - 1 :]
            earlier.append(key)
            devices = sorted(circles[name])
            entries.append(Rotated(name, number, key.commitment, link, tuple(devices)))
            sealed += [grants.grant(key, self.by_device(device).identity.recipient) for device in devices]
        return tuple(entries), b"".join(sealed)

    def granted(self, state: Any, circles: dict[str, list[bytes]]) -> tuple[tuple[Granted, ...], bytes]:
        entries, sealed = [], []
        for name in sorted(circles):
            key = self.keys[state.id, name][-1]
            devices = sorted(circles[name])
            entries.append(Granted(name, key.epoch, tuple(devices)))
            sealed += [grants.grant(key, self.by_device(device).identity.recipient) for device in devices]
        return tuple(entries), b"".join(sealed)

    def by_device(self, device: bytes) -> Actor:
        return next(actor for actor in self.actors.values() if actor.device == device)

    # -- the register

    def _found(self) -> None:
        officer = self.actor("officer", Role.OFFICER)
        clear = RegisterFounded.Clear("Test", True, officer.person, officer.card)
        self.do(Said("officer", "register.founded", clear))
        self.do(self.rotation("officer", "directory.rotated", {DIRECTORY: [officer.device]}))
        for code in ("VDA", "NRL", "TSR", "OTH"):
            self.do(Said("officer", "state.registered", self.state_clear(code)))

    def _people(self) -> None:
        for name, role, state, by in (
            ("vda", Role.FOCAL_POINT, "VDA", "officer"),
            ("nrl", Role.FOCAL_POINT, "NRL", "officer"),
            ("tsr", Role.FOCAL_POINT, "TSR", "officer"),
            ("oth", Role.FOCAL_POINT, "OTH", "officer"),
            ("officer2", Role.OFFICER, "", "officer"),
            ("translator", Role.TRANSLATOR, "", "officer"),
            ("oversight", Role.OVERSIGHT, "", "officer"),
            ("archivist", Role.ARCHIVIST, "", "officer"),
        ):
            self.enrol(name, role, state, by)
        self.share_directory()
        for name, state, by in (
            ("vda-x", "VDA", "vda"),
            ("nrl-x", "NRL", "nrl"),
            ("tsr-x", "TSR", "tsr"),
            ("oth-x", "OTH", "oth"),
        ):
            self.enrol(name, Role.EXPERT, state, by)
        self.share_directory()

    def enrol(self, name: str, role: Role, state: str, by: str) -> Event:
        return self.do(self.enrolment(self.actor(name, role, state), by))

    def enrolment(self, actor: Actor, by: str) -> Said:
        clear = PersonRegistered.Clear(actor.person, actor.role, actor.state, actor.card, b"")
        return Said(by, "person.registered", clear, Profile(name=actor.name))

    def share_directory(self) -> None:
        self.do(self.directory_grants())

    def directory_grants(self) -> Said:
        held = self.register.circles[DIRECTORY].devices
        lacking = [p.device for p in self.register.people.values() if p.active and p.device not in held]
        entries, carried = self.granted(self.register, {DIRECTORY: lacking})
        return Said("officer", "person.granted", PersonGranted.Clear(entries, digest(carried)), carried=carried)

    def announcement(self, policy: str, by: str = "officer") -> Said:
        return Said(by, "log.announced", LogAnnounced.Clear(policy))

    @staticmethod
    def state_clear(code: str) -> StateRegistered.Clear:
        return StateRegistered.Clear(code, f"State {code}", "african", "civil", {"convention": "party"}, ("en",))

    def departure(self, by: str, who: str) -> Said:
        gone = self.actors[who]
        keep = [d for d in self.register.circles[DIRECTORY].devices if d != gone.device]
        entries, carried = self.rotated(self.register, {DIRECTORY: keep})
        return Said(by, "person.left", PersonLeft.Clear(gone.person, entries, digest(carried)), carried=carried)

    # -- drafts of a review

    def rotation(self, author: str, kind: str, circles: dict[str, list[bytes]]) -> Said:
        state = self.register if kind == "directory.rotated" else self.review
        entries, carried = self.rotated(state, circles)
        return Said(author, kind, RotatedClear(entries, digest(carried)), carried=carried)

    def opening(self, **changes: Any) -> Said:
        clear = ReviewOpened.Clear(
            self.register.seq, "VDA", ("NRL", "TSR"), ("convention",), 2026, "2026-01-15", "2026-02-15"
        )
        return Said("officer", "review.opened", msgspec.structs.replace(clear, **changes))

    def nomination(self, by: str, who: str, grant: bool = False) -> Said:
        actor = self.actors[who]
        entries, carried = self.granted(self.review, {delegation(actor.state): [actor.device]} if grant else {})
        clear = MemberNominated.Clear(self.register.seq, actor.device, entries, digest(carried))
        return Said(by, "member.nominated", clear, carried=carried)

    def admission(self, by: str, who: str, circles: tuple[str, ...]) -> Said:
        device = self.actors[who].device
        entries, carried = self.granted(self.review, {name: [device] for name in circles})
        nomination = self.review.nominations.get(device)
        about = (nomination.event,) if nomination else (self.review.head,)
        return Said(
            by, "member.admitted", MemberAdmitted.Clear(device, entries, digest(carried)), about=about, carried=carried
        )

    def removal(self, by: str, who: str) -> Said:
        device, author = self.actors[who].device, self.actors[by].device
        shared = {
            name: [d for d in circle.devices if d != device]
            for name, circle in self.review.circles.items()
            if {device, author} <= set(circle.devices)
        }
        entries, carried = self.rotated(self.review, shared)
        return Said(by, "member.removed", MemberRemoved.Clear(device, entries, digest(carried)), carried=carried)

    def assignment(
        self, by: str, source: Event, number: int = 0, lang: str = "fr", to: str = "translator"
    ) -> tuple[Said, list[Any]]:
        header, translator = source.header, self.actors[to]
        epochs = self.keys[self.review.id, header.circle]
        key = next(k for k in epochs if k.epoch == header.epoch)
        ref = header.objects[number]
        secret = ObjectKey.derive(key, ref.context(), ref.salt).secret
        slots = []
        for _ in range(2 if number else 1):
            object_id, salt = secrets.token_bytes(16), new_salt()
            slot_key = SlotKey.derive(epochs[-1], object_context(object_id, 1), salt)
            slots.append((Slot(object_id, 1, salt, slot_key.commitment), slot_key))
        plain = canonical.encode(
            {
                "source": secret,
                "slots": [k.secret for _, k in slots],
                "title": "t",
                "name": None,
                "media": None,
                "note": "",
            }
        )
        context = frame(self.review.id, source.id, number.to_bytes(2, "big"), lang.encode(), translator.device)
        carried = translator.identity.recipient.seal(Label.DISCLOSURE, plain, context)
        clear = TranslationAssigned.Clear(
            self.register.seq, source.id, number, lang, translator.device, tuple(s for s, _ in slots), digest(carried)
        )
        return Said(by, "translation.assigned", clear, carried=carried), slots

    def disclosure(self, by: str, source: Event, to: str, number: int = 0) -> Said:
        """What the author cannot open is disclosed all the same, with a key that is none."""
        header, reader = source.header, self.actors[to]
        ref = header.objects[number] if number < len(header.objects) else None
        epochs = self.keys.get((self.review.id, header.circle), ())
        keys = [ObjectKey.derive(key, ref.context(), ref.salt) for key in epochs if ref and key.epoch == header.epoch]
        told = {"source": keys[0].secret if keys else bytes(32), "slots": [], "title": "t", "name": None}
        plain = canonical.encode({**told, "media": None, "note": ""})
        context = frame(self.review.id, source.id, number.to_bytes(2, "big"), b"", reader.device)
        carried = reader.identity.recipient.seal(Label.DISCLOSURE, plain, context)
        clear = ObjectDisclosed.Clear(self.register.seq, source.id, number, reader.device, digest(carried))
        return Said(by, "object.disclosed", clear, carried=carried)

    def letter(self, by: str, kind: str, sealed: Any, to: Iterable[str], about: tuple[bytes, ...] = ()) -> Said:
        letter, author = secrets.token_bytes(16), self.actors[by].device
        context = frame(self.review.id, letter, author)
        key = ObjectKey(context, secrets.token_bytes(32))
        readers = sorted((self.actors[name].identity.recipient for name in to), key=lambda r: r.fingerprint)
        keys = [
            reader.seal(Label.LETTER, key.secret, context + frame(key.commitment, reader.fingerprint))
            for reader in readers
        ]
        words = canonical.encode(msgspec.to_builtins(sealed, builtin_types=(bytes,)))
        carried = canonical.encode([keys, key.seal(words)])
        devices = tuple(reader.fingerprint for reader in readers)
        clear = LetterClear(self.register.seq, letter, devices, key.commitment, digest(carried))
        return Said(by, kind, clear, about=about, carried=carried)

    def suspicion(self, by: str = "vda", copies: Iterable[str] = (), about: tuple[bytes, ...] = ()) -> Said:
        """A report to the whole oversight group, its author and those who get a copy."""
        group = [self.by_device(device).name for device in overseers(self.register)]
        words = Suspicion("A leak", "It was in the newspaper.", "Quotation", "leaked.pdf")
        return self.letter(by, "breach.reported", words, {*group, by, *copies}, about)

    def finding(self, kind: str, report: bytes, by: str = "oversight") -> Said:
        """A letter of the oversight group to itself and the reporter."""
        group = [self.by_device(device).name for device in overseers(self.register)]
        reporter = self.by_device(self.review.breaches[report].by).name
        return self.letter(by, kind, Finding("Seen."), {*group, reporter}, (report,))

    def translation(self, assigned: Event, slots: list[Any], files: tuple[bytes, ...] = ()) -> Said:
        entry = self.review.translations[assigned.id]
        body = (
            Translated(fields={"text": "traduit"})
            if not files
            else Translated(file=FileInfo("f", "t", "text/plain", 1))
        )
        return Said(
            "translator",
            "translation.submitted",
            sealed=body,
            about=(assigned.id,),
            circle=entry.circle,
            files=files,
            slots=tuple(slots),
            force={"lang": entry.lang},
        )

    # -- a review up to a step

    def open_review(self, **changes: Any) -> World:
        """Opened, everyone admitted, delegations begun, scheduled."""
        self.do(self.opening(**changes))
        self.do(
            self.rotation(
                "officer",
                "keys.rotated",
                {PARTIES: [self.actors["officer"].device], REVIEWERS: [self.actors["officer"].device]},
            )
        )
        for name in ("vda", "nrl", "tsr"):
            self.join(name, name)
        for name in ("vda", "nrl", "tsr"):
            actor = self.actors[name]
            self.do(self.rotation(name, "keys.rotated", {delegation(actor.state): [actor.device]}))
            self.join(f"{name}-x", name, grant=True)
        self.do(Said("officer", "review.scheduled", ReviewScheduled.Clear("2026-02-15", ("en", "fr"))))
        return self

    def join(self, who: str, by: str, grant: bool = False) -> None:
        self.do(self.nomination(by, who, grant))
        circles = (PARTIES,) if self.actors[who].state == "VDA" else (PARTIES, REVIEWERS)
        self.do(self.admission("officer", who, circles))

    def respond(self) -> Event:
        revises, about = b"", ()
        if self.review.response:
            revises = self.last["response.submitted"].header.objects[0].id
            about = (self.review.response,)
        info = FileInfo("a.txt", "A", "text/plain", 3)
        body = Response(title="Response", text="words", files=(info,))
        return self.do(Said("vda", "response.submitted", sealed=body, files=(b"abc",), revises=revises, about=about))

    def respond_without_files(self) -> Event:
        return self.do(Said("vda", "response.submitted", sealed=Response(title="Response", text="words")))

    def to_dialogue(self) -> World:
        if self.review is None:
            self.open_review()
        self.respond()
        for name in ("nrl-x", "tsr-x"):
            self.do(Said(name, "desk-review.submitted", sealed=Outcome("5", "Outcome", "words")))
        self.do(Said("officer", "dialogue.opened"))
        return self

    def question(self, author: str = "nrl-x") -> Said:
        return Said(author, "request.made", rule_of("request.made").clear("clarification"), Question("5", "Why?"))

    def revision(self, author: str = "nrl-x") -> Said:
        about = (self.review.report.revision,) if self.review.report.revision else ()
        return Said(
            author,
            "report.revised",
            sealed=Revision("Report", "1. Text"),
            about=about,
            revises=self.review.report.object,
        )

    def agreement(self, author: str, kind: str = "report.agreed") -> Said:
        part = self.review.report if kind == "report.agreed" else self.review.summary
        return Said(author, kind, Agreement(part.digest or ZERO), about=(part.revision or self.review.head,))

    def agree_all(self, kind: str = "report.agreed") -> None:
        for name in ("vda", "nrl", "tsr"):
            self.do(self.agreement(name, kind))


def digest(carried: bytes) -> bytes:
    return hashlib.sha256(carried).digest() if carried else ZERO


def every_kind() -> list[tuple[str, Any]]:
    """One lawful draft of every kind, in an order in which each is lawful: (kind, function of the world)."""
    return [
        ("person.profiled", lambda w: Said("vda", "person.profiled", sealed=Profile(name="V"))),
        ("log.announced", lambda w: w.announcement(TestLog([]).policy(2, "NRL", "TSR", "oversight"))),
        (
            "release.announced",
            lambda w: Said("officer", "release.announced", ReleaseAnnounced.Clear("web", "1.0", digest(b"release"))),
        ),
        ("review.opened", lambda w: w.opening()),
        (
            "keys.rotated",
            lambda w: w.rotation(
                "officer",
                "keys.rotated",
                {PARTIES: [w.actors["officer"].device], REVIEWERS: [w.actors["officer"].device]},
            ),
        ),
        ("member.nominated", lambda w: w.nomination("vda", "vda")),
        ("member.admitted", lambda w: w.admission("officer", "vda", (PARTIES,))),
        ("-", lambda w: [w.join(n, n) for n in ("nrl", "tsr")]),
        (
            "-",
            lambda w: [
                w.do(w.rotation(n, "keys.rotated", {delegation(w.actors[n].state): [w.actors[n].device]}))
                for n in ("vda", "nrl", "tsr")
            ],
        ),
        ("-", lambda w: [w.join("vda-x", "vda", False), w.join("nrl-x", "nrl", True), w.join("tsr-x", "tsr", True)]),
        ("keys.granted", _granted),
        (
            "review.scheduled",
            lambda w: Said("officer", "review.scheduled", ReviewScheduled.Clear("2026-02-15", ("en", "fr"))),
        ),
        (
            "timetable.extended",
            lambda w: Said(
                "officer",
                "timetable.extended",
                TimetableExtended.Clear("response", "2026-05-01"),
                TimetableExtended.Sealed("why"),
            ),
        ),
        ("call.held", lambda w: Said("officer", "call.held", CallHeld.Clear("introductory"), CallHeld.Sealed("said"))),
        (
            "assistance.requested",
            lambda w: Said("vda-x", "assistance.requested", sealed=AssistanceRequested.Sealed("help")),
        ),
        ("draft.shared", lambda w: Said("vda-x", "draft.shared", sealed=Draft("d", "t"))),
        ("response.submitted", lambda w: Said("vda", "response.submitted", sealed=Response(title="R"), files=(b"x",))),
        ("translation.assigned", _assigned),
        ("translation.submitted", lambda w: w.translation(w.last["translation.assigned"], w.slots)),
        ("object.disclosed", lambda w: w.disclosure("officer", w.last["response.submitted"], "oversight")),
        (
            "breach.reported",
            lambda w: w.letter("vda", "breach.reported", Suspicion("t", "x"), ["oversight"], (w.review.response,)),
        ),
        ("breach.considered", lambda w: w.finding("breach.considered", w.last["breach.reported"].id)),
        ("breach.referred", lambda w: w.finding("breach.referred", w.last["breach.reported"].id)),
        ("breach.closed", lambda w: w.finding("breach.closed", w.last["breach.reported"].id)),
        ("response.circulated", lambda w: Said("officer", "response.circulated", about=(w.review.response,))),
        ("desk-review.divided", lambda w: Said("nrl-x", "desk-review.divided", sealed=Division((Topic("5", "x"),)))),
        ("desk-review.submitted", lambda w: Said("nrl-x", "desk-review.submitted", sealed=Outcome("5", "t", "x"))),
        (
            "information.from-organization",
            lambda w: Said("tsr", "information.from-organization", sealed=OrganizationPaper("Org", "t")),
        ),
        ("dialogue.opened", lambda w: Said("officer", "dialogue.opened")),
        ("request.made", lambda w: w.question()),
        (
            "request.answered",
            lambda w: Said("vda", "request.answered", sealed=Reply("because"), about=(w.last["request.made"].id,)),
        ),
        (
            "request.followed-up",
            lambda w: Said("nrl-x", "request.followed-up", sealed=Reply("and?"), about=(w.last["request.made"].id,)),
        ),
        (
            "request.closed",
            lambda w: Said("nrl-x", "request.closed", sealed=Closing(), about=(w.last["request.made"].id,)),
        ),
        ("information.provided", lambda w: Said("vda", "information.provided", sealed=Paper(title="I"))),
        ("reviewers.noted", lambda w: Said("nrl-x", "reviewers.noted", sealed=Message("m", "t"))),
        ("report.revised", lambda w: w.revision()),
        (
            "report.commented",
            lambda w: Said("vda", "report.commented", sealed=Comment("c"), about=(w.review.report.revision,)),
        ),
        (
            "report.objected",
            lambda w: Said("vda", "report.objected", sealed=Comment("o"), about=(w.review.report.revision,)),
        ),
        (
            "report.discussed",
            lambda w: Said("nrl-x", "report.discussed", sealed=Comment("d"), about=(w.last["report.objected"].id,)),
        ),
        ("-", lambda w: w.do(w.revision())),
        ("report.agreed", lambda w: w.agreement("vda")),
        ("-", lambda w: [w.do(w.agreement(n)) for n in ("nrl", "tsr")]),
        ("summary.revised", lambda w: Said("nrl-x", "summary.revised", sealed=Revision("S", "1."))),
        (
            "summary.objected",
            lambda w: Said("vda", "summary.objected", sealed=Comment("o"), about=(w.review.summary.revision,)),
        ),
        (
            "-",
            lambda w: w.do(
                Said(
                    "nrl-x",
                    "summary.revised",
                    sealed=Revision("S", "2."),
                    about=(w.review.summary.revision,),
                    revises=w.review.summary.object,
                )
            ),
        ),
        ("summary.agreed", lambda w: w.agreement("vda", "summary.agreed")),
        ("member.removed", lambda w: w.removal("nrl", "nrl-x")),
        ("person.left", _left),
    ]


def _granted(w: World) -> Said:
    entries, carried = w.granted(w.review, {delegation("VDA"): [w.actors["vda-x"].device]})
    return Said("vda", "keys.granted", GrantedClear(entries, digest(carried)), carried=carried)


def _assigned(w: World) -> Said:
    draft, w.slots = w.assignment("officer", w.last["response.submitted"])  # type: ignore[attr-defined]
    return draft


def _left(w: World) -> Said:
    return w.departure("nrl", "nrl-x")


__all__ = ["Actor", "Said", "World", "digest", "every_kind", "replace"]
