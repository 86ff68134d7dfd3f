"""`admit`: the one judge of events, the same code for server, client and auditor.

1. the kind is known and belongs to this stream        5. the references are there and of the right kind
2. it continues the chain                              6. the content is sealed for the right audience and epoch
3. its author may write here                           7. the kind's own `evolve` accepts it
4. role, party and step of the review allow it         8. the state advances
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

import events.kinds  # noqa: F401  (fills the table)
from events.act import Act, Author
from events.envelope import MAX_SEALED_BODY, ZERO, Event, Header, ObjectRef
from events.errors import (
    AlreadyDone,
    BadTime,
    Conflict,
    Malformed,
    NotAMember,
    OtherRevision,
    StaleKey,
    WrongCircle,
    WrongParty,
    WrongPhase,
    WrongReference,
    WrongRole,
    WrongStream,
)
from events.register import Register, RegisterHistory
from events.review import Review
from events.rule import MEMBER_ROLES, CircleRule, Party, Role, Rule, StreamKind, rule_of
from events.stream import DIRECTORY, PARTIES, REVIEWERS, Document, Known, delegation

S = TypeVar("S", Register, Review)


def admit(state: Register | Review | None, event: Event, history: RegisterHistory) -> Register | Review:
    """Fold a verified event into the state; raises Refused or Malformed and leaves the state as it was.

    `history` is the register as far as it is known; a review's events point into it.
    """
    header = event.header
    rule = rule_of(header.kind)
    _check_chain(state, header, rule)
    clear = rule.read_clear(header.clear)
    author = _author(state, event, rule, clear, history)
    _check_right(state, author, rule)
    if state is not None:
        _check_about(state, header, rule)
        _check_sealing(state, author, header, rule)
    act = Act(event, rule, author, clear, history)
    evolved: Register | Review = rule.body.evolve(state, act)
    return _advance(evolved, act)


def admit_register(state: Register | None, event: Event, history: RegisterHistory) -> Register:
    """`admit` for the register's stream; the new state joins the history."""
    new = admit(state, event, history)
    if not isinstance(new, Register):
        raise WrongStream("an event of the register", event.header.kind)
    history.add(new)
    return new


def admit_review(state: Review | None, event: Event, history: RegisterHistory) -> Review:
    """`admit` for a review's stream."""
    new = admit(state, event, history)
    if not isinstance(new, Review):
        raise WrongStream("an event of a review", event.header.kind)
    return new


def _check_chain(state: Register | Review | None, header: Header, rule: Rule) -> None:
    if state is None or rule.genesis:
        if state is not None or not rule.genesis:
            raise WrongStream("a genesis first and only once", header.kind)
        if header.stream or header.seq or header.prev != ZERO or header.about:
            raise WrongStream("a genesis that names no stream and no event before it", "one that does")
        if header.objects or header.circle or header.epoch or header.lang:
            raise WrongCircle("a genesis without sealed content", "some")
        return
    belongs = StreamKind.REGISTER if isinstance(state, Register) else StreamKind.REVIEW
    if header.stream != state.id:
        raise WrongStream(state.id.hex()[:16], header.stream.hex()[:16])
    if rule.stream is not belongs:
        raise WrongStream(f"a kind of the {belongs}", header.kind)
    if header.seq != state.seq + 1 or header.prev != state.head:
        raise Conflict(
            f"event {state.seq + 1} after {state.head.hex()[:16]}", f"{header.seq} after {header.prev.hex()[:16]}"
        )
    if header.time < state.time:
        raise BadTime(f"a time not before the previous event's, {state.time}", str(header.time))


def _author(
    state: Register | Review | None, event: Event, rule: Rule, clear: msgspec.Struct, history: RegisterHistory
) -> Author:
    """Who the author is, by the register's stream or the review's membership; raises NotAMember."""
    device = event.header.author
    if state is None and rule.stream is StreamKind.REGISTER:
        return _founder(event, clear)
    if isinstance(state, Register):
        return _registered(state, device)
    if state is None:
        return _registered(history.at(clear.register), device)  # type: ignore[attr-defined]
    member = state.members.get(device)
    if member is not None and member.active:
        return Author(member.person, device, member.role, member.state)
    if rule.name == "member.nominated":
        return _registered(history.at(clear.register), device)  # type: ignore[attr-defined]
    if Party.OUTSIDE in rule.of:
        return _outsider(state, event.header, rule, clear, history)
    raise NotAMember("a member of this review", device.hex()[:16])


def _founder(event: Event, clear: msgspec.Struct) -> Author:
    card = clear.card  # type: ignore[attr-defined]
    if card.recipient().fingerprint != event.header.author:
        raise NotAMember("a register founded by the holder of its card", "another author")
    return Author(clear.person, event.header.author, Role.OFFICER, "")  # type: ignore[attr-defined]


def _registered(register: Register, device: bytes) -> Author:
    person = register.active(device)
    return Author(person.id, device, person.role, person.state)


def _outsider(state: Review, header: Header, rule: Rule, clear: msgspec.Struct, history: RegisterHistory) -> Author:
    """Who writes without being a member: a translator by their assignment, the oversight group by the register."""
    if Role.TRANSLATOR in rule.by:
        return _translator(state, header, history)
    return _registered(history.at(clear.register), header.author)  # type: ignore[attr-defined]


def _translator(state: Review, header: Header, history: RegisterHistory) -> Author:
    entry = state.translations.get(header.about[0]) if header.about else None
    person = history.latest.by_device(header.author)
    if entry is None or entry.translator != header.author or person is None:
        raise NotAMember("the translator of this document", header.author.hex()[:16])
    return Author(person.id, header.author, Role.TRANSLATOR, "")


