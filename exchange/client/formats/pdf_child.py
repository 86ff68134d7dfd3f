"""The process that reads one PDF: a task in its arguments, the file on its input, the result on its output.

A mark is an incremental update (ISO 32000-2, 7.5.6): the file stays as it is, byte for byte, and what is new
follows it: the information dictionary, the XMP packet if there is one, and a cross-reference section
of the kind the file has.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import struct
import sys
import time
from collections.abc import Callable
from typing import cast

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DecodedStreamObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from exchange.client.formats.bounds import MAX_TEXT, PROPERTY

MEMORY = 1024 * 1024 * 1024
MAX_PROPERTIES = 1024 * 1024
MAX_NUMBER = 8_388_607  # the highest number of an object that every reader takes (ISO 32000-1, annex C)
SECONDS = 20
_ENDING = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF\s*$")
_STREAM = re.compile(rb"\d+\s+\d+\s+obj")
_XMP = '<rdf:Description rdf:about="" xmlns:rdf="{rdf}" xmlns:colloquy="{own}" colloquy:reader="{value}"/>'
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OWN = "urn:colloquy:mark"


class Unsuitable(ValueError):
    """Encrypted, signed, repaired while it was opened, or of a build that a mark could damage."""


def marked(data: bytes, value: str) -> bytes:
    """The file with a property added; raises Unsuitable or what pypdf raises."""
    start, reader = _sound(data)
    root = reader.root_object
    if "/Perms" in root or b"/ByteRange" in data:
        raise Unsuitable
    used = [max(ids, default=0) for ids in (*reader.xref.values(), reader.xref_objStm)]
    number = max([cast("int", reader.trailer["/Size"]), *(highest + 1 for highest in used)])
    if number > MAX_NUMBER - 2:
        raise Unsuitable
    information, number = _information(reader, value, number)
    new = dict([information, *_xmp(root, value)])
    update = _Update(data, start, reader.trailer, number).written(information[0], new)
    if len(PdfReader(io.BytesIO(update)).pages) != len(reader.pages) or value.encode() not in properties(update):
        raise Unsuitable
    return update


def properties(data: bytes) -> bytes:
    """The information dictionary's texts and the XMP packet, one after another, at most MAX_PROPERTIES bytes."""
    reader = PdfReader(io.BytesIO(data))
    values = [str(value) for value in (reader.metadata or {}).values()]
    packet = reader.root_object.get("/Metadata")
    xmp = packet.get_object() if packet is not None else None
    found = "\n".join(values).encode(errors="replace") + (xmp.get_data() if isinstance(xmp, StreamObject) else b"")
    return found[:MAX_PROPERTIES]


def text(data: bytes) -> bytes:
    """The words of the pages, in order, until time or room ends; a page that cannot be read is left out."""
    end = time.monotonic() + SECONDS / 2
    pages, size = [], 0
    for page in PdfReader(io.BytesIO(data)).pages:
        with contextlib.suppress(Exception):
            pages.append(page.extract_text()[: MAX_TEXT - size])
            size += len(pages[-1])
        if size >= MAX_TEXT or time.monotonic() > end:
            break
    return "\n".join(pages).encode(errors="replace")


def _sound(data: bytes) -> tuple[int, PdfReader]:
    """Where the newest cross-reference section is, and the reader; raises Unsuitable if it had to be guessed."""
    ending = _ENDING.search(data[-2048:])
    if ending is None or not data.startswith(b"%PDF-"):
        raise Unsuitable
    start = int(ending[1])
    if not (data.startswith(b"xref", start) or _STREAM.match(data, start)):
        raise Unsuitable
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        raise Unsuitable
    return start, reader


def _information(reader: PdfReader, value: str, number: int) -> tuple[tuple[tuple[int, int], PdfObject], int]:
    """The information dictionary with one key more, under its number or a new one; and the next free number."""
    old = reader.trailer.raw_get("/Info") if "/Info" in reader.trailer else None
    dictionary = old.get_object() if old is not None else None
    new = DictionaryObject(dictionary if isinstance(dictionary, DictionaryObject) else {})
    new[_unused(new)] = TextStringObject(value)
    if isinstance(old, IndirectObject):
        return ((old.idnum, old.generation), new), number
    return ((number, 0), new), number + 1


def _unused(dictionary: DictionaryObject) -> NameObject:
    """A key of its own for each mark: a copy of a copy keeps both."""
    names = (f"/{PROPERTY}{number or ''}" for number in range(len(dictionary) + 1))
    return NameObject(next(name for name in names if name not in dictionary))


