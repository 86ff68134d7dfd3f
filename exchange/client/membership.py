"""Drafts that bring people in and let them go: grants go only to devices of the replayed register (rule 1)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence

from events.card import Card
from events.envelope import ZERO, scope
from events.errors import NotAMember
from events.kinds.keys import GrantedClear, RotatedClear, circles_of, entitled_devices
from events.kinds.members import MemberAdmitted, MemberNominated, MemberRemoved
from events.kinds.people import PersonGranted, PersonLeft, PersonRegistered, Profile
from events.register import Person, Register
from events.review import Review
from events.rotation import Granted, Rotated
from events.rule import Role
from events.stream import DIRECTORY, Stream, delegation, delegation_of
from exchange.client.client import Client
from exchange.client.compose import Draft
from exchange.client.errors import NotFound
from keys import grants
from keys.epoch import EpochKey
from keys.recipient import Recipient


class Membership:
    """Composes what changes who may read; one for each client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    # -- the register

    async def begin_directory(self, register: Register) -> Draft:
        """Begin the directory's keys, for oneself alone at first."""
        return await self._rotated("directory.rotated", register, {DIRECTORY: [self._client.identity.fingerprint]})

    @staticmethod
    def person(card: Card, role: Role, state: str, profile: Profile, person: bytes, succeeds: bytes = b"") -> Draft:
        """Register a person by their card."""
        clear = PersonRegistered.Clear(person, role, state, card, succeeds)
        return Draft("person.registered", clear, lang="", sealed=profile, circle=DIRECTORY)

    async def share_directory(self, register: Register) -> Draft:
        """Give the directory's key to every active person who lacks it; raises NotFound if nobody does."""
        circle = register.circles[DIRECTORY]
        lacking = {p.device for p in register.people.values() if p.active and p.device not in circle.devices}
        if not lacking:
            raise NotFound("every registered person has the directory's key already")
        entries, carried = await self._granted(register, {DIRECTORY: sorted(lacking)})
        return Draft("person.granted", PersonGranted.Clear(entries, _digest(carried)), carried=carried)

    async def leave(self, register: Register, person: Person) -> Draft:
        """Record that a person left; the directory's keys change in the same event."""
        keep = [device for device in register.circles[DIRECTORY].devices if device != person.device]
        rotations, carried = await self._new_epochs(register, {DIRECTORY: keep})
        clear = PersonLeft.Clear(person.id, rotations, _digest(carried))
        return Draft("person.left", clear, carried=carried)

    # -- a review

    async def begin_circles(self, review: Review, names: Sequence[str]) -> Draft:
        """Begin circles for those who belong to them now."""
        return await self._rotated("keys.rotated", review, {name: entitled_devices(review, name) for name in names})

    async def rotate(self, review: Review) -> Draft:
        """Change the keys of every circle one belongs to."""
        return await self._rotated("keys.rotated", review, self._mine(review))

    async def nominate(self, review: Review, register: Register, person: Person) -> Draft:
        """Nominate a person, with the key of one's own delegation where one holds it."""
        me = self._client.identity.fingerprint
        name = delegation(person.state)
        circle = review.circles.get(name)
        give = person.role is Role.EXPERT and circle is not None and me in circle.devices and not circle.waiting
        entries, carried = await self._granted(review, {name: [person.device]} if give else {})
        clear = MemberNominated.Clear(register.seq, person.device, entries, _digest(carried))
        return Draft("member.nominated", clear, carried=carried)

    async def admit(self, review: Review, device: bytes) -> Draft:
        """Admit a nominated person and give them the keys they are to have."""
        nomination = review.nominations.get(device)
        if nomination is None:
            raise NotFound("this person is not nominated, or was admitted already")
        me = self._client.identity.fingerprint
        belongs = [
            name
            for name in circles_of(review, nomination.role, nomination.state)
            if delegation_of(name) is None and name in review.circles and me in review.circles[name].devices
        ]
        entries, carried = await self._granted(review, {name: [device] for name in belongs})
        clear = MemberAdmitted.Clear(device, entries, _digest(carried))
        return Draft("member.admitted", clear, about=(nomination.event,), carried=carried)

    async def remove(self, review: Review, device: bytes) -> Draft:
        """Remove a member; every circle shared with them gets new keys in the same event."""
        shared = {
            name: [d for d in devices if d != device]
            for name, devices in self._mine(review).items()
            if device in devices
        }
        rotations, carried = await self._new_epochs(review, shared)
        clear = MemberRemoved.Clear(device, rotations, _digest(carried))
        return Draft("member.removed", clear, carried=carried)

    async def share_keys(self, review: Review) -> Draft:
        """Give members the keys they are entitled to and lack; raises NotFound if nobody lacks any."""
        lacking = self.lacking(review)
        if not lacking:
            raise NotFound("every member has the keys that you can give already")
        entries, carried = await self._granted(review, lacking)
        return Draft("keys.granted", GrantedClear(entries, _digest(carried)), carried=carried)

    def lacking(self, review: Review) -> dict[str, list[bytes]]:
        """By circle, the devices entitled to its key that hold none, as far as one can give it."""
        found = {}
        for name, devices in self._mine(review).items():
            missing = entitled_devices(review, name) - set(devices)
            if missing and not review.circles[name].waiting:
                found[name] = sorted(missing)
        return found

    # -- keys

    def _mine(self, state: Stream) -> dict[str, list[bytes]]:
        me = self._client.identity.fingerprint
        return {name: sorted(circle.devices) for name, circle in state.circles.items() if me in circle.devices}

    async def _rotated(self, kind: str, state: Register | Review, circles: Mapping[str, Iterable[bytes]]) -> Draft:
        rotations, carried = await self._new_epochs(state, circles)
        return Draft(kind, RotatedClear(rotations, _digest(carried)), carried=carried)

    async def _new_epochs(
        self, state: Register | Review, circles: Mapping[str, Iterable[bytes]]
    ) -> tuple[tuple[Rotated, ...], bytes]:
        """A new key for each circle, linked to the one before and sealed to each device."""
        rotations: list[Rotated] = []
        sealed: list[bytes] = []
        for name in sorted(circles):
            devices = sorted(circles[name])
            known = state.circles.get(name)
            previous = await self._client.keyring.current(state, name) if known else None
            key = EpochKey.generate(scope(state.id, name), previous.epoch + 1 if previous else 1)
            link = key.link(previous) if previous else b""
            rotations.append(Rotated(name, key.epoch, key.commitment, link, tuple(devices)))
            sealed.extend(grants.grant(key, self._recipient(device)) for device in devices)
        return tuple(rotations), b"".join(sealed)

    async def _granted(
        self, state: Register | Review, circles: dict[str, list[bytes]]
    ) -> tuple[tuple[Granted, ...], bytes]:
        """The current key of each circle, sealed to further devices."""
        entries: list[Granted] = []
        sealed: list[bytes] = []
        for name in sorted(circles):
            key = await self._client.keyring.current(state, name)
            devices = sorted(circles[name])
            entries.append(Granted(name, key.epoch, tuple(devices)))
            sealed.extend(grants.grant(key, self._recipient(device)) for device in devices)
        return tuple(entries), b"".join(sealed)

    def _recipient(self, device: bytes) -> Recipient:
        """The public halves of a device, from the replayed register and nowhere else (rules 1, 4)."""
        person = self._client.replay.history.latest.by_device(device)
        if person is None or not person.active:
            raise NotAMember("a device of an active person of the register", device.hex()[:16])
        return Recipient(person.signing, person.sealing)


def new_person() -> bytes:
    """A new person's id: 16 random bytes."""
    return secrets.token_bytes(16)


def _digest(carried: bytes) -> bytes:
    return hashlib.sha256(carried).digest() if carried else ZERO
