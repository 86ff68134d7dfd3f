"""A row on its way into the log, and the promise that it is there."""

from __future__ import annotations

from dataclasses import dataclass, field

STATED = "access.stated"
COMPLETED = "access.completed"
ACCESS_KINDS = (STATED, COMPLETED)


@dataclass(frozen=True, slots=True)
class Row:
    """An admitted envelope or a record of reading: its place, its hash (32 bytes), and its exact bytes."""

    stream: bytes
    seq: int
    kind: str
    hash: bytes
    envelope: bytes = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    @property
    def originator_id(self) -> str:
        """The stream's id as the library names streams."""
        return self.stream.hex()

    @property
    def originator_version(self) -> int:
        """The number in the stream as the library names it."""
        return self.seq


@dataclass(frozen=True, slots=True)
class Appended:
    """The row is flushed to disk; `position` orders all rows of all streams, and may have gaps."""

    stream: bytes
    seq: int
    hash: bytes
    position: int
