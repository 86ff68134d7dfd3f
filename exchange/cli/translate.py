"""Translations: the queue, assigning a document, fetching it as its translator, submitting the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from events.kinds.translation import Translated
from events.review import Review, Translation
from events.rule import FileInfo
from events.turns import outstanding, stale
from exchange.cli import paper as papers
from exchange.cli.context import Desk, Options, run, sent_json
from exchange.cli.fetching import fetch_to, unmarked_option
from exchange.client import translations
from exchange.client.client import Sent
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, NotFound
from exchange.client.transfer import Attachment


@click.command(name="list")
@click.pass_obj
def list_(options: Options) -> None:
    """What is translated, assigned, outstanding or stale (G 14, 15, 21)."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        review = await desk.review()
        return [await _row(desk, review, entry) for entry in _entries(review)] + [
            _missing(review, one.source, one.object, one.lang) for one in outstanding(review) if one.assignment is None
        ]

    rows = run(options, work)
    rows.sort(key=lambda row: (row["source"], row["part"], row["language"]))
    table = [
        [
            f"#{r['source']}",
            "text" if not r["part"] else f"file {r['part']}",
            r["language"],
            r["standing"],
            r["translator"],
            r["ref"],
        ]
        for r in rows
    ]
    columns = ("Document", "Part", "Into", "Standing", "Translator", "Assignment")
    options.output.result(rows, options.output.table("Translations", columns, table))


@click.command()
@click.argument("reference")
@click.argument("translator")
@click.option("--into", "lang", required=True, help="Language, such as fr.")
@click.option("--file", "number", type=int, default=0, help="Number of the attached file; without it, the text.")
@click.option(
    "--note", type=click.Path(exists=True, path_type=Path), help="A file with instructions for the translator."
)
@click.pass_obj
def assign(options: Options, reference: str, translator: str, lang: str, number: int, note: Path | None) -> None:
    """Assign one document to a translator, disclosing that document and nothing else.

    \b
    Example:
      colloquy translate assign Q3 "Moreau" --into fr
    """
    told = note.read_text("utf-8")[:10_000] if note else ""

    async def work(desk: Desk) -> Sent:
        review = await desk.review()
        source = desk.find(review, reference)
        person = await desk.person(translator)

        async def build(newest: Any) -> Draft:
            return await translations.assign(desk.client, newest, source, number, lang, person, told)

        intent = ("assign", source.id, number, lang, person.device, review.circles[source.header.circle].epoch)
        return await desk.client.send(review.id, intent, build)

    _done(options, run(options, work), "Assigned: the translator can open this document, and nothing else.")


@click.command()
@click.argument("assignment")
@click.argument("paper", required=False)
@click.option("--file", "file", type=click.Path(path_type=Path), help="The translated file, if a file was assigned.")
@click.pass_obj
def submit(options: Options, assignment: str, paper: str | None, file: Path | None) -> None:
    """Submit the translation of a document assigned to you.

    PAPER has the translated fields (Title: …, Article: …) and the translated text after an empty line. For a file,
    give the translated file with --file, and in PAPER its translated Title.

    \b
    Example:
      colloquy translate submit '#41' traduction.txt
    """
    read = _optional(paper, file)

    async def work(desk: Desk) -> Sent:
        review = await desk.review()
        entry = await _assignment(desk, review, assignment)
        found, translated = _translated(entry, read, file)
        told = await desk.client.keyring.disclosed(review, entry.assignment)
        keys = [
            translations.slot_key(review, entry, slot, secret)
            for slot, secret in zip(entry.slots, told.slots, strict=True)
        ]

        async def build(newest: Any) -> Draft:
            return await translations.submit(desk.client, newest, entry, translated)

        intent = ("submit", entry.assignment, msgspec.to_builtins(translated))
        with desk.out.progress("Sealing and sending") as progress:
            slots = [(slot, key) for slot, key in zip(entry.slots, keys, strict=True)][1:]
            return await desk.client.send(
                review.id, intent, build, circle=entry.circle, attachments=found, progress=progress, slots=slots
            )

    _done(options, run(options, work), "Submitted; the parties can read it.")


