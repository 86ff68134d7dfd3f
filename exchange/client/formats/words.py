"""The words of a file, whatever its format."""

from __future__ import annotations

from enum import Enum

from exchange.client.formats import docx, pdf, plain


class Format(Enum):
    """What a file is by its content; whatever is neither PDF nor a package of parts is taken as text."""

    PDF = "pdf"
    DOCX = "docx"
    PLAIN = "plain"


def format_of(data: bytes) -> Format:
    """The format that a file's first bytes show."""
    if b"%PDF-" in data[:1024]:
        return Format.PDF
    return Format.DOCX if data.startswith(b"PK\x03\x04") else Format.PLAIN


def text_of(data: bytes, name: str = "") -> str:
    """The words of a file, at most bounds.MAX_TEXT characters; empty if it has none that can be read. Never raises.

    Text, Markdown, CSV, HTML (by content or by name), DOCX and PDF; a scanned page has no words.
    """
    try:
        return _text(data, name)
    except Exception:  # noqa: BLE001  (whatever a hostile file does, it has then no words)
        return ""


def _text(data: bytes, name: str) -> str:
    match format_of(data):
        case Format.PDF:
            return pdf.text(data)
        case Format.DOCX:
            return docx.text(data)
        case Format.PLAIN:
            return plain.text(data, html=name.lower().endswith((".html", ".htm", ".xhtml")))
