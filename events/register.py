"""The register: States, people and their devices, as folded from the register's stream."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from events.errors import NotAMember, WrongReference
from events.pmap import Map
from events.rule import Role
from events.stream import Stream

EXPERTS_PER_STATE = 20
SECRETARIAT = ""


class Person(msgspec.Struct, frozen=True):
    """A registered person and the public halves of their device; the name is sealed in the directory."""

    id: bytes
    role: Role
    state: str
    device: bytes
    signing: bytes
    sealing: bytes
    since: int
    left: int | None = None

    @property
    def active(self) -> bool:
        """Whether the person has not left."""
        return self.left is None


class StateParty(msgspec.Struct, frozen=True):
    """A State and what it is party to (ToR 12, 18 bis, 57)."""

    code: str
    name: str
    group: str
    legal_system: str
    instruments: dict[str, str]
    languages: tuple[str, ...]


class Release(msgspec.Struct, frozen=True):
    """A release of the client, announced in event `seq`."""

    name: str
    version: str
    seq: int


class Register(Stream, frozen=True, kw_only=True):
    """The register after some event of its stream; `log` is the newest announced policy, empty until there is one."""

    name: str = ""
    exercise: bool = False
    states: Map[str, StateParty] = Map()
    people: Map[bytes, Person] = Map()
    devices: Map[bytes, bytes] = Map()
    experts: dict[str, int] = {}
    focal_points: dict[str, bytes] = {}
    log: str = ""
    log_since: int = 0
    releases: Map[bytes, Release] = Map()

    def by_device(self, device: bytes) -> Person | None:
        """The person whose device this is, whether active or not."""
        person = self.devices.get(device)
        return None if person is None else self.people[person]

    def active(self, device: bytes) -> Person:
        """The active person whose device this is; raises NotAMember."""
        person = self.by_device(device)
        if person is None or not person.active:
            raise NotAMember("a device of an active person of the register", device.hex()[:16])
        return person


@dataclass(slots=True)
class RegisterHistory:
    """The register after each of its events, so that reviews can point to the state they relied on."""

    _versions: list[Register] = field(default_factory=list)

    def add(self, register: Register) -> None:
        """Append the register after one more event; the states share almost everything."""
        if register.seq != len(self._versions):
            raise ValueError(f"expected register state {len(self._versions)}, got {register.seq}")
        self._versions.append(register)

    def at(self, seq: int) -> Register:
        """The register after event `seq`; raises WrongReference."""
        if not 0 <= seq < len(self._versions):
            raise WrongReference(f"an event of the register up to {len(self._versions) - 1}", str(seq))
        return self._versions[seq]

    def clear(self) -> None:
        """Forget everything, to be replayed anew."""
        self._versions.clear()

    @property
    def latest(self) -> Register:
        """The newest register."""
        return self._versions[-1]

    def __len__(self) -> int:
        return len(self._versions)
