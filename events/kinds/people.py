"""The register: its founding, States, and people as they come and go."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from events import rotation
from events.act import Act
from events.card import Card
from events.envelope import Hash, ObjectId
from events.errors import AlreadyDone, NotAMember, TooMany, WrongReference, WrongRole
from events.pmap import Map
from events.register import EXPERTS_PER_STATE, SECRETARIAT, Person, Register, StateParty
from events.rotation import Grants, Rotations
from events.rule import ALL_PARTIES, CircleRule, Line, Note, Party, Role, StreamKind, kind

StateCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
LanguageCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}$(?!\n)")]
Instrument = Literal["convention", "trafficking", "smuggling", "firearms"]
Standing = Literal["party", "signatory"]
Group = Literal["african", "asia-pacific", "eastern-european", "latin-american-caribbean", "western-european-others"]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the circulated list says of a person (ToR 21)."""

    name: Line
    position: Note = ""
    background: Note = ""
    expertise: Note = ""
    offices: Note = ""
    email: Note = ""


@kind(
    "register.founded",
    verb="register found",
    stream=StreamKind.REGISTER,
    by={Role.OFFICER},
    of=ALL_PARTIES,
    genesis=True,
    para="ToR 47",
)
class RegisterFounded:
    """Found the register of a deployment; its founder is the first secretariat officer."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        name: Line
        exercise: bool
        person: ObjectId
        card: Card

    @staticmethod
    def evolve(state: Register | None, act: Act) -> Register:
        clear = act.clear
        keys = clear.card.recipient()
        founder = Person(clear.person, Role.OFFICER, SECRETARIAT, keys.fingerprint, keys.signing, keys.sealing, 0)
        return Register(
            id=act.id,
            name=clear.name,
            exercise=clear.exercise,
            people=Map({founder.id: founder}),
            devices=Map({founder.device: founder.id}),
        )


@kind(
    "state.registered",
    verb="register state",
    stream=StreamKind.REGISTER,
    by={Role.OFFICER},
    para="ToR 12, 14, 18 bis, 57",
)
class StateRegistered:
    """Enter a State into the register, or bring its entry up to date."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        code: StateCode
        name: Line
        group: Group
        legal_system: Note
        instruments: Annotated[dict[Instrument, Standing], msgspec.Meta(min_length=1)]
        languages: Annotated[tuple[LanguageCode, ...], msgspec.Meta(min_length=1, max_length=6)]

    @staticmethod
    def evolve(state: Register, act: Act) -> Register:
        clear = act.clear
        if "convention" not in clear.instruments:
            raise WrongReference("a party or signatory to the Convention", "one of protocols only")
        entry = StateParty(
            clear.code, clear.name, clear.group, clear.legal_system, dict(clear.instruments), clear.languages
        )
        return msgspec.structs.replace(state, states=state.states.insert(entry.code, entry))


@kind(
    "person.registered",
    verb="register person",
    stream=StreamKind.REGISTER,
    by={Role.OFFICER, Role.FOCAL_POINT},
    of={Party.SECRETARIAT, Party.OUTSIDE},
    circle=CircleRule.DIRECTORY,
    para="ToR 17, 21, 47; G 13",
)
class PersonRegistered:
    """Register a person whose fingerprint was compared; focal points register the experts of their State."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        person: ObjectId
        role: Role
        state: Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{3})?$(?!\n)")]
        card: Card
        succeeds: Annotated[bytes, msgspec.Meta(max_length=16)]

    Sealed = Profile

    @staticmethod
    def evolve(state: Register, act: Act) -> Register:
        clear = act.clear
        _check_entitled(state, act)
        keys = clear.card.recipient()
        if clear.person in state.people or keys.fingerprint in state.devices:
            raise AlreadyDone("a person and a device not registered before", keys.fingerprint.hex()[:16])
        seq = act.header.seq
        person = Person(clear.person, clear.role, clear.state, keys.fingerprint, keys.signing, keys.sealing, seq)
        return msgspec.structs.replace(
            state,
            people=state.people.insert(person.id, person),
            devices=state.devices.insert(person.device, person.id),
            experts=_counted(state, person, 1),
            focal_points=_appointed(state, person),
        )


@kind(
    "person.granted",
    verb="register share-directory",
    stream=StreamKind.REGISTER,
    by={Role.OFFICER, Role.FOCAL_POINT},
    of={Party.SECRETARIAT, Party.OUTSIDE},
    para="ToR 21",
)
class PersonGranted:
    """Give registered people the key of the directory, so that they can read its names."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        grants: Grants
        carried: Hash

    @staticmethod
    def evolve(state: Register, act: Act) -> Register:
        devices = {person.device for person in state.people.values() if person.active}
        return rotation.grant(state, act.author.device, act.clear.grants, devices, act.header.seq)


