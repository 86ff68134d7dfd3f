"""Readers' marks: found again where it is promised, invisible, harmless to the file; hostile files lose nothing by them."""

from __future__ import annotations

import io
import secrets
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from exchange.client import marks
from exchange.client.formats import docx as docx_format
from exchange.client.formats import plain
from exchange.client.formats.bounds import MAX_FILE
from exchange.client.formats.words import text_of
from exchange.client.marks import allowed, marked, marks_in
from keys.epoch import EpochKey
from keys.marks import mark, readers
from keys.sealing import ObjectKey
from tests.support.files import RELATIONS, TYPES, docx, pdf, xmp

UDHR = sorted((Path(__file__).parents[2] / "data" / "udhr").glob("*.txt"))
MARK = bytes.fromhex("0123456789abcdef")
OTHER = bytes.fromhex("fedcba9876543210")
LINES = ("The statistical office keeps the figures of the year.", "Nobody else keeps any figures of that kind.")
INVISIBLE = "\u2060\u2061\u2062\u2063\u2064"
SECONDS = 45
ROOM = 700 * 1024 * 1024


def bare(text: str) -> str:
    return "".join(char for char in text if char not in INVISIBLE)


# -- whose


def test_a_mark_is_of_one_reader_of_one_object() -> None:
    epoch = EpochKey.generate(b"scope", 1)
    one, two = (ObjectKey.derive(epoch, context, bytes(32)) for context in (b"one", b"two"))
    people = [secrets.token_bytes(32) for _ in range(40)]
    assert len({mark(key, person) for key in (one, two) for person in people}) == 80
    assert readers(one, {mark(one, people[3]), mark(two, people[5]), MARK}, people) == (people[3],)


# -- plain text


@pytest.mark.parametrize("path", UDHR, ids=lambda path: path.name[:2])
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_text_in_six_languages_differs_in_nothing_visible(path: Path, name: str) -> None:
    data = path.read_bytes()
    copy = marked(data, name, MARK)
    assert copy.how == marks.IN_TEXT
    assert copy.data != data
    assert bare(copy.data.decode()) == data.decode()
    added = set(copy.data.decode()) - set(data.decode())
    # Format characters without width: they neither join letters nor turn directions (U+2060 to U+2064 are BN in UAX 9).
    assert {unicodedata.category(char) for char in added} == {"Cf"}
    assert {unicodedata.bidirectional(char) for char in added} == {"BN"}
    assert marks_in(copy.data, name) == {MARK}


@pytest.mark.parametrize("path", UDHR, ids=lambda path: path.name[:2])
def test_a_marked_text_keeps_its_mark_in_other_formats_and_in_excerpts(path: Path) -> None:
    text = marked(path.read_bytes(), "a.txt", MARK).data.decode()
    lines = text.split("\n")
    page = "<!DOCTYPE html><html><body>" + "<br>\n".join(lines) + "</body></html>"
    for data, name in (
        (docx(lines), "a.docx"),
        (page.encode(), "a.html"),
        (text.encode("utf-16"), "a.txt"),
        ("\r\n".join(lines[8:14]).encode(), ""),
        (b"\xef\xbb\xbf" + text.encode(), "b.txt"),
    ):
        assert marks_in(data, name) == {MARK}


def test_a_copy_of_a_copy_carries_both_marks() -> None:
    data = "\n".join(LINES).encode()
    twice = marked(marked(data, "a.txt", MARK).data, "a.txt", OTHER)
    assert marks_in(twice.data, "a.txt") == {MARK, OTHER}
    assert bare(twice.data.decode()).encode() == data


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n\n", b"\x00\x01", b"\xff\xfe\xfd", b"no place: https://example.org/", b"{\n}\n"],
    ids=["empty", "empty lines", "zeros", "no UTF-8", "an address alone", "braces"],
)
def test_text_without_a_place_is_left_as_it_is(data: bytes) -> None:
    assert marked(data, "a.txt", MARK) == marks.Marked(data, "")


def test_addresses_and_code_are_left_alone() -> None:
    text = "# A heading that is long enough\n\n```\ncode that is long enough to take one\n```\nSee https://example.org/a/b\n"
    copy = marked(text.encode(), "a.md", MARK).data.decode().split("\n")
    assert copy[3] == "code that is long enough to take one"
    assert copy[5] == "See https://example.org/a/b"
    assert marks_in("\n".join(copy).encode(), "a.md") == {MARK}


@given(st.text(max_size=400), st.binary(min_size=8, max_size=8))
def test_any_text_keeps_every_character_and_its_line_endings(text: str, own: bytes) -> None:
    copy = marked(text.encode(errors="replace"), "a.txt", own)
    again = copy.data.decode()
    if copy.how:
        assert own in marks_in(copy.data, "a.txt")
        assert again.replace(plain.invisible(own), "") == text
    else:
        assert again == text.encode(errors="replace").decode()


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a.md", "a.docx", "a.html", ""]))
def test_any_bytes_can_be_looked_at(data: bytes, name: str) -> None:
    marks_in(data, name)
    assert marked(data, name, MARK).data == data or marked(data, name, MARK).how