@click.command()
@click.argument("assignment")
@click.option(
    "--to", "directory", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where to put a file."
)
@unmarked_option
@click.pass_obj
def fetch(options: Options, assignment: str, directory: Path, unmarked: bool) -> None:  # noqa: FBT001
    """Show the document assigned to you, or fetch the file, marked as colloquy fetch does."""

    async def work(desk: Desk) -> dict[str, Any]:
        review = await desk.review()
        entry = await _assignment(desk, review, assignment)
        told = await desk.client.keyring.disclosed(review, entry.assignment)
        source = desk.client.entry(review, entry.source)
        facts = {"title": told.title, "name": told.name, "note": told.note, "into": entry.lang}
        if entry.object:
            name = told.name or f"file-{entry.object}"
            copy = await fetch_to(desk, review, source, entry.object, name, directory, unmarked=unmarked)
            return {**facts, "file": str(copy.path), "mark": copy.words}
        return {**facts, "body": msgspec.to_builtins((await desk.client.open(review, source)).body)}

    directory.mkdir(parents=True, exist_ok=True)
    found = run(options, work)
    shown = {**found, **found.get("body", {})}
    rows = [[key, value] for key, value in shown.items() if isinstance(value, str) and value]
    options.output.result(found, options.output.table("Assigned to you", ("Field", "Content"), rows))


def _optional(paper: str | None, file: Path | None) -> papers.Paper:
    if paper is None and file is not None:
        return papers.Paper({}, "", (), {})
    if paper is None:
        raise ClientError("give the translated paper as a file, or - for standard input")
    from events.rule import rule_of  # noqa: PLC0415

    return papers.read_paper(paper, rule_of("translation.submitted"))


def _translated(entry: Translation, read: papers.Paper, file: Path | None) -> tuple[tuple[Attachment, ...], Translated]:
    if not entry.object:
        fields = {**read.fields, **({"text": read.text} if read.text else {})}
        if not fields:
            raise ClientError("expected translated words in the paper, got none; nothing was sent")
        return (), Translated(fields=fields)
    if file is None:
        raise ClientError("a file was assigned: give its translation with --file; nothing was sent")
    found = Attachment.of(file)
    title = read.fields.get("title", file.stem)
    info = FileInfo(file.name[:255], title[:300], papers.media_of(file), found.size)
    return (found,), Translated(file=info)


async def _assignment(desk: Desk, review: Review, reference: str) -> Translation:
    mine = translations.assigned_to(review, desk.client.identity.fingerprint)
    entry = desk.find(review, reference)
    for assigned in mine:
        if assigned.assignment == entry.id:
            return assigned
    raise NotFound(f"{reference} is not assigned to you")


def _entries(review: Review) -> list[Translation]:
    current = {review.translated[key] for key in review.translated}
    return [entry for entry in review.translations.values() if entry.assignment in current]


async def _row(desk: Desk, review: Review, entry: Translation) -> dict[str, Any]:
    person = desk.register.by_device(entry.translator)
    return {
        "source": review.known[entry.source].seq,
        "part": entry.object,
        "language": entry.lang,
        "standing": _standing(review, entry),
        "translator": await desk.name(person.id) if person else "",
        "ref": f"#{review.known[entry.assignment].seq}",
        "translation": f"#{review.known[entry.event].seq}" if entry.event else "",
    }


def _standing(review: Review, entry: Translation) -> str:
    if review.superseded(entry.source):
        return "stale: the source was revised"
    if entry.event:
        return "done"
    return "to be assigned again: keys changed" if stale(review, entry) else "assigned"


def _missing(review: Review, source: bytes, number: int, lang: str) -> dict[str, Any]:
    seq = review.known[source].seq
    return {"source": seq, "part": number, "language": lang, "standing": "outstanding", "translator": "", "ref": ""}


def _done(options: Options, sent: Sent, text: str) -> None:
    options.output.result(sent_json(sent), lambda console: console.print(text))


COMMANDS = {
    "translate list": list_,
    "translate assign": assign,
    "translate submit": submit,
    "translate fetch": fetch,
}
