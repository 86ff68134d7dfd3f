"""A small log in memory: entries, roots, proofs, checkpoints signed by its key and cosigned by its witnesses."""

from __future__ import annotations

import hashlib

from events import merkle
from events.checkpoint import Head, cosign, log_key, witness_key
from events.notes import Note
from keys.notes import NoteKey

ORIGIN = "log.example/colloquy"
TIME = 1_770_000_000


def note_key(name: str) -> NoteKey:
    """A key that is the same in every run."""
    return NoteKey(hashlib.sha256(name.encode()).digest())


class TestLog:
    """A log with the entries it is given."""

    __test__ = False

    def __init__(self, entries: list[bytes], origin: str = ORIGIN) -> None:
        self.origin = origin
        self.key = note_key(origin)
        self.entries = entries

    @property
    def vkey(self) -> str:
        return log_key(self.origin, self.key).text()

    def nodes(self, level: int, index: int) -> bytes:
        if not level:
            return merkle.leaf_hash(self.entries[index])
        return merkle.node_hash(self.nodes(level - 1, 2 * index), self.nodes(level - 1, 2 * index + 1))

    def root(self, size: int) -> bytes:
        return merkle.root(size, self.nodes)

    def head(self, size: int) -> Head:
        return Head(self.origin, size, self.root(size))

    def note(self, size: int, *witnesses: str, time: int = TIME) -> Note:
        """The checkpoint of a size, cosigned by witnesses."""
        note = self.head(size).signed(self.key)
        return note.signed(*(cosign(name, note_key(name), note.text, time) for name in witnesses))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return tuple(merkle.inclusion_proof(index, size, self.nodes))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        return tuple(merkle.consistency_proof(old, new, self.nodes))

    def policy(self, quorum: int, *witnesses: str) -> str:
        """A policy that trusts this log if so many of these witnesses cosigned."""
        lines = [f"log {self.vkey}"]
        lines += [f"witness {name} {witness_key(name, note_key(name)).text()}" for name in witnesses]
        lines += [f"group all-of-them {quorum} {' '.join(witnesses)}"] if quorum else []
        return "\n".join([*lines, f"quorum {'all-of-them' if quorum else 'none'}", ""])


def entries(count: int, salt: bytes = b"") -> list[bytes]:
    """So many different entries."""
    return [b"\x00" + hashlib.sha256(salt + bytes([0]) + number.to_bytes(4, "big")).digest() for number in range(count)]
