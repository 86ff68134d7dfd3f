"""Small files of the formats that take marks, made by hand so that a test can break them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
TYPES = (
    f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
)


def docx(paragraphs: Iterable[str], parts: dict[str, bytes | str] | None = None) -> bytes:
    """A DOCX with these paragraphs; `parts` are added, or put in place of what would be there."""
    escaped = (p.replace("&", "&amp;").replace("<", "&lt;") for p in paragraphs)
    body = "".join(f'<w:p><w:r><w:t xml:space="preserve">{p}</w:t></w:r></w:p>' for p in escaped)
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    )
    whole = {"[Content_Types].xml": TYPES, "_rels/.rels": RELATIONS, "word/document.xml": document, **(parts or {})}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in whole.items():
            package.writestr(name, part)
    return out.getvalue()


def pdf(lines: Iterable[str], *, table: bool = True, extra: Iterable[bytes] = (), catalog: bytes = b"") -> bytes:
    """A PDF of one page with these Latin lines; `table` chooses the older kind of cross-reference.

    `extra` are further objects, numbered from 6; `catalog` is added to the catalogue.
    """
    shown = b"".join(
        b"(" + line.encode("latin-1").replace(b"(", b"\\(").replace(b")", b"\\)") + b") ' " for line in lines
    )
    content = b"BT /F1 10 Tf 14 TL 40 800 Td " + shown + b"ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *extra,
    ]
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, value in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + value + b"\nendobj\n"
    start, size = len(out), len(objects) + 1
    if table:
        rows = b"".join(b"%010d 00000 n \n" % place for place in places)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % size + rows
        out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % size
    else:
        rows = b"".join(struct.pack(">BQ", 1, place) for place in (*places, start))
        facts = b"/Type /XRef /Size %d /Root 1 0 R /W [1 8 0] /Index [1 %d] /Length %d" % (size + 1, size, len(rows))
        out += b"%d 0 obj\n<< " % size + facts + b" >>\nstream\n" + rows + b"\nendstream\nendobj\n"
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def xmp(inside: str = "") -> bytes:
    """An XMP packet as a stream object."""
    packet = (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{inside}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()
    return b"<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n" % len(packet) + packet + b"\nendstream"
