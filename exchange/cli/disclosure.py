"""Disclosure: showing one paper to one more person, and the list of what one was shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from events.review import Disclosure, Review
from exchange.cli import paper as papers
from exchange.cli.context import Desk, Options, run, sent_json, when
from exchange.client import disclosing
from exchange.client.client import Sent
from exchange.client.compose import Draft
from exchange.client.keyring import Disclosed
from keys.errors import CannotOpen

MAX_NOTE = 10_000


@click.command()
@click.argument("reference")
@click.argument("person")
@click.option("--file", "number", type=int, default=0, help="Number of the attached file; without it, the text.")
@click.option("--note", type=click.Path(path_type=Path), help="A file with words for the reader, sealed to them.")
@click.pass_obj
def disclose(options: Options, reference: str, person: str, number: int, note: Path | None) -> None:
    """Disclose one paper, or one of its files, to one person: that and nothing else opens to them.

    Everyone in the review sees that it was disclosed, by whom and to whom. It cannot be taken back. To the oversight
    group, any focal point or officer discloses what they hold; to a translator, an officer; to others, the
    focal point of the State whose paper it is, or of the State under review for the report and its summary.

    \b
    Examples:
      colloquy disclose '#31' "Okonkwo"
      colloquy disclose Q3 "Okonkwo" --file 1 --note why.txt
    """
    words = papers.read_text(note, MAX_NOTE) if note else ""

    async def work(desk: Desk) -> Sent:
        review = await desk.review()
        source, reader = desk.find(review, reference), await desk.person(person)
        desk.options.confirm(f"Disclose #{source.header.seq} to {await desk.name(reader.id)}? It cannot be taken back.")

        async def build(newest: Any) -> Draft:
            return await disclosing.disclose(desk.client, newest, source, number, reader, words)

        return await desk.client.send(review.id, ("disclose", source.id, number, reader.device), build)

    sent = run(options, work)
    text = f"Disclosed — #{sent.seq}: they can open this, and nothing else."
    options.output.result(sent_json(sent), lambda console: console.print(text, markup=False))


@click.command()
@click.option("--all", "everyone", is_flag=True, help="Everything disclosed in the review, to whomever.")
@click.pass_obj
def disclosed(options: Options, everyone: bool) -> None:  # noqa: FBT001
    """What was disclosed to you: show and fetch open it.

    \b
    Examples:
      colloquy disclosed
      colloquy disclosed --all
    """

    async def work(desk: Desk) -> list[dict[str, Any]]:
        if everyone:
            review = await desk.review()
            return [await _row(desk, review, *item) for item in _ordered(review)]
        me, reviews = desk.client.identity.fingerprint, await desk.client.reviews()
        mine = [(review, *item) for review in reviews for item in _ordered(review) if item[1].reader == me]
        return [await _told(desk, *item) for item in mine]

    rows = run(options, work)
    words = [[r["review"], r["paper"], r["part"], r["title"], r["by"], r["to"], r["time"], r["note"]] for r in rows]
    columns = ("Review", "Paper", "Part", "Title", "By", "To", "When (UTC)", "Note")
    options.output.result(rows, options.output.table("Disclosed", columns, words))


def _ordered(review: Review) -> list[tuple[bytes, Disclosure]]:
    return sorted(review.disclosures.items(), key=lambda item: item[1].seq)


async def _told(desk: Desk, review: Review, event: bytes, made: Disclosure) -> dict[str, Any]:
    """A disclosure to this device, with what it says; one that does not open is listed and said to be so."""
    told: Disclosed | None
    try:
        told = await desk.client.keyring.disclosed(review, event)
    except CannotOpen:
        told = None
    row = await _row(desk, review, event, made)
    return {**row, "title": told.title, "note": told.note or row["note"]} if told else {**row, "note": "does not open"}


async def _row(desk: Desk, review: Review, event: bytes, made: Disclosure) -> dict[str, Any]:
    source, entry = desk.client.entry(review, made.source), desk.client.entry(review, event)
    return {
        "review": f"{review.under_review}-{review.year}",
        "disclosure": f"#{made.seq}",
        "paper": f"#{review.known[made.source].seq}",
        "part": f"file {made.object}" if made.object else "text",
        "title": source.rule.label,
        "note": f"to be translated into {made.lang}" if made.lang else "",
        "by": await desk.name_of(made.by),
        "to": await desk.name_of(made.reader),
        "time": when(entry.header.time),
        "lang": made.lang,
    }


COMMANDS = {"disclose": disclose, "disclosed": disclosed}
