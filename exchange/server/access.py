"""Who may fetch what: pure decisions over replayed state. Opening it still needs the key."""

from __future__ import annotations

from events.envelope import Header
from events.register import Person, Register
from events.review import Review
from events.rule import Role, rule_of
from events.stream import Stream


def may_read_envelopes(review: Review, person: Person) -> bool:
    """Members, the three States' focal points, officers, oversight, and translators assigned here (ToR 3 (a))."""
    member = review.members.get(person.device)
    if member is not None:
        return member.active
    if person.role is Role.FOCAL_POINT:
        return person.state in review.states
    if person.role in (Role.OFFICER, Role.OVERSIGHT):
        return True
    return person.role is Role.TRANSLATOR and any(
        entry.translator == person.device for entry in review.translations.values()
    )


def may_fetch_body(state: Register | Review, event: bytes, header: Header, device: bytes) -> bool:
    """Whether a device may fetch what travels with an event."""
    if header.objects:
        return may_fetch_object(state, event, header, 0, device)
    if header.kind == "translation.assigned":
        officer = device == header.author and _is_current(state, device)
        return officer or device == header.clear.get("translator")
    return rule_of(header.kind).carries and _is_current(state, device)


def may_fetch_object(state: Register | Review, event: bytes, header: Header, index: int, device: bytes) -> bool:
    """Whether a device may fetch one sealed object: its circle's members, and a translator it was disclosed to."""
    circle = state.circles.get(header.circle)
    if circle is not None and device in circle.devices:
        return True
    if not isinstance(state, Review):
        return False
    return any(
        entry.translator == device and ((entry.source, entry.object) == (event, index) or entry.event == event)
        for entry in state.translations.values()
    )


def _is_current(state: Stream, device: bytes) -> bool:
    return any(device in circle.devices for circle in state.circles.values())
