"""Signed notes (c2sp.org/signed-note): a text, and below it one line for each signature.

    — <name of the key> base64(key id, four bytes ‖ signature)

`Note` promises nothing but its form: `events.checkpoint` and `events.policy` say what its signatures prove.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from enum import IntEnum

from events.errors import BadNote
from keys.errors import InvalidKey
from keys.notes import NoteVerifier

MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64
MAX_VKEY = 512
KEY_ID_SIZE = 4
DASH = "— "


class KeyType(IntEnum):
    """What a key's signatures are, as C2SP numbers them; other types are not known here."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class Vkey:
    """A public key with its name and the type of its signatures: `name+id+base64(type ‖ key)`."""

    name: str
    type: KeyType
    verifier: NoteVerifier

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature's line, together with its name."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed).digest()[:KEY_ID_SIZE]

    @property
    def _typed(self) -> bytes:
        return bytes((self.type,)) + self.verifier.public

    def text(self) -> str:
        """The key as one line of text."""
        return f"{self.name}+{self.id.hex()}+{to_base64(self._typed)}"

    @classmethod
    def parse(cls, text: str) -> Vkey:
        """Read a key from its line of text; raises BadNote."""
        # A name has no plus sign, but base64 does.
        parts = text.split("+", 2)
        if len(text) > MAX_VKEY or len(parts) != 3:
            raise BadNote("expected a key as name+id+base64, got something else")
        typed = from_base64(parts[2])
        if not typed or typed[0] not in set(KeyType):
            raise BadNote("expected a key for Ed25519 signatures (1) or Ed25519 cosignatures (4), got another type")
        try:
            key = cls(parts[0], KeyType(typed[0]), NoteVerifier(typed[1:]))
        except InvalidKey as error:
            raise BadNote(f"expected a valid key of {parts[0]!r}, got one where {error}") from None
        if key.id.hex() != parts[1]:
            raise BadNote(f"expected the key id {key.id.hex()}, got another: the key was altered or cut off")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; nothing about it is proved."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """The line, with its newline."""
        return f"{DASH}{self.name} {to_base64(self.key_id + self.value)}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read a line without its newline; raises BadNote."""
        parts = line.removeprefix(DASH).split(" ")
        if not line.startswith(DASH) or len(parts) != 2:
            raise BadNote("expected a signature line: a dash, a name, and base64")
        check_name(parts[0])
        raw = from_base64(parts[1])
        if len(raw) <= KEY_ID_SIZE:
            raise BadNote("expected a key id and a signature, got less")
        return cls(parts[0], raw[:KEY_ID_SIZE], raw[KEY_ID_SIZE:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text (with its final newline) and the signatures under it; nothing about them is proved."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Read a note's bytes; raises BadNote."""
        text, blank, lines = read_text(data, MAX_NOTE).rpartition("\n\n")
        if not blank:
            raise BadNote("expected a text, an empty line and signatures, got no empty line")
        return cls(text + "\n", _signatures(lines))

    def encode(self) -> bytes:
        """The note's bytes, the same as were read."""
        return f"{self.text}\n{''.join(signature.line() for signature in self.signatures)}".encode()

    def signed(self, *more: Signature) -> Note:
        """This note with more signatures, each line once; raises BadNote beyond the limits."""
        lines = dict.fromkeys((*self.signatures, *more))
        if len(lines) > MAX_SIGNATURES:
            raise BadNote(f"expected at most {MAX_SIGNATURES} signatures, got {len(lines)}")
        return Note(self.text, tuple(lines))

    def by(self, key: Vkey) -> list[bytes]:
        """The signatures said to be by this key; whoever has the name alone or the id alone is another."""
        return [line.value for line in self.signatures if (line.name, line.key_id) == (key.name, key.id)]


def read_signatures(data: bytes) -> tuple[Signature, ...]:
    """Read signature lines alone, as a witness answers them; raises BadNote."""
    return _signatures(read_text(data, MAX_NOTE))


def read_text(data: bytes, limit: int) -> str:
    """Bounded UTF-8 without control characters other than newlines; raises BadNote."""
    if len(data) > limit:
        raise BadNote(f"expected at most {limit} bytes, got {len(data)}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadNote("expected UTF-8, got bytes that are none") from None
    if any(char < " " and char != "\n" for char in text):
        raise BadNote("expected no control characters but newlines, got one")
    return text


def check_name(name: str) -> None:
    """Check the name of a key: not empty, no spaces, no plus sign; raises BadNote."""
    if not name or any(char.isspace() or char == "+" or char < " " or "\ud800" <= char < "\ue000" for char in name):
        raise BadNote("expected a key's name without spaces, plus signs and control characters")


def to_base64(data: bytes) -> str:
    """Base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Read base64 in its one canonical form; raises BadNote."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("expected base64, got something else") from None
    # Loose final bits and superfluous padding would give one value many forms.
    if to_base64(data) != text:
        raise BadNote("expected the canonical form of base64, got another")
    return data


def _signatures(text: str) -> tuple[Signature, ...]:
    *lines, rest = text.split("\n")
    if rest or not lines:
        raise BadNote("expected signature lines that each end with a newline")
    if len(lines) > MAX_SIGNATURES:
        raise BadNote(f"expected at most {MAX_SIGNATURES} signatures, got {len(lines)}")
    return tuple(Signature.parse(line) for line in lines)
