"""What every stream has: its chain, its circles with their epochs, and the objects it has seen."""

from __future__ import annotations

from typing import Self, TypeVar

import msgspec

from events.pmap import Map

S = TypeVar("S", bound="Stream")


class Epoch(msgspec.Struct, frozen=True, array_like=True):
    """One epoch of a circle: what its key must match, and the link to the key before."""

    number: int
    commitment: bytes
    link: bytes
    seq: int


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """Where a device finds its sealed key: the `index`-th grant carried by event `seq`."""

    seq: int
    index: int
    epoch: int


class Circle(msgspec.Struct, frozen=True):
    """An audience with its own keys; `waiting` means that someone left and the keys must change first.

    `held` names every device that ever held a key, with the newest epoch of it.
    """

    epochs: tuple[Epoch, ...]
    devices: dict[bytes, Grant]
    held: dict[bytes, int]
    waiting: bool = False

    @property
    def epoch(self) -> int:
        """The number of the current epoch."""
        return self.epochs[-1].number

    def readers(self, epoch: int) -> frozenset[bytes]:
        """The devices that could read what was sealed under an epoch: links lead back, never forward."""
        closed = [e.number for e in self.epochs if e.number > epoch and not e.link]
        end = min(closed) if closed else self.epoch + 1
        return frozenset(device for device, newest in self.held.items() if epoch <= newest < end)


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What later events need to know of an admitted one."""

    seq: int
    kind: str
    circle: str
    epoch: int
    person: bytes
    objects: int
    document: bytes


class Document(msgspec.Struct, frozen=True, array_like=True):
    """The newest version of an object, and the event that brought it."""

    version: int
    event: bytes
    kind: str
    state: str


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a stream's admitted events, as far as all streams are alike."""

    id: bytes
    seq: int = -1
    head: bytes = bytes(32)
    time: int = 0
    circles: dict[str, Circle] = {}
    known: Map[bytes, Known] = Map()
    documents: Map[bytes, Document] = Map()

    def with_circle(self, name: str, circle: Circle) -> Self:
        """This stream with one circle set."""
        return msgspec.structs.replace(self, circles={**self.circles, name: circle})

    def superseded(self, event: bytes) -> bool:
        """Whether a newer version of what this event brought exists."""
        known = self.known.get(event)
        if known is None or not known.document:
            return False
        return self.documents[known.document].event != event


PARTIES = "parties"
REVIEWERS = "reviewers"
DIRECTORY = "directory"
_DELEGATION = "delegation:"


def delegation(state: str) -> str:
    """The name of a State's own circle in a review."""
    return _DELEGATION + state


def delegation_of(circle: str) -> str | None:
    """The State whose own circle this is, or None."""
    return circle.removeprefix(_DELEGATION) if circle.startswith(_DELEGATION) else None
