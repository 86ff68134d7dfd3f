"""The log's own key: made at the first start, kept beside the data, readable by the operator only."""

from __future__ import annotations

import os
import re
from pathlib import Path

from keys.notes import NoteKey
from storage.disk import flush_directory, write_all
from storage.errors import Damaged

HEADER = "colloquy-log-key1"
FILE = "log.key"
WRITTEN = re.compile(HEADER + r"\n([0-9a-f]{64})\n")


def log_key(data: Path) -> NoteKey:
    """The key in the server's data directory, made if there is none; raises Damaged."""
    path = data / FILE
    if not path.exists():
        _write(path, NoteKey.generate())
    found = WRITTEN.fullmatch(path.read_text("ascii", errors="replace"))
    if found is None:
        raise Damaged(f"{path} is no key of a log; put it back from a backup")
    return NoteKey(bytes.fromhex(found[1]))


def default_origin(key: NoteKey) -> str:
    """A log's name where the operator gives none: no two keys share it."""
    return f"colloquy/{key.verifier.public.hex()[:16]}"


def _write(path: Path, key: NoteKey) -> None:
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(descriptor, f"{HEADER}\n{key.seed.hex()}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.rename(path)
    flush_directory(path.parent)
