"""The key file of a log or a witness: one line, `PRIVATE+KEY+name+id+base64(type ‖ seed)`, readable by its owner only.

Such a key has to work while nobody is there to type a passphrase; it signs notes, and opens and decides nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from events.errors import BadNote
from events.notes import KeyType, Vkey, from_base64, to_base64
from keys.errors import InvalidKey
from keys.notes import NoteKey
from storage.disk import flush_directory

PREFIX = "PRIVATE+KEY+"
MAX_FILE = 4096


class NoteKeyError(Exception):
    """A key file that cannot be made or used; says why, never what is in it."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A secret key with the public key that others know it by."""

    vkey: Vkey
    secret: NoteKey = field(repr=False)

    @classmethod
    def generate(cls, name: str, kind: KeyType) -> HeldKey:
        """Make a new key; raises BadNote for a name that is none."""
        secret = NoteKey.generate()
        return cls(Vkey(name, kind, secret.verifier), secret)

    def save(self, path: Path) -> None:
        """Write a new key file, flushed to disk; raises NoteKeyError if one is there already."""
        typed = to_base64(bytes((self.vkey.type,)) + self.secret.seed)
        temporary = path.with_name(f".{path.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{PREFIX}{self.vkey.name}+{self.vkey.id.hex()}+{typed}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            raise NoteKeyError(f"{path} holds a key already; nothing was changed") from None
        finally:
            temporary.unlink()
        flush_directory(path.parent)

    @classmethod
    def load(cls, path: Path) -> HeldKey:
        """Read a key file; raises NoteKeyError."""
        try:
            with path.open("rb") as file:
                text = file.read(MAX_FILE).decode("utf-8").strip()
        except OSError as error:
            raise NoteKeyError(f"the key file {path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise NoteKeyError(f"the key file {path} is damaged") from None
        try:
            return cls._parse(text)
        except (BadNote, InvalidKey, ValueError):
            # Whatever was wrong with it may quote it.
            raise NoteKeyError(f"the key file {path} is damaged") from None

    @classmethod
    def _parse(cls, text: str) -> HeldKey:
        name, key_id, typed = text.removeprefix(PREFIX).split("+", 2)
        raw = from_base64(typed)
        secret = NoteKey(raw[1:])
        vkey = Vkey(name, KeyType(raw[0]), secret.verifier)
        if not text.startswith(PREFIX) or vkey.id.hex() != key_id:
            raise ValueError(name)
        return cls(vkey, secret)