def _xmp(root: DictionaryObject, value: str) -> list[tuple[tuple[int, int], PdfObject]]:
    """The XMP packet with one description more; nothing without a packet, or for PDF/A, which forbids it."""
    place = root.raw_get("/Metadata") if "/Metadata" in root else None
    packet = place.get_object() if isinstance(place, IndirectObject) else None
    if not isinstance(place, IndirectObject) or not isinstance(packet, StreamObject):
        return []
    xmp = packet.get_data()
    if xmp.count(b"</rdf:RDF>") != 1 or b"pdfaid" in xmp:
        return []
    stream = DecodedStreamObject()
    stream.update({NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")})
    description = _XMP.format(rdf=_RDF, own=_OWN, value=value).encode()
    stream.set_data(xmp.replace(b"</rdf:RDF>", description + b"</rdf:RDF>"))
    return [((place.idnum, place.generation), stream)]


def _second_id(ids: PdfObject, data: bytes) -> ArrayObject:
    """The file's identifiers: the first stays, the second is new with every revision."""
    if not isinstance(ids, ArrayObject) or not isinstance(ids[0], TextStringObject | ByteStringObject):
        raise Unsuitable
    return ArrayObject([ByteStringObject(ids[0].original_bytes), ByteStringObject(hashlib.sha256(data).digest()[:16])])


class _Update:
    """What follows a file: its new objects and the cross-reference section that names them."""

    def __init__(self, data: bytes, previous: int, trailer: DictionaryObject, number: int) -> None:
        self.out = io.BytesIO()
        self.out.write(data if data.endswith((b"\n", b"\r")) else data + b"\n")
        self.table = data.startswith(b"xref", previous)
        self.number = number
        self.trailer = DictionaryObject({NameObject("/Prev"): NumberObject(previous)})
        self.trailer[NameObject("/Root")] = trailer.raw_get("/Root")
        if "/ID" in trailer:
            self.trailer[NameObject("/ID")] = _second_id(trailer["/ID"], data)

    def written(self, information: tuple[int, int], objects: dict[tuple[int, int], PdfObject]) -> bytes:
        """The whole file; `objects` by number and generation, one of which is the information dictionary."""
        self.trailer[NameObject("/Info")] = IndirectObject(*information, None)
        places = {key: self._object(key, value) for key, value in sorted(objects.items())}
        start = self.out.tell()
        (self._xref_table if self.table else self._xref_stream)(places, start)
        self.out.write(f"startxref\n{start}\n%%EOF\n".encode())
        return self.out.getvalue()

    def _object(self, key: tuple[int, int], value: PdfObject) -> int:
        place = self.out.tell()
        self.out.write(f"{key[0]} {key[1]} obj\n".encode())
        value.write_to_stream(self.out)
        self.out.write(b"\nendobj\n")
        return place

    def _xref_table(self, places: dict[tuple[int, int], int], _: int) -> None:
        self.out.write(b"xref\n0 1\n0000000000 65535 f \n")
        for (number, generation), place in places.items():
            self.out.write(f"{number} 1\n{place:010} {generation:05} n \n".encode())
        self.trailer[NameObject("/Size")] = NumberObject(self.number)
        self.out.write(b"trailer\n")
        self.trailer.write_to_stream(self.out)
        self.out.write(b"\n")

    def _xref_stream(self, places: dict[tuple[int, int], int], start: int) -> None:
        rows = {**places, (self.number, 0): start}
        stream = DecodedStreamObject()
        stream.update(self.trailer)
        stream[NameObject("/Type")] = NameObject("/XRef")
        stream[NameObject("/Size")] = NumberObject(self.number + 1)
        stream[NameObject("/W")] = ArrayObject(map(NumberObject, (1, 8, 2)))
        stream[NameObject("/Index")] = ArrayObject(NumberObject(n) for number, _ in rows for n in (number, 1))
        stream.set_data(b"".join(struct.pack(">BQH", 1, place, generation) for (_, generation), place in rows.items()))
        self._object((self.number, 0), stream)


def _bound() -> None:
    """Bound this process where the system can; the parent bounds its time everywhere."""
    try:
        import resource  # noqa: PLC0415  (not on every system)
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def main() -> None:
    """Run the task named by the arguments."""
    _bound()
    data = sys.stdin.buffer.read()
    task, *rest = sys.argv[1:]
    sys.stdout.buffer.write(TASKS[task](data, *rest))


TASKS: dict[str, Callable[..., bytes]] = {"mark": marked, "properties": properties, "text": text}

if __name__ == "__main__":
    main()
