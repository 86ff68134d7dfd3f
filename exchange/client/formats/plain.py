"""Plain text: marks are invisible characters at the ends of its lines; words of text, Markdown, CSV and HTML.

The characters are U+2061 to U+2064, two bits each, between two U+2060. They join nothing, direct nothing and shape
nothing: unlike the joiners and the bidirectional controls they leave Arabic and Persian as they were.
"""

from __future__ import annotations

import codecs
import html as markup
import re
from collections.abc import Iterator
from itertools import islice

from exchange.client.formats.bounds import MAX_FILE, MAX_MARKS, MAX_TEXT
from keys.marks import MARK_SIZE

FENCE = "\u2060"
DIGITS = "\u2061\u2062\u2063\u2064"
SHORTEST = 20
_INVISIBLE = re.compile(f"{FENCE}([{DIGITS}]{{{4 * MARK_SIZE}}}){FENCE}")
_ENDINGS = frozenset(".,;:!?…»”’\"')]。，；：！？」』）؟؛،۔")
_ADDRESS = ("://", "@", "www.")


def invisible(mark: bytes) -> str:
    """A mark as characters nobody sees."""
    return FENCE + "".join(DIGITS[byte >> shift & 3] for byte in mark for shift in (6, 4, 2, 0)) + FENCE


def marked(data: bytes, mark: bytes, *, markdown: bool = False) -> bytes | None:
    """The text with the mark at the ends of its lines and nothing else changed; None without UTF-8 or a place."""
    text = _utf8(data)
    if text is None:
        return None
    lines = text.splitlines(keepends=True)
    chosen = _places(lines, markdown=markdown)
    for number in chosen:
        words = lines[number].rstrip()
        lines[number] = words + invisible(mark) + lines[number][len(words) :]
    return "".join(lines).encode() if chosen else None


def marks_in(text: str) -> set[bytes]:
    """The first MAX_MARKS invisible marks in a text."""
    return {_read(match[1]) for match in islice(_INVISIBLE.finditer(text), MAX_MARKS)}


def text(data: bytes, *, html: bool = False) -> str:
    """The words of any bytes taken as text, of HTML without its tags; at most MAX_TEXT characters."""
    as_text = decoded(data)
    start = as_text[:1000].lower()
    return _without_tags(as_text) if html or "<html" in start or "<!doctype html" in start else as_text


def decoded(data: bytes) -> str:
    """Any bytes taken as text, as it stands; at most MAX_TEXT characters."""
    return data[: 4 * MAX_TEXT].decode(_encoding(data), errors="replace")[:MAX_TEXT]


def _utf8(data: bytes) -> str | None:
    if len(data) > MAX_FILE or b"\x00" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _places(lines: list[str], *, markdown: bool) -> list[int]:
    """Numbers of the lines that take a mark, evenly over the text; the last one that can if all are short."""
    can = list(_prose(lines)) if markdown else list(range(len(lines)))
    can = [number for number in can if _takes_one(lines[number])]
    long = [number for number in can if len(lines[number].strip()) >= SHORTEST] or can[-1:]
    step = max(1, -(-len(long) // MAX_MARKS))
    return long[::step]


def _takes_one(line: str) -> bool:
    """Not after an address, which would lead elsewhere, nor after what may be markup; after another mark it may."""
    words = line.rstrip().rstrip(FENCE + DIGITS)
    last = words.rpartition(" ")[2]
    return bool(words) and (words[-1].isalnum() or words[-1] in _ENDINGS) and not any(a in last for a in _ADDRESS)


def _prose(lines: list[str]) -> Iterator[int]:
    """Numbers of the Markdown lines that are not code."""
    fenced = False
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and not line.startswith(("    ", "\t")):
            yield number


def _read(digits: str) -> bytes:
    value = 0
    for digit in digits:
        value = value << 2 | DIGITS.index(digit)
    return value.to_bytes(MARK_SIZE, "big")


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _without_tags(page: str) -> str:
    """The words of a page, in one pass whatever it holds: no tag, script or style is searched for its end twice."""
    first, *pieces = page.split("<")
    words, inside = [first], ""
    for piece in pieces:
        tag, _, rest = piece.partition(">")
        name = (tag[:8].lower().split() or [""])[0]
        if inside:
            inside = "" if name == "/" + inside else inside
        elif name in ("script", "style"):
            inside = name
        if not inside:
            words.append(rest)
    return markup.unescape(" ".join(words))
