"""Tracing a leaked file or text to the document it came from, and the evidence for a report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from exchange.cli.context import Desk, Options, run, system_clock
from exchange.cli.output import safe
from exchange.cli.places import free
from exchange.cli.reading import title_of
from exchange.client import dossier, leaks
from exchange.client.dossier import Sources
from exchange.client.home import write_private
from exchange.client.leaks import Found, Leak
from exchange.client.reads import reads_of

PASTED = "-"


@click.command()
@click.argument("file")
@click.option(
    "--evidence", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the evidence as a text file."
)
@click.pass_obj
def trace(options: Options, file: str, target: Path | None) -> None:
    """Find the document, and the version, that a leaked file or text came from; and readers' marks in it.

    FILE is the leaked file, or - for text pasted or piped in. It is compared with every document you can open, in every
    version: by its bytes, by its words whatever the format (PDF, DOCX, text, HTML), and by passages of them. What is
    not here yet is fetched, as your own reading; fingerprints are kept sealed in your home. Nothing is sent.

    The odds are told in words and never are a certainty; what is not proved is said with the evidence: who held keys,
    to whom it was disclosed, who fetched it, whose marks were found. With --json before the verb it goes to programs.

    \b
    Examples:
      colloquy trace leaked.pdf
      colloquy trace - < pasted.txt
      colloquy trace leaked.pdf --evidence trace.txt
    """
    leak = Leak.pasted(sys.stdin.buffer) if file == PASTED else Leak.read(Path(file))

    async def work(desk: Desk) -> dict[str, Any]:
        with desk.out.progress("Comparing") as progress:
            found = await leaks.search(desk.client, leak, progress)
        return dossier.pack(leak, found, await _sources(desk, found), system_clock())

    made = run(options, work)
    written = free(target) if target else None
    if written:
        write_private(written, dossier.words(made).encode())
    options.output.result(
        {**made, "evidence": str(written) if written else ""}, lambda console: _show(console, options, made, written)
    )


async def _sources(desk: Desk, found: Found) -> Sources:
    """Names, titles, times and records of reading for what was found."""
    held = [trace.holding for trace in found.traces]
    reviews = {holding.review.id: holding.review for holding in held}
    names = {person.device: await desk.name(person.id) for person in desk.register.people.values()}
    sides = {person.device: person.state or person.role.value for person in desk.register.people.values()}
    times = {id_: [entry.header.time for entry in desk.client.entries(id_)] for id_ in reviews}
    return Sources(
        name=lambda device: f"{names[device]} ({sides[device]})" if device in names else device.hex()[:16],
        titles={h.entry.id: await title_of(desk, h.review, h.entry) for h in held},
        times=lambda review, seq: times[review.id][seq],
        reads={id_: await reads_of(desk.client, review) for id_, review in reviews.items()},
    )


def _show(console: Console, options: Options, made: dict[str, Any], written: Path | None) -> None:
    rows = [
        [
            f"{d['review']} {d['event']}",
            d["title"] or d["kind"],
            d["part"],
            f"{d['version']}{' (superseded)' if d['superseded'] else ''}",
            d["how"],
            ", ".join(mark["who"] for mark in d["marks"]) or "—",
        ]
        for d in made["documents"]
    ]
    if rows:
        columns = ("Document", "Title", "Part", "Version", "How alike", "Marks of")
        options.output.table("Where it may have come from", columns, rows)(console)
        for document in made["documents"]:
            console.print(f"{document['event']} {document['part']}: {document['odds']}", markup=False)
    else:
        console.print("It is like no document you can open. That does not say that it came from elsewhere.")
    console.print(f"\n{made['compared']} documents were compared; {made['not_compared']} could not be.")
    if made["leak"]["marks_of_nobody_known"]:
        console.print(f"{made['leak']['marks_of_nobody_known']} marks in it stand for no reader you can name.")
    if written:
        console.print(f"Evidence: {safe(str(written))}", markup=False)


COMMANDS = {"trace": trace}
