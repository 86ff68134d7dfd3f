"""Checkpoints of a log and cosignatures of witnesses (c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature).

    example.com/log          origin, the log's name
    20852163                 size
    CsUYap…                  root, base64
                             further lines are kept and mean nothing

| type | what it promises |
| --- | --- |
| `Note` | its form |
| `Head` | what a text says of a tree |
| `Checkpoint` | the log's signature held |
| `Witnessed` | the cosignatures of a policy's quorum held, too |
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from events.errors import BadNote
from events.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE
from events.notes import KeyType, Note, Signature, Vkey, from_base64, to_base64
from keys.errors import BadSignature
from keys.notes import NoteKey
from keys.recipient import SIGNATURE_SIZE

MAX_TIME = 2**63 - 1
_TIME = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint's text says: whose log, how many entries, under which root; nothing is proved."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all((self.origin, *self.extensions)) or any("\n" in line for line in (self.origin, *self.extensions)):
            raise BadNote("expected lines that are not empty, got an empty one")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise BadNote(f"expected a size up to {MAX_SIZE} and a root of {HASH_SIZE} bytes, got others")
        if not self.size and self.root != EMPTY_ROOT:
            raise BadNote("expected the root of an empty tree, got another")

    def text(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, to_base64(self.root), *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read a note's text; raises BadNote."""
        *lines, rest = text.split("\n")
        if rest or len(lines) < 3:
            raise BadNote("expected at least three lines: origin, size, root")
        return cls(lines[0], read_number(lines[1]), from_base64(lines[2]), tuple(lines[3:]))

    def signed(self, key: NoteKey) -> Note:
        """This head as a checkpoint signed by its log, whose name is the origin; raises BadNote for no such name."""
        text = self.text()
        return Note(text, (signature(log_key(self.origin, key), key.sign(text.encode())),))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head whose log's signature held."""

    head: Head
    note: Note
    log: Vkey

    @classmethod
    def verify(cls, note: Note, logs: Iterable[Vkey]) -> Checkpoint:
        """Check a checkpoint's signature with the keys of the logs one trusts; raises BadNote."""
        head = Head.parse(note.text)
        found = [log for log in logs if log.name == head.origin and _signed(note, log)]
        if not found:
            raise BadNote(f"expected the signature of a log one trusts, got none for {head.origin[:80]!r}")
        return cls(head, note, found[0])


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness whose cosignature held, by its name in the policy; the newest time (seconds) if there are several."""

    witness: str
    time: int


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that a policy's quorum of witnesses cosigned, with all who did; made by `Policy.witnessed`."""

    checkpoint: Checkpoint
    cosigned: tuple[Cosigned, ...]

    @property
    def head(self) -> Head:
        """What was witnessed."""
        return self.checkpoint.head


def log_key(origin: str, key: NoteKey) -> Vkey:
    """The public key of a log."""
    return Vkey(origin, KeyType.ED25519, key.verifier)


def witness_key(name: str, key: NoteKey) -> Vkey:
    """The public key of a witness."""
    return Vkey(name, KeyType.COSIGNATURE, key.verifier)


def cosign(name: str, key: NoteKey, text: str, time: int) -> Signature:
    """A witness's cosignature over a checkpoint's whole text, at a time in seconds."""
    Head.parse(text)
    vkey = witness_key(name, key)
    return signature(vkey, _TIME.pack(time) + key.sign(_cosigned_message(time, text)))


def cosigned_at(note: Note, witness: Vkey) -> int | None:
    """The newest time at which a witness cosigned, None if it did not; raises BadNote if one does not hold."""
    times = [_checked_cosignature(note.text, witness, value) for value in note.by(witness)]
    return max(times, default=None)


def signature(key: Vkey, value: bytes) -> Signature:
    """The line of a signature by a key."""
    return Signature(key.name, key.id, value)


def read_number(text: str) -> int:
    """Read an ASCII decimal without leading zeros, at most 2**62; raises BadNote."""
    if not (0 < len(text) < 20 and text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0"):
        raise BadNote("expected a decimal number without leading zeros")
    number = int(text)
    if number > MAX_SIZE:
        raise BadNote(f"expected a number up to {MAX_SIZE}, got {number}")
    return number


def _signed(note: Note, log: Vkey) -> bool:
    """Whether a log signed; a signature that does not hold refuses the whole note."""
    values = note.by(log)
    for value in values:
        _check(log, note.text.encode(), value)
    return bool(values)


def _checked_cosignature(text: str, witness: Vkey, value: bytes) -> int:
    if len(value) != _TIME.size + SIGNATURE_SIZE:
        raise BadNote(f"expected a cosignature of {_TIME.size + SIGNATURE_SIZE} bytes, got {len(value)}")
    (time,) = _TIME.unpack(value[: _TIME.size])
    if time > MAX_TIME:
        raise BadNote("expected a time below 2**63 seconds, got a later one")
    _check(witness, _cosigned_message(time, text), value[_TIME.size :])
    return int(time)


def _cosigned_message(time: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _check(key: Vkey, message: bytes, value: bytes) -> None:
    try:
        key.verifier.verify(message, value)
    except BadSignature:
        raise BadNote(f"expected a signature by {key.name} that holds, got one that does not") from None
