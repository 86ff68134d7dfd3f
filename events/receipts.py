"""Receipts (c2sp.org/tlog-proof): that an entry is in a log whose checkpoint witnesses cosigned, to be checked offline.

c2sp.org/tlog-proof@v1
extra <base64>           what else one needs to know; nothing vouches for it
index 73894
<base64>                 hashes from the entry's neighbour up to the root

<checkpoint with its signatures>
"""

from __future__ import annotations

from dataclasses import dataclass

from events import merkle
from events.checkpoint import Witnessed, read_number
from events.errors import BadNote
from events.merkle import HASH_SIZE
from events.notes import MAX_NOTE, Note, from_base64, read_text, to_base64
from events.policy import Policy

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
MAX_EXTRA = 96 * 1024
MAX_RECEIPT = MAX_NOTE + MAX_EXTRA * 4 // 3 + 8 * 1024
_EXTRA, _INDEX = "extra ", "index "


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it was read; nothing about it is proved."""

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    extra: bytes = b""

    def __post_init__(self) -> None:
        if len(self.hashes) > MAX_HASHES or len(self.extra) > MAX_EXTRA:
            raise BadNote(f"expected at most {MAX_HASHES} hashes and {MAX_EXTRA} bytes of extra data, got more")

    def encode(self) -> bytes:
        """The receipt's bytes, the same as were read."""
        extra = f"{_EXTRA}{to_base64(self.extra)}\n" if self.extra else ""
        hashes = write_hashes(self.hashes)
        return f"{HEADER}\n{extra}{_INDEX}{self.index}\n{hashes}\n".encode() + self.note.encode()

    @classmethod
    def parse(cls, data: bytes) -> Receipt:
        """Read a receipt's bytes; raises BadNote."""
        proof, blank, note = read_text(data, MAX_RECEIPT).partition("\n\n")
        header, *lines = proof.split("\n")
        if header != HEADER or not blank:
            raise BadNote(f"expected a receipt that begins with {HEADER}, and a checkpoint after an empty line")
        extra = from_base64(lines.pop(0).removeprefix(_EXTRA)) if lines and lines[0].startswith(_EXTRA) else None
        if extra == b"" or not lines or not lines[0].startswith(_INDEX):
            raise BadNote("expected extra data or none, then the entry's index")
        index = read_number(lines.pop(0).removeprefix(_INDEX))
        return cls(index, read_hashes(lines), Note.parse(note.encode()), extra or b"")

    def verify(self, policy: Policy, entry: bytes) -> Witnessed:
        """Check that an entry is in the log as a quorum saw it; raises BadNote or NotProved."""
        witnessed = policy.witnessed(self.note)
        head = witnessed.head
        merkle.verify_inclusion(merkle.leaf_hash(entry), self.index, head.size, self.hashes, head.root)
        return witnessed


def write_hashes(hashes: tuple[bytes, ...]) -> str:
    """Hashes as lines of base64, each with its newline."""
    return "".join(f"{to_base64(one)}\n" for one in hashes)


def read_hashes(lines: list[str]) -> tuple[bytes, ...]:
    """The hashes of a proof from their lines, at most 63; raises BadNote."""
    if len(lines) > MAX_HASHES:
        raise BadNote(f"expected at most {MAX_HASHES} hashes, got {len(lines)}")
    hashes = tuple(from_base64(line) for line in lines)
    if any(len(one) != HASH_SIZE for one in hashes):
        raise BadNote(f"expected hashes of {HASH_SIZE} bytes, got others")
    return hashes
