"""The journal of what is being sent, so that an interrupted command can be repeated and does the thing once.

One file per intent; an intent is a keyed digest of what the person asked for, so the file tells nobody what it was.
What lies in the journal and in the spool is sealed already.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import Any

import msgspec

from events import canonical
from exchange.client.home import write_private

SUFFIX = ".pending"


class Spooled(msgspec.Struct, frozen=True):
    """A sealed file that the server has whole, waiting for its event."""

    name: str
    id: bytes
    salt: bytes
    commitment: bytes
    digest: bytes
    size: int
    circle: str
    epoch: int


class Pending(msgspec.Struct, frozen=True):
    """An intent under way: its sealed files, and every event signed for it; at most one of them gets in.

    An event handed in before an interruption may arrive even after the command was repeated.
    """

    intent: bytes
    stream: bytes
    kind: str
    files: tuple[Spooled, ...] = ()
    events: tuple[bytes, ...] = ()


class Journal:
    """The pending intents of one home."""

    def __init__(self, directory: Path, spool: Path, key: bytes) -> None:
        self._directory = directory
        self._spool = spool
        self._key = key

    def intent(self, *parts: Any) -> bytes:
        """The keyed digest of what a person asks for."""
        return hmac.digest(self._key, canonical.encode(list(parts)), "sha256")

    def find(self, intent: bytes) -> Pending | None:
        """The pending entry of an intent."""
        return _read(self._path(intent))

    def others(self, intent: bytes) -> list[Pending]:
        """Everything else that is pending."""
        found = (_read(path) for path in sorted(self._directory.glob(f"*{SUFFIX}")))
        return [entry for entry in found if entry is not None and entry.intent != intent]

    def keep(self, entry: Pending) -> None:
        """Write an entry, flushed to disk before anything it speaks of is sent."""
        write_private(self._path(entry.intent), msgspec.msgpack.encode(entry))

    def finish(self, entry: Pending) -> None:
        """Remove an entry's sealed files: its event is in."""
        for file in entry.files:
            self.spooled(file.name).unlink(missing_ok=True)

    def drop(self, entry: Pending) -> None:
        """Forget an entry and its sealed files."""
        self.finish(entry)
        self._path(entry.intent).unlink(missing_ok=True)

    def spooled(self, name: str) -> Path:
        """Where a sealed file lies."""
        return self._spool / name

    def open_spool(self, name: str) -> int:
        """Open a new spool file for writing and reading, private to its owner."""
        return os.open(self.spooled(name), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

    def sweep(self) -> None:
        """Remove sealed files that nothing pending speaks of: sealing them was interrupted."""
        entries = [_read(path) for path in self._directory.glob(f"*{SUFFIX}")]
        wanted = {file.name for entry in entries if entry for file in entry.files}
        for path in self._spool.iterdir():
            if path.name not in wanted:
                path.unlink(missing_ok=True)

    def _path(self, intent: bytes) -> Path:
        return self._directory / f"{intent.hex()}{SUFFIX}"


def _read(path: Path) -> Pending | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Pending)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
