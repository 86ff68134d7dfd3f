"""DOCX (ECMA-376): a mark is a custom property of the document; words are those of its body and notes.

A package is read with sizes bounded before anything is unpacked, and its XML without document types. To mark, every
part is copied into a new package as it is, except the three that declare and hold the property.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.parsers import expat

from exchange.client.formats.bounds import MAX_FILE, MAX_TEXT, PROPERTY
from exchange.client.formats.written import written, written_in

MAX_UNPACKED = 128 * 1024 * 1024
MAX_PARTS = 10_000
MAX_XML = 16 * 1024 * 1024
TYPES = "[Content_Types].xml"
RELATIONS = "_rels/.rels"
PLACE = "docProps/"
CUSTOM = f"{PLACE}custom.xml"
_SCHEMAS = "http://schemas.openxmlformats.org/"
_PROPERTIES = f"{_SCHEMAS}officeDocument/2006/custom-properties"
_VARIANTS = f"{_SCHEMAS}officeDocument/2006/docPropsVTypes"
_RELATION = f"{_SCHEMAS}officeDocument/2006/relationships/custom-properties"
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_FORMAT_ID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
_WORDS = ("word/document.xml", "word/footnotes.xml", "word/endnotes.xml")
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


class Unsuitable(ValueError):
    """The package cannot be read within bounds, or cannot be marked without changing what it is."""


def marked(data: bytes, mark: bytes) -> bytes:
    """The document with the mark among its custom properties; raises Unsuitable or what zipfile and expat raise."""
    with _package(data) as package:
        names = package.namelist()
        if len(set(names)) != len(names) or "word/document.xml" not in names or any(map(_signature, names)):
            raise Unsuitable
        changed = _with_property(package, mark)
        return _copied(package, changed)


def marks_in(data: bytes) -> set[bytes]:
    """The marks in the properties of a document."""
    with _package(data) as package:
        names = [n for n in package.namelist() if n.startswith(PLACE) and n.endswith(".xml")]
        return set().union(*(written_in(_part(package, name, bound=MAX_XML // 16)) for name in names[:16]))


def text(data: bytes) -> str:
    """The words of a document, a line for each paragraph; without deleted words, headers and footers."""
    words = _Words([])
    with _package(data) as package:
        for name in _WORDS:
            if name in package.NameToInfo:
                words.read(_part(package, name, bound=MAX_XML))
    return "".join(words.found)[:MAX_TEXT]


# -- the package


def _package(data: bytes) -> zipfile.ZipFile:
    if len(data) > MAX_FILE or data.count(b"PK\x01\x02") > MAX_PARTS:
        raise Unsuitable
    package = zipfile.ZipFile(io.BytesIO(data))
    if sum(info.file_size for info in package.infolist()) > MAX_UNPACKED:
        raise Unsuitable
    return package


def _part(package: zipfile.ZipFile, name: str, *, bound: int) -> bytes:
    info = package.getinfo(name)
    if info.file_size > bound or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unsuitable
    with package.open(info) as part:
        return part.read(bound)


def _copied(package: zipfile.ZipFile, changed: Mapping[str, bytes]) -> bytes:
    """A new package with the parts in their order, the changed ones changed, the new ones at the end."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as copy:
        for info in package.infolist():
            part = changed.get(info.filename)
            copy.writestr(_like(info), _part(package, info.filename, bound=MAX_UNPACKED) if part is None else part)
        for name in changed.keys() - package.NameToInfo.keys():
            copy.writestr(_like(package.getinfo(TYPES), name), changed[name])
    return out.getvalue()


def _like(info: zipfile.ZipInfo, name: str | None = None) -> zipfile.ZipInfo:
    like = zipfile.ZipInfo(name or info.filename, info.date_time)
    like.compress_type, like.external_attr, like.create_system = info.compress_type, info.external_attr, 0
    return like


def _signature(name: str) -> bool:
    return name.lower().startswith("_xmlsignatures/")


# -- the property


@dataclass(frozen=True, slots=True)
class _Declared:
    """What a package says of its custom properties: declared or not, and where they are."""

    typed: bool
    part: str | None


