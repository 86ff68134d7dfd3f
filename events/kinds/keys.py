"""Keys of a circle begun, changed, or granted again; the same in the register and in a review."""

from __future__ import annotations

import msgspec

from events import rotation
from events.act import Act
from events.envelope import Hash
from events.errors import WrongGrants
from events.register import Register
from events.review import Review
from events.rotation import Grants, Rotations
from events.rule import STATE_ROLES, Party, Role, StreamKind, kind
from events.stream import DIRECTORY, PARTIES, REVIEWERS, delegation


class RotatedClear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New epochs, and the digest of the sealed keys that travel with them."""

    rotations: Rotations
    carried: Hash


class GrantedClear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Current keys for further devices, and the digest of the sealed keys that travel with them."""

    grants: Grants
    carried: Hash


@kind(
    "directory.rotated",
    verb="register rotate",
    stream=StreamKind.REGISTER,
    by={Role.OFFICER, Role.FOCAL_POINT},
    of={Party.SECRETARIAT, Party.OUTSIDE},
    para="ToR 30",
)
class DirectoryRotated:
    """Begin or change the keys of the directory."""

    Clear = RotatedClear

    @staticmethod
    def evolve(state: Register, act: Act) -> Register:
        first = {DIRECTORY: [act.author.device]} if act.author.role is Role.OFFICER else {}
        return rotation.rotate(state, act.author.device, act.clear.rotations, act.header.seq, first=first)


@kind(
    "keys.rotated",
    verb="members rotate",
    by=STATE_ROLES | {Role.OFFICER},
    para="ToR 30",
)
class KeysRotated:
    """Begin or change the keys of circles one belongs to."""

    Clear = RotatedClear

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        first = _may_begin(state, act)
        return rotation.rotate(state, act.author.device, act.clear.rotations, act.header.seq, first=first)


@kind(
    "keys.granted",
    verb="members share-keys",
    by=STATE_ROLES | {Role.OFFICER},
    para="ToR 30",
)
class KeysGranted:
    """Give members who lack them the current keys of circles they belong to."""

    Clear = GrantedClear

    @staticmethod
    def evolve(state: Review, act: Act) -> Review:
        for entry in act.clear.grants:
            entitled = entitled_devices(state, entry.circle)
            if not set(entry.devices) <= entitled:
                raise WrongGrants(f"keys of {entry.circle} for members entitled to it", "others")
        everyone = set(state.members)
        return rotation.grant(state, act.author.device, act.clear.grants, everyone, act.header.seq)


def entitled_devices(state: Review, circle: str) -> set[bytes]:
    """The devices of the active members who belong to a circle."""
    return {
        member.device
        for member in state.members.values()
        if member.active and circle in circles_of(state, member.role, member.state)
    }


def circles_of(state: Review, role: Role, code: str) -> list[str]:
    """The circles that a member of a State (or the secretariat) belongs to (ToR 30; G 17, 29)."""
    if role is Role.OFFICER:
        return [PARTIES, REVIEWERS]
    party = state.party(code)
    if party is Party.REVIEWING:
        return [PARTIES, REVIEWERS, delegation(code)]
    return [PARTIES, delegation(code)] if party is Party.UNDER_REVIEW else []


def _may_begin(state: Review, act: Act) -> dict[str, set[bytes]]:
    if act.author.role is Role.OFFICER:
        names = [PARTIES, REVIEWERS]
    elif act.author.role is Role.FOCAL_POINT:
        names = [delegation(act.author.state)]
    else:
        names = []
    return {name: entitled_devices(state, name) for name in names}
