"""Evidence that a log signed two histories, to be shown to anybody who has its public key and nothing else.

    colloquy/log-fork/v1
    <base64>                  hashes of the proof, if the sizes differ

    <the checkpoint of the smaller size, with its signatures>

    <the other checkpoint, with its signatures>

Of one size, two roots are proof enough. Of two sizes, the hashes lead to the newer root, and to an older root that is
not the one signed: the newer tree does not continue the older one. Who does not hold the log's key can make neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from events import merkle
from events.checkpoint import Checkpoint, Head
from events.errors import BadNote, NotProved
from events.merkle import Nodes
from events.notes import MAX_NOTE, Note, read_text
from events.policy import Policy
from events.receipts import MAX_HASHES, read_hashes, write_hashes

HEADER = "colloquy/log-fork/v1"
MAX_EVIDENCE = 2 * MAX_NOTE + 8 * 1024


@dataclass(frozen=True, slots=True)
class Fork:
    """Two checkpoints that one key signed and that cannot be of one history."""

    old: Checkpoint
    new: Checkpoint


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence as it was read; nothing about it is proved.

    If the older size is a power of two, the first hash is the older root as the newer tree has it.
    """

    hashes: tuple[bytes, ...]
    old: Note
    new: Note

    @classmethod
    def between(cls, old: Note, new: Note, nodes: Nodes) -> Evidence:
        """Evidence from two checkpoints and the tree of the newer one; raises NotProved if that cannot be."""
        first, second = Head.parse(old.text), Head.parse(new.text)
        if first.size == second.size:
            return cls((), old, new)
        proof = merkle.consistency_proof(first.size, second.size, nodes)
        start = (merkle.root(first.size, nodes),) if _complete(first.size) else ()
        return cls((*start, *proof), old, new)

    def encode(self) -> bytes:
        """The evidence's bytes, the same as were read."""
        return f"{HEADER}\n{write_hashes(self.hashes)}\n".encode() + self.old.encode() + b"\n" + self.new.encode()

    @classmethod
    def parse(cls, data: bytes) -> Evidence:
        """Read evidence; raises BadNote."""
        parts = read_text(data, MAX_EVIDENCE).split("\n\n")
        header, *lines = parts[0].split("\n")
        if header != HEADER or len(parts) != 5:
            raise BadNote(f"expected evidence that begins with {HEADER}, and two checkpoints after empty lines")
        _, old, old_signatures, new, new_signatures = parts
        notes = (f"{old}\n\n{old_signatures}\n", f"{new}\n\n{new_signatures}")
        return cls(read_hashes(lines), *(Note.parse(note.encode()) for note in notes))

    def verify(self, policy: Policy) -> Fork:
        """Check that a log of this policy signed two histories; raises BadNote or NotProved."""
        old, new = policy.checkpoint(self.old), policy.checkpoint(self.new)
        if old.log != new.log or old.head.size > new.head.size or len(self.hashes) > MAX_HASHES:
            raise NotProved("expected two checkpoints of one log, the smaller first")
        if old.head.size == new.head.size:
            expected, shown = new.head.root, new.head.root
            if self.hashes:
                raise NotProved("expected no hashes between equal sizes")
        else:
            expected, shown = self._roots(old.head.size, new.head.size)
        if shown != new.head.root or expected == old.head.root:
            raise NotProved("these checkpoints do not show two histories")
        return Fork(old, new)

    def _roots(self, old: int, new: int) -> tuple[bytes, bytes]:
        """The older and the newer root to which the hashes lead."""
        if not _complete(old):
            return merkle.consistent_roots(old, b"", new, self.hashes)
        if not self.hashes:
            raise NotProved("expected the older root as the newer tree has it, got nothing")
        return merkle.consistent_roots(old, self.hashes[0], new, self.hashes[1:])


def _complete(size: int) -> bool:
    """Whether a tree of this size is a complete subtree of every larger one."""
    return size > 0 and not size & (size - 1)