@kind(
    "person.profiled",
    verb="register profile",
    stream=StreamKind.REGISTER,
    by=set(Role),
    of={Party.SECRETARIAT, Party.OUTSIDE},
    circle=CircleRule.DIRECTORY,
    para="ToR 21",
)
class PersonProfiled:
    """Bring one's own entry in the list up to date."""

    Sealed = Profile

    @staticmethod
    def evolve(state: Register, act: Act) -> Register:
        return state


@kind(
    "person.left",
    verb="register remove",
    stream=StreamKind.REGISTER,
    by={Role.OFFICER, Role.FOCAL_POINT},
    of={Party.SECRETARIAT, Party.OUTSIDE},
    para="ToR 17, 21",
)
class PersonLeft:
    """Record that a person left or lost their device; the directory's keys change in the same event."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        person: ObjectId
        rotations: Rotations
        carried: Hash

    @staticmethod
    def evolve(state: Register, act: Act) -> Register:
        clear, author = act.clear, act.author
        person = state.people.get(clear.person)
        if person is None or not person.active:
            raise WrongReference("an active person of the register", clear.person.hex())
        if author.role is Role.FOCAL_POINT and (person.state, person.role) != (author.state, Role.EXPERT):
            raise WrongRole("a focal point removing an expert of their own State", person.role.value)
        if person.id == author.person:
            raise WrongReference("another person than the author", "the author")
        gone = msgspec.structs.replace(person, left=act.header.seq)
        kept = {state_: who for state_, who in state.focal_points.items() if who != person.id}
        state = msgspec.structs.replace(
            state,
            people=state.people.insert(person.id, gone),
            experts=_counted(state, person, -1),
            focal_points=kept,
        )
        return rotation.rotate(state, author.device, clear.rotations, act.header.seq, removed=[person.device])


def _check_entitled(state: Register, act: Act) -> None:
    """Officers register everyone but experts; experts are registered by their State's focal point."""
    clear, author = act.clear, act.author
    national = clear.role in (Role.FOCAL_POINT, Role.EXPERT)
    if national != bool(clear.state) or (national and clear.state not in state.states):
        raise WrongReference("a registered State for focal points and experts, none for others", clear.state or "none")
    if clear.role is Role.EXPERT:
        if author.role is not Role.FOCAL_POINT or author.state != clear.state:
            raise WrongRole(f"the focal point of {clear.state}", author.role.value)
        if state.experts.get(clear.state, 0) >= EXPERTS_PER_STATE:
            raise TooMany(f"at most {EXPERTS_PER_STATE} active experts of {clear.state} (ToR 21)", "one more")
    elif author.role is not Role.OFFICER:
        raise WrongRole("a secretariat officer", author.role.value)
    if clear.role is Role.FOCAL_POINT and clear.state in state.focal_points:
        raise AlreadyDone(f"{clear.state} without an active focal point", "one still active: remove them first")
    if clear.succeeds and clear.succeeds not in state.people:
        raise NotAMember("a predecessor of the register", clear.succeeds.hex())


def _counted(state: Register, person: Person, change: int) -> dict[str, int]:
    if person.role is not Role.EXPERT:
        return state.experts
    return {**state.experts, person.state: state.experts.get(person.state, 0) + change}


def _appointed(state: Register, person: Person) -> dict[str, bytes]:
    if person.role is not Role.FOCAL_POINT:
        return state.focal_points
    return {**state.focal_points, person.state: person.id}