def _check_right(state: Register | Review | None, author: Author, rule: Rule) -> None:
    if author.role not in rule.by:
        raise WrongRole(" or ".join(sorted(rule.by)), author.role)
    if not isinstance(state, Review):
        return
    party = state.party(author.state) if author.role in MEMBER_ROLES else Party.OUTSIDE
    if party not in rule.of:
        raise WrongParty(" or ".join(sorted(rule.of)), party)
    if state.phase not in rule.during:
        raise WrongPhase(" or ".join(sorted(rule.during)), state.phase)


def _check_about(state: Register | Review, header: Header, rule: Rule) -> None:
    about = rule.about
    if not about.least <= len(header.about) <= about.most or len(set(header.about)) != len(header.about):
        raise WrongReference(f"{about.least} to {about.most} different events it is about", str(len(header.about)))
    for target in header.about:
        known = state.known.get(target)
        if known is None:
            raise WrongReference("an event of this stream", target.hex()[:16])
        if about.kinds and known.kind not in about.kinds:
            raise WrongReference(" or ".join(sorted(about.kinds)), known.kind)


def _check_sealing(state: Register | Review, author: Author, header: Header, rule: Rule) -> None:
    if not rule.has_objects:
        if header.objects or header.circle or header.epoch or header.lang:
            raise WrongCircle("no sealed content", "some")
        return
    if not header.objects or (len(header.objects) > 1 and not rule.files):
        raise Malformed(f"expected a sealed body{' and files' if rule.files else ' alone'}, got {len(header.objects)}")
    if header.objects[0].size > MAX_SEALED_BODY:
        raise Malformed(f"expected a body of at most {MAX_SEALED_BODY} bytes, got {header.objects[0].size}")
    _check_circle(state, author, header, rule)
    _check_objects(state, author, header, rule)


def _check_circle(state: Register | Review, author: Author, header: Header, rule: Rule) -> None:
    expected = _expected_circle(state, author, header, rule)
    if header.circle != expected:
        raise WrongCircle(expected, header.circle or "none")
    circle = state.circles.get(expected)
    if circle is None:
        raise WrongCircle(f"a circle {expected} whose keys were begun", "none")
    if author.device not in circle.devices and rule.circle is not CircleRule.SOURCE:
        raise NotAMember(f"an author who holds the key of {expected}", "one who does not")
    if circle.waiting:
        raise StaleKey(f"new keys of {expected} after a member left", f"epoch {header.epoch}")
    if header.epoch != circle.epoch:
        raise StaleKey(f"epoch {circle.epoch} of {expected}", str(header.epoch))


def _expected_circle(state: Register | Review, author: Author, header: Header, rule: Rule) -> str:
    if rule.circle is CircleRule.DELEGATION:
        return delegation(author.state)
    if rule.circle is CircleRule.SOURCE and isinstance(state, Review):
        return state.translations[header.about[0]].circle
    fixed = {CircleRule.PARTIES: PARTIES, CircleRule.REVIEWERS: REVIEWERS, CircleRule.DIRECTORY: DIRECTORY}
    return fixed[rule.circle]


def _check_objects(state: Register | Review, author: Author, header: Header, rule: Rule) -> None:
    """Every object is new, or the next version of a document of the same kind and State (rules 14, 16)."""
    ids = [ref.id for ref in header.objects]
    if len(set(ids)) != len(ids):
        raise AlreadyDone("different objects", "one twice")
    for index, ref in enumerate(header.objects):
        document = state.documents.get(ref.id)
        if document is None:
            _check_new(state, header, rule, ref, first=index == 0)
        elif document.version == 0:
            if document.event not in header.about:
                raise AlreadyDone("an object never used before", "one reserved for a translator")
        elif index or not rule.revisable:
            raise AlreadyDone("an object never used before", "one that was")
        else:
            _check_next(document, author, header, rule, ref)


def _check_new(state: Register | Review, header: Header, rule: Rule, ref: ObjectRef, *, first: bool) -> None:
    if ref.version != 1:
        raise OtherRevision("version 1 of a new object", str(ref.version))
    continued = [target for target in header.about if state.known[target].kind == header.kind]
    if first and rule.revisable and continued:
        raise OtherRevision("the next version of the document it is about", "a new document")


def _check_next(document: Document, author: Author, header: Header, rule: Rule, ref: ObjectRef) -> None:
    if document.kind != header.kind or document.event not in header.about:
        raise OtherRevision("a version that follows the newest one", "one that follows another")
    if ref.version != document.version + 1:
        raise OtherRevision(f"version {document.version + 1}", str(ref.version))
    if document.state != author.state and Party.SECRETARIAT not in rule.of:
        raise WrongParty(f"a document of {author.state}", f"one of {document.state}")


def _advance(state: Register | Review, act: Act) -> Register | Review:
    header, rule = act.header, act.rule
    document = header.objects[0].id if rule.revisable and header.objects else b""
    known = Known(
        header.seq, header.kind, header.circle, header.epoch, act.author.person, len(header.objects), document
    )
    documents = state.documents
    for ref in header.objects:
        documents = documents.insert(ref.id, Document(ref.version, act.id, header.kind, act.author.state))
    state = msgspec.structs.replace(
        state,
        seq=header.seq,
        head=act.id,
        time=header.time,
        known=state.known.insert(act.id, known),
        documents=documents,
    )
    if rule.translated and isinstance(state, Review):
        state = msgspec.structs.replace(state, sources=state.sources.insert(act.id, header.lang))
    return state