def test_html_of_odd_tags_keeps_its_words() -> None:
    page = "<html><body><            b>bold</b>< >and<script >no words</script >plain &amp; simple<>end</body>"
    assert "".join(text_of(page.encode(), "a.html").split()) == "boldandplain&simpleend"


# -- DOCX


def parses(part: bytes) -> None:
    expat.ParserCreate(namespace_separator=" ").Parse(part, True)


@pytest.mark.parametrize("path", UDHR, ids=lambda path: path.name[:2])
def test_a_marked_docx_is_a_sound_package_with_the_same_words(path: Path) -> None:
    data = docx(path.read_text().split("\n"), {"word/media/image1.png": b"\x89PNG" + bytes(500)})
    copy = marked(data, "a.docx", MARK)
    assert copy.how == marks.IN_PROPERTIES
    with zipfile.ZipFile(io.BytesIO(copy.data)) as new, zipfile.ZipFile(io.BytesIO(data)) as old:
        assert new.testzip() is None
        for name in new.namelist():
            if name.endswith((".xml", ".rels")):
                parses(new.read(name))
        changed = {name for name in new.namelist() if name not in old.namelist() or new.read(name) != old.read(name)}
    assert changed == {"[Content_Types].xml", "_rels/.rels", "docProps/custom.xml"}
    assert text_of(copy.data) == text_of(data)
    assert marks_in(copy.data, "a.docx") == {MARK}


def test_a_docx_with_properties_of_its_own_keeps_them() -> None:
    once = marked(docx(LINES), "a.docx", MARK)
    twice = marked(once.data, "a.docx", OTHER)
    assert marks_in(twice.data, "") == {MARK, OTHER}
    with zipfile.ZipFile(io.BytesIO(twice.data)) as package:
        part = package.read("docProps/custom.xml")
    parses(part)
    assert part.count(b'pid="2"') == part.count(b'pid="3"') == 1


def bomb() -> bytes:
    return docx(LINES, {"word/media/zeros.bin": bytes(200 * 1024 * 1024)})


def lying_bomb() -> bytes:
    """A part that says it is small and is not."""
    data = bytearray(docx(LINES, {"word/zeros.xml": bytes(60 * 1024 * 1024)}))
    size = (60 * 1024 * 1024).to_bytes(4, "little")
    return bytes(data.replace(size, (1000).to_bytes(4, "little")))


def many_parts() -> bytes:
    return docx(LINES, {f"p/{n}": b"" for n in range(12_000)})


