"""Granting and changing the keys of circles: the grant set always equals the membership (rules 17, 18)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, TypeVar

import msgspec

from events.envelope import CircleName, Hash
from events.errors import NotAMember, StaleKey, WrongGrants
from events.stream import Circle, Epoch, Grant, Stream
from keys.recipient import SEALED_KEY_SIZE

S = TypeVar("S", bound=Stream)

MAX_DEVICES = 200
MAX_CIRCLES = 5
LINK_SIZE = 48

Devices = Annotated[tuple[Hash, ...], msgspec.Meta(max_length=MAX_DEVICES)]
Link = Annotated[bytes, msgspec.Meta(max_length=LINK_SIZE)]


class Granted(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The current epoch's key of one circle, granted to further devices."""

    circle: CircleName
    epoch: int
    devices: Devices


class Rotated(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A new epoch of one circle: commitment, link to the key before (or nothing), and who receives it."""

    circle: CircleName
    epoch: int
    commitment: Hash
    link: Link
    devices: Devices


Grants = Annotated[tuple[Granted, ...], msgspec.Meta(max_length=MAX_CIRCLES)]
Rotations = Annotated[tuple[Rotated, ...], msgspec.Meta(min_length=1, max_length=MAX_CIRCLES)]


def carried_size(entries: Collection[Granted] | Collection[Rotated]) -> int:
    """Size in bytes of the sealed keys that travel with an event, in the order of entries and devices."""
    return sum(len(entry.devices) for entry in entries) * SEALED_KEY_SIZE


def grant(state: S, granter: bytes, entries: Collection[Granted], allowed: Collection[bytes], seq: int) -> S:
    """Fold grants of current keys; raises WrongGrants unless each goes to `allowed` devices not served yet."""
    index = 0
    _check_distinct(entries)
    for entry in entries:
        circle = _circle_of(state, entry.circle, granter)
        if circle.waiting or entry.epoch != circle.epoch:
            raise StaleKey(f"the current epoch of {entry.circle}, {circle.epoch}", str(entry.epoch))
        devices = dict(circle.devices)
        for device in _ordered(entry.devices):
            if device not in allowed or device in devices:
                raise WrongGrants("only devices to be admitted that hold no key yet", device.hex()[:16])
            devices[device] = Grant(seq, index, entry.epoch)
            index += 1
        held = {**circle.held, **dict.fromkeys(entry.devices, entry.epoch)}
        state = state.with_circle(entry.circle, Circle(circle.epochs, devices, held))
    return state


def rotate(
    state: S,
    author: bytes,
    entries: Collection[Rotated],
    seq: int,
    *,
    removed: Collection[bytes] = (),
    first: Mapping[str, Collection[bytes]] | None = None,
) -> S:
    """Fold new epochs; raises WrongGrants unless each is granted to exactly the remaining devices.

    `first` names the circles that the author may begin, with the members each must begin with.
    """
    index = 0
    _check_distinct(entries)
    for entry in entries:
        circle = state.circles.get(entry.circle)
        if circle is None and first and entry.circle in first:
            earlier: tuple[Epoch, ...] = ()
            expected = sorted(first[entry.circle])
        else:
            circle = _circle_of(state, entry.circle, author)
            earlier = circle.epochs
            expected = sorted(set(circle.devices) - set(removed))
        _check_next(entry, earlier)
        if list(entry.devices) != expected:
            raise WrongGrants(
                f"keys of {entry.circle} for its {len(expected)} members, in order", f"{len(entry.devices)} others"
            )
        devices = {device: Grant(seq, index + i, entry.epoch) for i, device in enumerate(entry.devices)}
        index += len(devices)
        epochs = (*earlier, Epoch(entry.epoch, entry.commitment, entry.link, seq))
        held = {**(circle.held if circle else {}), **dict.fromkeys(entry.devices, entry.epoch)}
        state = state.with_circle(entry.circle, Circle(epochs, devices, held))
    return _drop(state, removed)


def _drop(state: S, removed: Collection[bytes]) -> S:
    """Circles of a removed device whose keys the author could not change wait for one who can."""
    for name, circle in state.circles.items():
        left = {device: grant for device, grant in circle.devices.items() if device not in removed}
        if len(left) != len(circle.devices):
            state = state.with_circle(name, Circle(circle.epochs, left, circle.held, waiting=True))
    return state


def _circle_of(state: Stream, name: str, device: bytes) -> Circle:
    circle = state.circles.get(name)
    if circle is None or device not in circle.devices:
        raise NotAMember(f"an author who holds the key of circle {name}", device.hex()[:16])
    return circle


def _check_next(entry: Rotated, earlier: tuple[Epoch, ...]) -> None:
    following = earlier[-1].number + 1 if earlier else 1
    if entry.epoch != following:
        raise StaleKey(f"epoch {following} of {entry.circle}", str(entry.epoch))
    if len(entry.link) not in ({0, LINK_SIZE} if earlier else {0}):
        raise WrongGrants(f"a link of {LINK_SIZE} bytes to an earlier epoch, or none", str(len(entry.link)))
    if any(entry.commitment == epoch.commitment for epoch in earlier):
        raise WrongGrants("a key never used before", "one that was")


def _check_distinct(entries: Collection[Granted] | Collection[Rotated]) -> None:
    names = [entry.circle for entry in entries]
    if len(set(names)) != len(names):
        raise WrongGrants("each circle once", ", ".join(names))


def _ordered(devices: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if list(devices) != sorted(set(devices)):
        raise WrongGrants("devices in ascending order without repetition", "others")
    return devices
