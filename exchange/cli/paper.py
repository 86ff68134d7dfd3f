"""Papers: how a person gives words to a command without putting them on the command line.

Article: 5
Title: Participation in an organized criminal group
Attach: statistics.csv

The text follows after an empty line.
"""

from __future__ import annotations

import mimetypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import click
import msgspec

from events.kinds.desk_review import Topic
from events.kinds.report import Incorporated
from events.rule import FileInfo, Rule
from exchange.client.errors import ClientError
from exchange.client.transfer import Attachment

MAX_PAPER = 4 * 1024 * 1024
LONG = ("text", "reason", "summary", "note", "stakeholders")
NOT_TYPED = frozenset({"files", "topics", "incorporates", "fields", "file"})


@dataclass(frozen=True, slots=True)
class Paper:
    """Fields by lower-case name, a text, and the files to attach."""

    fields: dict[str, str]
    text: str
    attach: tuple[str, ...]
    repeated: dict[str, tuple[str, ...]]


def read_paper(source: str | None, rule: Rule) -> Paper:
    """Read a paper from a file, from standard input (-), or by asking on a terminal."""
    if source is None:
        return _asked(rule) if sys.stdin.isatty() else parse_paper(_bounded(sys.stdin.buffer.read(MAX_PAPER + 1)))
    if source == "-":
        return parse_paper(_bounded(sys.stdin.buffer.read(MAX_PAPER + 1)))
    try:
        with Path(source).open("rb") as file:
            return parse_paper(_bounded(file.read(MAX_PAPER + 1)))
    except OSError as error:
        raise ClientError(f"{source} cannot be read: {error.strerror}; nothing was sent") from None


def read_text(path: Path, limit: int) -> str:
    """Read a file of plain text with at most `limit` characters; raises ClientError."""
    try:
        with path.open("rb") as file:
            text = _bounded(file.read(MAX_PAPER + 1))
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}; nothing was sent") from None
    if len(text) > limit:
        raise ClientError(f"expected at most {limit} characters in {path.name}, got {len(text)}; nothing was sent")
    return text


def parse_paper(text: str) -> Paper:
    """Split a paper into its fields, its files and its text."""
    head, _, body = text.replace("\r\n", "\n").strip("\n").partition("\n\n")
    fields: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for line in head.split("\n"):
        name, colon, value = line.partition(":")
        if not colon or not name.strip().replace("-", "").isalnum() or len(name) > 40:
            return Paper({}, text.strip(), (), {})
        repeated.setdefault(name.strip().lower(), []).append(value.strip())
        fields[name.strip().lower()] = value.strip()
    attach = tuple(repeated.pop("attach", ()))
    fields.pop("attach", None)
    return Paper(fields, body.strip(), attach, {name: tuple(values) for name, values in repeated.items()})


def sealed_of(rule: Rule, paper: Paper, files: tuple[FileInfo, ...]) -> msgspec.Struct:
    """Make the sealed part of a kind from a paper; raises ClientError naming what is missing or unknown."""
    struct = rule.sealed
    if struct is None:
        raise ClientError(f"{rule.verb} takes no paper")
    values: dict[str, Any] = {}
    names = struct.__struct_fields__
    main = main_field(struct)
    for name, value in paper.fields.items():
        if name not in names or name in NOT_TYPED:
            if name not in ("incorporates", "topic"):
                known = ", ".join(n.capitalize() for n in names if n not in NOT_TYPED)
                raise ClientError(f"the paper has a line “{name.capitalize()}:”; expected {known}. Nothing was sent")
        else:
            values[name] = value
    if main and paper.text:
        values[main] = paper.text
    if "files" in names:
        values["files"] = files
    if "topics" in names:
        values["topics"] = _topics(paper)
    if "incorporates" in names:
        values["incorporates"] = ()
    try:
        return msgspec.convert(msgspec.to_builtins(values, builtin_types=(bytes,)), struct, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise ClientError(f"the paper for “{rule.verb}” is not complete: {error}. Nothing was sent") from None


def main_field(struct: type[msgspec.Struct]) -> str | None:
    """The field that takes a paper's text."""
    return next((name for name in LONG if name in struct.__struct_fields__), None)


def attachments(paths: tuple[str, ...], base: Path) -> tuple[tuple[FileInfo, ...], tuple[Attachment, ...]]:
    """Look at the files to attach; names and titles are sealed with the text."""
    found = [Attachment.of(base / path) for path in paths]
    infos = tuple(
        FileInfo(a.path.name[:255], a.path.stem[:300] or a.path.name, media_of(a.path), a.size) for a in found
    )
    return infos, tuple(found)


def media_of(path: Path) -> str:
    """The media type a file's name suggests."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def describe(rule: Rule) -> str:
    """The lines a paper for this kind may have, for --help."""
    if rule.sealed is None:
        return ""
    hints = get_type_hints(rule.sealed, include_extras=True)
    main = main_field(rule.sealed)
    lines = [f"{name.capitalize()}: …" for name in hints if name not in NOT_TYPED and name != main]
    if "topics" in hints:
        lines.append("Topic: ARTICLE | EXPERT | NOTE   (once for each)")
    if "incorporates" in hints:
        lines.append("Incorporates: #NUMBER | PARAGRAPHS   (once for each comment taken up)")
    if rule.files:
        lines.append("Attach: FILE   (once for each)")
    if main:
        lines += ["", f"The {main}, after an empty line."]
    return "\n".join(lines)


def _topics(paper: Paper) -> tuple[Topic, ...]:
    rows = [row.split("|") for row in paper.repeated.get("topic", ())]
    if not rows or any(len(row) < 2 for row in rows):
        raise ClientError("expected lines “Topic: ARTICLE | EXPERT | NOTE”, got none or others. Nothing was sent")
    return tuple(Topic(row[0].strip(), row[1].strip(), row[2].strip() if len(row) > 2 else "") for row in rows)


def incorporated(paper: Paper, find: Any) -> tuple[Incorporated, ...]:
    """The comments a revision takes up, from its lines “Incorporates: #NUMBER | PARAGRAPHS”."""
    found = []
    for row in paper.repeated.get("incorporates", ()):
        reference, _, paragraphs = row.partition("|")
        found.append(Incorporated(find(reference.strip()), paragraphs.strip() or "throughout"))
    return tuple(found)


def _bounded(data: bytes) -> str:
    if len(data) > MAX_PAPER:
        raise ClientError(f"expected a paper of at most {MAX_PAPER} bytes, got more; attach it as a file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ClientError("expected a paper of UTF-8 text, got other bytes; attach it as a file") from None


def _asked(rule: Rule) -> Paper:
    """Ask for each field on a terminal, and open an editor for the text."""
    struct = rule.sealed
    if struct is None:
        return Paper({}, "", (), {})
    main = main_field(struct)
    fields = {}
    for name in struct.__struct_fields__:
        if name in NOT_TYPED or name == main:
            continue
        answer = click.prompt(name.capitalize(), default="", show_default=False, err=True)
        if answer:
            fields[name] = answer
    text = (click.edit("") or "").strip() if main else ""
    return Paper(fields, text, (), {})
