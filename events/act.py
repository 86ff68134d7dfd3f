"""An event on the point of being folded: its parts, its author as the state knows them, and the register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from events.envelope import Event, Header
from events.errors import WrongReference
from events.register import Register, RegisterHistory
from events.rule import Role, Rule


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an event, as proved by the register or the review's membership."""

    person: bytes
    device: bytes
    role: Role
    state: str


@dataclass(frozen=True, slots=True)
class Act:
    """What `evolve` is given: everything has been checked that the table of kinds can express."""

    event: Event
    rule: Rule
    author: Author
    clear: Any
    history: RegisterHistory

    @property
    def id(self) -> bytes:
        """The event's hash."""
        return self.event.id

    @property
    def header(self) -> Header:
        """The event's header."""
        return self.event.header

    def register_at(self, seq: int, not_before: int) -> Register:
        """The register the author relied on; it may not lie before one relied on earlier."""
        if seq < not_before:
            raise WrongReference(f"a register state from {not_before} on", str(seq))
        return self.history.at(seq)
