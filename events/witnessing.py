"""What a log asks of a witness, and what a witness makes of it (c2sp.org/tlog-witness).

old 20852014
<base64>          hashes that show that the tree only grew since

<checkpoint>
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from events import merkle
from events.checkpoint import Head, read_number
from events.errors import BadNote, NotProved
from events.notes import MAX_NOTE, Note, read_text
from events.receipts import MAX_HASHES, read_hashes, write_hashes

MAX_REQUEST = MAX_NOTE + MAX_HASHES * 45 + 64
SIZE_MEDIA = "text/x.tlog.size"
_OLD = "old "


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request as it was read; nothing about it is proved."""

    old: int
    hashes: tuple[bytes, ...]
    note: Note

    def encode(self) -> bytes:
        """The request's body, the same as was read."""
        return f"{_OLD}{self.old}\n{write_hashes(self.hashes)}\n".encode() + self.note.encode()

    @classmethod
    def parse(cls, data: bytes) -> AddCheckpoint:
        """Read a request's body; raises BadNote."""
        proof, blank, note = read_text(data, MAX_REQUEST).partition("\n\n")
        first, *lines = proof.split("\n")
        if not blank or not first.startswith(_OLD):
            raise BadNote("expected the old size, hashes, an empty line and a checkpoint")
        return cls(read_number(first.removeprefix(_OLD)), read_hashes(lines), Note.parse(note.encode()))


class Verdict(Enum):
    """What a witness makes of a checkpoint that its log signed."""

    CONTINUES = auto()
    OLD_TOO_LARGE = auto()
    OTHER_OLD_SIZE = auto()
    FORKED = auto()
    NOT_CONSISTENT = auto()


def judge(last: Head | None, request: AddCheckpoint, head: Head) -> Verdict:
    """Whether a signed head continues the last one cosigned of its log (None: there was none)."""
    if request.old > head.size:
        return Verdict.OLD_TOO_LARGE
    if last is not None and last.size == head.size and last.root != head.root:
        return Verdict.FORKED
    if request.old != (last.size if last else 0):
        return Verdict.OTHER_OLD_SIZE
    if last is None or not last.size:
        # From an empty tree everything follows, and no proof belongs to it.
        return Verdict.NOT_CONSISTENT if request.hashes else Verdict.CONTINUES
    try:
        merkle.verify_consistency(last.size, last.root, head.size, head.root, request.hashes)
    except NotProved:
        return Verdict.NOT_CONSISTENT
    return Verdict.CONTINUES
