"""Who joins a review and who leaves it: nominated by their State, admitted by the secretariat (rule 2)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from events import rotation
from events.act import Act
from events.envelope import Hash
from events.errors import AlreadyDone, NotAMember, WrongGrants, WrongParty, WrongReference, WrongRole
from events.kinds.keys import circles_of
from events.register import Person
from events.review import Member, Nomination, Review
from events.rotation import Grants, Rotations
from events.rule import Party, Role, kind, one
from events.stream import delegation, delegation_of


@kind(
    "member.nominated",
    verb="members nominate",
    by={Role.FOCAL_POINT, Role.OFFICER},
    para="ToR 17, 21; G 13",
)
class MemberNominated:
    """Nominate a person of one's own State (or oneself) to take part in the review."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        register: Annotated[int, msgspec.Meta(ge=0)]
        device: Hash
        grants: Grants
        carried: Hash

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        clear, author = act.clear, act.author
        person = act.register_at(clear.register, state.register).active(clear.device)
        _check_nominee(state, author.role, author.state, person)
        if clear.device in state.nominations or _is_active(state, clear.device):
            raise AlreadyDone("a person not nominated or admitted yet", "one who is")
        if any(entry.circle != delegation(author.state) for entry in clear.grants):
            raise WrongGrants("at most the key of one's own delegation", "others")
        state = rotation.grant(state, author.device, clear.grants, [clear.device], act.header.seq)
        nomination = Nomination(act.id, person.id, person.role, person.state, author.person)
        marks = state.marks
        if person.role is Role.FOCAL_POINT:
            marks = state.marked(f"focal-point:{person.state}", act.header.time)
        return msgspec.structs.replace(
            state,
            register=clear.register,
            nominations={**state.nominations, clear.device: nomination},
            marks=marks,
        )


@kind(
    "member.admitted",
    verb="members admit",
    by={Role.OFFICER, Role.FOCAL_POINT},
    about=one("member.nominated"),
    para="ToR 24; G 13",
)
class MemberAdmitted:
    """Admit a nominated person and give them the keys of the circles they belong to."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        device: Hash
        grants: Grants
        carried: Hash

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        clear, author = act.clear, act.author
        nomination = state.nominations.get(clear.device)
        if nomination is None:
            raise NotAMember("a nominated person", "one nobody nominated")
        if act.header.about != (nomination.event,):
            raise WrongReference("the nomination that is admitted", "another event")
        if nomination.by == author.person:
            raise WrongRole("another person than the one who nominated", "the same")
        if author.role is not Role.OFFICER and nomination.role is not Role.OFFICER:
            raise WrongRole("a secretariat officer", author.role.value)
        _check_grants(state, author.device, nomination, clear.grants)
        state = rotation.grant(state, author.device, clear.grants, [clear.device], act.header.seq)
        member = Member(nomination.person, clear.device, nomination.role, nomination.state, act.header.seq)
        waiting = {device: n for device, n in state.nominations.items() if device != clear.device}
        return msgspec.structs.replace(state, members={**state.members, clear.device: member}, nominations=waiting)


@kind(
    "member.removed",
    verb="members remove",
    by={Role.OFFICER, Role.FOCAL_POINT},
    para="ToR 17, 21, 30",
)
class MemberRemoved:
    """Remove a member; the keys change in the same event, and what follows is closed to them."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        device: Hash
        rotations: Rotations
        carried: Hash

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        clear, author = act.clear, act.author
        member = state.members.get(clear.device)
        if member is None or not member.active:
            raise WrongReference("an active member", "someone who is none")
        if clear.device == author.device:
            raise WrongReference("another member than the author", "the author")
        if author.role is Role.FOCAL_POINT and member.state != author.state:
            raise WrongParty("a member of one's own State", member.state)
        shared = {name for name, c in state.circles.items() if {clear.device, author.device} <= set(c.devices)}
        if {entry.circle for entry in clear.rotations} != shared:
            raise WrongGrants(f"new keys for every circle shared with them ({', '.join(sorted(shared))})", "others")
        gone = msgspec.structs.replace(member, until=act.header.seq)
        state = msgspec.structs.replace(state, members={**state.members, clear.device: gone})
        return rotation.rotate(state, author.device, clear.rotations, act.header.seq, removed=[clear.device])


def _is_active(state: Review, device: bytes) -> bool:
    member = state.members.get(device)
    return member is not None and member.active


def _check_nominee(state: Review, role: Role, code: str, person: Person) -> None:
    """States nominate their own; the secretariat nominates officers; nobody else ever joins (rule 18)."""
    if person.role is Role.OFFICER:
        if role is not Role.OFFICER:
            raise WrongRole("an officer nominating an officer", role.value)
        return
    if person.role not in (Role.FOCAL_POINT, Role.EXPERT):
        raise WrongRole("a focal point, an expert or an officer", person.role.value)
    if role is not Role.FOCAL_POINT or person.state != code or state.party(code) is Party.OUTSIDE:
        raise WrongParty(f"the focal point of {person.state}, a State of this review", f"{role.value} of {code}")


def _check_grants(state: Review, author: bytes, nomination: Nomination, grants: Grants) -> None:
    """A member receives the key of every circle they belong to that the author can give (rule 18)."""
    belongs = circles_of(state, nomination.role, nomination.state)
    due = {name for name in belongs if name in state.circles and author in state.circles[name].devices}
    given = {entry.circle for entry in grants}
    if given != {name for name in due if delegation_of(name) is None}:
        raise WrongGrants(f"keys of {', '.join(sorted(due))}", ", ".join(sorted(given)) or "none")
