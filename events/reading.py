"""Who may fetch what: pure decisions over replayed state, the same for the server and for the auditor.

Opening what was fetched still needs the key.
"""

from __future__ import annotations

from collections.abc import Sequence

from events.envelope import Header
from events.register import Person, Register
from events.review import Review
from events.rule import Role, rule_of
from events.stream import Stream


def may_read_envelopes(review: Review, person: Person) -> bool:
    """Members, the three States' focal points, officers, oversight, and those shown a paper of it (ToR 3 (a))."""
    return may_read_accesses(review, person) or person.device in review.shown


def may_read_accesses(review: Review, person: Person) -> bool:
    """Who may see who read what: those who answer for the review, not those who were shown one paper of it (G 5)."""
    member = review.members.get(person.device)
    if member is not None:
        return member.active
    if person.role is Role.FOCAL_POINT:
        return person.state in review.states
    return person.role in (Role.OFFICER, Role.OVERSIGHT)


def entitled(
    register: Register, state: Register | Review, device: bytes, event: bytes, header: Header, number: int
) -> bool:
    """Whether an active person's device may be given what travels with an event, or one of its files."""
    person = register.by_device(device)
    if person is None or not person.active:
        return False
    if isinstance(state, Review) and not may_read_envelopes(state, person):
        return False
    return may_fetch(state, event, header, number, device)


def may_fetch(state: Register | Review, event: bytes, header: Header, number: int, device: bytes) -> bool:
    """Whether a device may fetch what travels with an event (number 0), or one of its files (from 1 on)."""
    if number < len(header.objects):
        return _may_fetch_object(state, event, header, number, device)
    rule = rule_of(header.kind)
    if number or not rule.carries:
        return False
    # What is sealed to devices by name goes to them and to its author; grants go to whoever holds keys here.
    named: Sequence[bytes] | None = getattr(rule.read_clear(header.clear), "readers", None)
    return _is_current(state, device) if named is None else device == header.author or device in named


def _may_fetch_object(state: Register | Review, event: bytes, header: Header, number: int, device: bytes) -> bool:
    """Its circle's members, and those it was disclosed to."""
    circle = state.circles.get(header.circle)
    if circle is not None and device in circle.devices:
        return True
    return isinstance(state, Review) and bool(state.shown_by(device, event, number))


def _is_current(state: Stream, device: bytes) -> bool:
    return any(device in circle.devices for circle in state.circles.values())
