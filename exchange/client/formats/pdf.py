"""PDF, always in a process of its own: bounded in time and memory, holding no key, ended without harm.

Parsing PDF is where hostile files do the most; whatever one does there, the client goes on without its mark or words.
"""

from __future__ import annotations

import subprocess
import sys

from exchange.client.formats.bounds import MAX_FILE
from exchange.client.formats.written import written, written_in

SECONDS = 30
_CHILD = "exchange.client.formats.pdf_child"


class Unreadable(ValueError):
    """The file could not be read within the bounds, or is not to be marked."""


def marked(data: bytes, mark: bytes) -> bytes:
    """The document with the mark in its information and XMP, appended; raises Unreadable."""
    return _apart(data, "mark", written(mark))


def marks_in(data: bytes) -> set[bytes]:
    """The marks in the properties of a document, and those that stand anywhere as plain bytes."""
    found = written_in(data)
    try:
        return found | written_in(_apart(data, "properties"))
    except Unreadable:
        return found


def text(data: bytes) -> str:
    """The words of a document, as many as can be read in time; raises Unreadable."""
    return _apart(data, "text").decode(errors="replace")


def _apart(data: bytes, *task: str) -> bytes:
    if len(data) > MAX_FILE:
        raise Unreadable
    command = [sys.executable, "-P", "-m", _CHILD, *task]
    try:
        done = subprocess.run(  # noqa: S603  (our own module, no shell)
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unreadable from error
    return done.stdout