ENTITY = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
LAUGHS = (
    "<!DOCTYPE w ["
    + "".join(
        f'<!ENTITY e{n} "{"&e" + str(n - 1) + ";" if n else "ha"}{"&e" + str(n - 1) + ";" if n else ""}">'
        for n in range(40)
    )
    + "]>"
)
HOSTILE: dict[str, Callable[[], bytes]] = {
    "zip bomb": bomb,
    "zip bomb that lies": lying_bomb,
    "too many parts": many_parts,
    "external entity": lambda: docx(LINES, {"[Content_Types].xml": ENTITY + TYPES.split("?>", 1)[1]}),
    "a billion laughs": lambda: docx(LINES, {"_rels/.rels": LAUGHS + RELATIONS.split("?>", 1)[1]}),
    "truncated": lambda: docx(LINES)[:-40],
    "half": lambda: docx(LINES)[: len(docx(LINES)) // 2],
    "no relations": lambda: docx(LINES, {"_rels/.rels": "nonsense"}),
    "no document": lambda: docx(LINES).replace(b"word/document.xml", b"word/documenx.xml"),
    "signed": lambda: docx(LINES, {"_xmlsignatures/sig1.xml": "<x/>"}),
    "properties elsewhere": lambda: docx(
        LINES,
        {
            "_rels/.rels": RELATIONS.replace(
                "</Relationships>",
                '<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
                'custom-properties" Target="../../etc/passwd"/></Relationships>',
            )
        },
    ),
    "a header alone": lambda: b"PK\x03\x04" + bytes(10_000),
    "random": lambda: b"PK\x03\x04" + secrets.token_bytes(100_000),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_docx_reaches_its_reader_as_it_is(how: str) -> None:
    data = HOSTILE[how]()
    began, before = time.monotonic(), psutil.Process().memory_info().rss
    assert marked(data, "a.docx", MARK) == marks.Marked(data, "")
    marks_in(data, "a.docx")
    words = text_of(data, "a.docx")
    assert "root:" not in words
    assert "hahaha" not in words
    assert time.monotonic() - began < SECONDS
    assert psutil.Process().memory_info().rss - before < ROOM


def test_a_document_with_a_document_type_has_no_words() -> None:
    part = f'<?xml version="1.0"?>{ENTITY}<w:document xmlns:w="w"><w:p><w:t>&x;</w:t></w:p></w:document>'
    assert text_of(docx(LINES, {"word/document.xml": part})) == ""


@settings(deadline=None)
@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_docx_with_any_byte_changed_is_marked_soundly_or_not_at_all(place: int, value: int) -> None:
    data = bytearray(docx(LINES))
    data[place % len(data)] = value
    copy = marked(bytes(data), "a.docx", MARK)
    if copy.how:
        assert docx_format.marks_in(copy.data) == {MARK}
    else:
        assert copy.data == bytes(data)


# -- PDF


@pytest.mark.parametrize("table", [True, False], ids=["table", "stream"])
@pytest.mark.parametrize("packet", [True, False], ids=["with XMP", "without"])
def test_a_marked_pdf_begins_with_the_original_and_opens(table: bool, packet: bool) -> None:
    extra = {"extra": (xmp(),), "catalog": b"/Metadata 6 0 R"} if packet else {}
    data = pdf(LINES, table=table, **extra)
    copy = marked(data, "a.pdf", MARK)
    assert copy.how == marks.IN_PROPERTIES
    assert copy.data.startswith(data)
    new = PdfReader(io.BytesIO(copy.data), strict=True)
    assert len(new.pages) == 1
    assert [line.strip() for line in new.pages[0].extract_text().split("\n")] == list(LINES)
    assert MARK.hex() in str(new.metadata["/ColloquyReader"])
    assert marks_in(copy.data, "a.pdf") == {MARK}
    assert marks_in(marked(copy.data, "a.pdf", OTHER).data, "a.pdf") == {MARK, OTHER}


def huge_size() -> bytes:
    return pdf(LINES).replace(b"/Size 6", b"/Size 99999999999")


def huge_table() -> bytes:
    return pdf(LINES).replace(b"xref\n0 6\n", b"xref\n0 999999999\n")


def endless() -> bytes:
    data = pdf(LINES)
    start = data.rindex(b"startxref\n")
    place = data[start:].split()[1]
    return data[:start].replace(b"/Root 1 0 R >>", b"/Root 1 0 R /Prev " + place + b" >>") + data[start:]


def deflated_bomb() -> bytes:
    zeros = zlib.compress(bytes(300 * 1024 * 1024), 9)
    return pdf(
        LINES,
        extra=(b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(zeros) + zeros + b"\nendstream",),
        catalog=b"/Metadata 6 0 R",
    )


def pages_in_a_ring() -> bytes:
    return pdf(LINES).replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")


HOSTILE_PDF: dict[str, Callable[[], bytes]] = {
    "huge size": huge_size,
    "huge table": huge_table,
    "sections in a ring": endless,
    "pages in a ring": pages_in_a_ring,
    "deflated bomb": deflated_bomb,
    "truncated": lambda: pdf(LINES)[:-30],
    "half": lambda: pdf(LINES)[:300],
    "wrong start": lambda: pdf(LINES).replace(b"startxref\n", b"startxref\n1"),
    "signed": lambda: pdf(LINES, extra=(b"<< /Type /Sig /ByteRange [0 1 2 3] >>",)),
    "encrypted": lambda: pdf(LINES).replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt << /Filter /Standard /V 9 >>"),
    "nested": lambda: pdf(LINES, catalog=b"/A " + b"[" * 5000 + b"]" * 5000),
    "a header alone": lambda: b"%PDF-1.7\n" + bytes(1000),
    "random": lambda: b"%PDF-1.7\n" + secrets.token_bytes(100_000),
    "something after": lambda: pdf(LINES) + b"x" * 3000,
}
MAY_BE_MARKED = {"nested", "deflated bomb", "sections in a ring"}


@pytest.mark.parametrize("how", HOSTILE_PDF)
def test_a_hostile_pdf_reaches_its_reader_as_it_is(how: str) -> None:
    data = HOSTILE_PDF[how]()
    began, before = time.monotonic(), psutil.Process().memory_info().rss
    copy = marked(data, "a.pdf", MARK)
    if how in MAY_BE_MARKED and copy.how:
        assert copy.data.startswith(data)
    else:
        assert copy == marks.Marked(data, "")
    marks_in(data, "a.pdf")
    assert time.monotonic() - began < SECONDS
    assert psutil.Process().memory_info().rss - before < ROOM


# -- names, sizes


def test_name_and_content_must_agree() -> None:
    for data, name in (
        (docx(LINES), "a.pdf"),
        (pdf(LINES), "a.docx"),
        (pdf(LINES), "a.txt"),
        (b"text, long enough.", "a.csv"),
    ):
        assert marked(data, name, MARK) == marks.Marked(data, "")


def test_large_files_are_never_marked_and_never_taken_into_memory() -> None:
    assert allowed("a.PDF", MAX_FILE)
    assert not allowed("a.pdf", MAX_FILE + 1)
    assert not allowed("a.zip", 10)
    assert not allowed("pdf", 10)


def test_a_mark_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="expected a mark of 8 bytes"):
        marked(b"x", "a.txt", b"short")


def test_marks_written_by_the_thousand_are_bounded() -> None:
    flood = "\n".join(plain.invisible(secrets.token_bytes(8)) for _ in range(5000))
    assert len(marks_in(flood.encode(), "a.txt")) == 1000
    assert len(marks_in(b" ".join(b"colloquy-reader:%016x" % n for n in range(5000)), "")) == 1000