def _with_property(package: zipfile.ZipFile, mark: bytes) -> dict[str, bytes]:
    """The parts to change: the property, and where it is new, its relation and its type."""
    types, relations = (_part(package, name, bound=MAX_XML // 16) for name in (TYPES, RELATIONS))
    declared = _declared(types, relations)
    if declared.part is not None:
        return {declared.part: _appended(_part(package, declared.part, bound=MAX_XML // 16), mark)}
    if declared.typed or CUSTOM in package.NameToInfo:
        raise Unsuitable
    override = (
        f'<Override xmlns="{_SCHEMAS}package/2006/content-types" PartName="/{CUSTOM}" ContentType="{_CUSTOM_TYPE}"/>'
    )
    relation = (
        f'<Relationship xmlns="{_SCHEMAS}package/2006/relationships" Id="rId{PROPERTY}" Type="{_RELATION}"'
        f' Target="{CUSTOM}"/>'
    )
    return {
        TYPES: _inserted(types, override),
        RELATIONS: _inserted(relations, relation),
        CUSTOM: _appended(f'{_XML}<Properties xmlns="{_PROPERTIES}"></Properties>'.encode(), mark),
    }


def _declared(types: bytes, relations: bytes) -> _Declared:
    typed = any(a.get("ContentType") == _CUSTOM_TYPE for a in _attributes(types, "Override"))
    targets = [a.get("Target", "") for a in _attributes(relations, "Relationship") if a.get("Type") == _RELATION]
    part = targets[0].lstrip("/") if targets else None
    if len(targets) > 1 or b"purl.oclc.org/ooxml" in relations or not (part or CUSTOM).startswith(PLACE):
        raise Unsuitable
    return _Declared(typed, part)


def _appended(properties: bytes, mark: bytes) -> bytes:
    """Custom properties with one more; numbers start at 2 and names differ."""
    numbers = [int(a["pid"]) for a in _attributes(properties, "property") if a.get("pid", "").isdecimal()]
    number = max([1, *numbers]) + 1
    name = PROPERTY if number == 2 else f"{PROPERTY}{number}"
    return _inserted(
        properties,
        f'<property xmlns="{_PROPERTIES}" fmtid="{_FORMAT_ID}" pid="{number}" name="{name}">'
        f'<vt:lpwstr xmlns:vt="{_VARIANTS}">{written(mark)}</vt:lpwstr></property>',
    )


def _inserted(part: bytes, element: str) -> bytes:
    """The part with one element more, at the end of its outermost one; checked to be well-formed still."""
    head, end, tail = part.rpartition(b"</")
    if not end or not re.fullmatch(rb"[\w:.-]+\s*>\s*", tail):
        raise Unsuitable
    new = head + element.encode() + end + tail
    _parse(new, lambda _name, _attributes: None)
    return new


# -- XML


def _attributes(part: bytes, name: str) -> list[dict[str, str]]:
    """The attributes of each element of this local name."""
    found: list[dict[str, str]] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        if element.rpartition(" ")[2] == name:
            found.append(attributes)

    _parse(part, start)
    return found


def _parse(
    part: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    words: Callable[[str], None] | None = None,
) -> None:
    """Parse namespace-aware; raises expat.ExpatError, and Unsuitable for a document type."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = words
    parser.Parse(part, True)


def _refuse(*_: object) -> None:
    raise Unsuitable


@dataclass(slots=True)
class _Words:
    """Collects the words of WordprocessingML while it is parsed."""

    found: list[str]
    skipping: int = 0
    taking: bool = False
    size: int = 0

    def read(self, part: bytes) -> None:
        self.skipping, self.taking = 0, False
        _parse(part, self.start, self.end, self.words)

    def start(self, element: str, _: dict[str, str]) -> None:
        name = element.rpartition(" ")[2]
        self.skipping += name == "Fallback"
        self.taking = name == "t"
        if name in ("tab", "br", "cr"):
            self.words("\n" if name != "tab" else "\t", always=True)

    def end(self, element: str) -> None:
        name = element.rpartition(" ")[2]
        self.skipping -= name == "Fallback"
        self.taking = False
        if name == "p":
            self.words("\n", always=True)

    def words(self, words: str, *, always: bool = False) -> None:
        if (self.taking or always) and not self.skipping and self.size < MAX_TEXT:
            self.found.append(words)
            self.size += len(words)
