"""Readers' marks in the files they open: written where the format allows, found in whatever comes to light.

A mark is no lock and no proof. It is removed by whoever knows of it, and can be written by whoever holds the
document's key (docs/spec/marks.md).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import PurePath

from exchange.client.formats import docx, pdf, plain
from exchange.client.formats.bounds import MAX_FILE
from exchange.client.formats.words import Format, format_of, text_of
from exchange.client.formats.written import written_in
from keys.marks import MARK_SIZE

PLAIN = frozenset({".txt", ".text"})
MARKDOWN = frozenset({".md", ".markdown"})
IN_PROPERTIES = "in its properties"
IN_TEXT = "in invisible characters at the ends of its lines"


@dataclass(frozen=True, slots=True)
class Marked:
    """A file as its reader gets it; `how` it was marked, in words, empty if it is as its author sent it."""

    data: bytes
    how: str


def marked(data: bytes, name: str, mark: bytes) -> Marked:
    """The file with the reader's mark (`keys.marks.mark`); unchanged if its format or build does not allow it.

    Raises ValueError for a mark of another length, and nothing else.
    """
    if len(mark) != MARK_SIZE:
        raise ValueError(f"expected a mark of {MARK_SIZE} bytes, got {len(mark)}")
    try:
        return _marked(data, PurePath(name).suffix.lower(), mark)
    except Exception:  # noqa: BLE001  (a hostile file must not keep its reader from the original)
        return Marked(data, "")


def allowed(name: str, size: int) -> bool:
    """Whether a file of this name and size (bytes) may take a mark at all."""
    return size <= MAX_FILE and PurePath(name).suffix.lower() in PLAIN | MARKDOWN | {".pdf", ".docx"}


def marks_in(data: bytes, name: str) -> frozenset[bytes]:
    """The marks in a file or a pasted text, whatever it is called; never raises."""
    found = written_in(data)
    with contextlib.suppress(Exception):
        found |= _in_properties(data)
    # Where tags are left out, a mark inside one would be too.
    return frozenset(found | plain.marks_in(text_of(data, name)) | plain.marks_in(plain.decoded(data)))


def _marked(data: bytes, suffix: str, mark: bytes) -> Marked:
    """Content and name must agree: what is called otherwise than it is, nobody sees opened as intended."""
    kind = format_of(data)
    if kind is Format.PDF and suffix == ".pdf":
        return Marked(pdf.marked(data, mark), IN_PROPERTIES)
    if kind is Format.DOCX and suffix == ".docx":
        return Marked(docx.marked(data, mark), IN_PROPERTIES)
    if kind is Format.PLAIN and suffix in PLAIN | MARKDOWN:
        new = plain.marked(data, mark, markdown=suffix in MARKDOWN)
        return Marked(data, "") if new is None else Marked(new, IN_TEXT)
    return Marked(data, "")


def _in_properties(data: bytes) -> set[bytes]:
    match format_of(data):
        case Format.PDF:
            return pdf.marks_in(data)
        case Format.DOCX:
            return docx.marks_in(data)
        case Format.PLAIN:
            return set()
