"""Who may fetch what: pure decisions over replayed state. Opening it still needs the key."""

from __future__ import annotations

from collections.abc import Sequence

from events.envelope import Header
from events.register import Person, Register
from events.review import Review
from events.rule import Role, rule_of
from events.stream import Stream


def may_read_envelopes(review: Review, person: Person) -> bool:
    """Members, the three States' focal points, officers, oversight, and those shown a paper of it (ToR 3 (a))."""
    member = review.members.get(person.device)
    if member is not None:
        return member.active
    if person.role is Role.FOCAL_POINT:
        return person.state in review.states
    if person.role in (Role.OFFICER, Role.OVERSIGHT):
        return True
    return person.device in review.shown


def may_fetch_body(state: Register | Review, event: bytes, header: Header, device: bytes) -> bool:
    """Whether a device may fetch what travels with an event."""
    if header.objects:
        return may_fetch_object(state, event, header, 0, device)
    rule = rule_of(header.kind)
    if not rule.carries:
        return False
    # What is sealed to devices by name goes to them and to its author; grants go to whoever holds keys here.
    named: Sequence[bytes] | None = getattr(rule.read_clear(header.clear), "readers", None)
    return _is_current(state, device) if named is None else device == header.author or device in named


def may_fetch_object(state: Register | Review, event: bytes, header: Header, index: int, device: bytes) -> bool:
    """Whether a device may fetch one sealed object: its circle's members, and those it was disclosed to."""
    circle = state.circles.get(header.circle)
    if circle is not None and device in circle.devices:
        return True
    return isinstance(state, Review) and bool(state.shown_by(device, event, index))


def _is_current(state: Stream, device: bytes) -> bool:
    return any(device in circle.devices for circle in state.circles.values())
