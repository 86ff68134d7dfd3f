"""Who could read a review's papers, who did, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import click

from events.review import Review
from exchange.cli.context import Desk, Options, run, when
from exchange.cli.reading import line_of
from exchange.client.client import Entry
from exchange.client.errors import NotFound
from exchange.client.readers import could_read
from exchange.client.reads import Read, reads_of


@click.command()
@click.argument("reference", required=False, metavar="[PAPER]")
@click.pass_obj
def access(options: Options, reference: str | None) -> None:
    """Who could read what, who did, and when: from keys, disclosures, and the signed record of reading.

    Every reading was signed by its reader's device before the server sent anything, and stands in the log. Holding a
    key is not having read; and whoever has read can pass it on.

    \b
    Examples:
      colloquy access
      colloquy access Q3
    """

    async def work(desk: Desk) -> list[dict[str, Any]]:
        review = await desk.review()
        with desk.out.progress("Verifying the record of reading") as progress:
            reads = await reads_of(desk.client, review, progress)
        if reads is None:
            raise NotFound("the record of reading is for those who answer for the review")
        chosen = [desk.find(review, reference)] if reference else desk.client.entries(review.id)
        rows = [await _row(desk, review, entry, reads) for entry in chosen if entry.header.objects]
        return [row for parts in rows for row in parts]

    rows = run(options, work)
    table = [
        [f"#{r['seq']}", r["part"], r["what"], r["title"], "\n".join(map(_did, r["did"])), ", ".join(r["could"])]
        for r in rows
    ]
    columns = ("No.", "Part", "What", "Title", "Was read by (UTC)", "Could be read by")
    options.output.result(rows, options.output.table("Access", columns, table))


async def _row(desk: Desk, review: Review, entry: Entry, reads: Sequence[Read]) -> list[dict[str, Any]]:
    """A row for each part of a paper: its text and its files."""
    line = await line_of(desk, review, entry)
    return [
        {
            "seq": line["seq"],
            "part": f"file {number}" if number else "text",
            "what": line["what"],
            "title": line["title"],
            "did": await _readings(desk, [r for r in reads if (r.event, r.object) == (entry.id, number)]),
            "could": sorted([await desk.name_of(device) for device in could_read(review, entry, number)]),
        }
        for number in range(len(entry.header.objects))
    ]


async def _readings(desk: Desk, reads: Sequence[Read]) -> list[dict[str, Any]]:
    by_reader: dict[bytes, list[Read]] = defaultdict(list)
    for read in reads:
        by_reader[read.reader].append(read)
    return [
        {
            "who": await desk.name_of(device),
            "first": when(mine[0].time),
            "last": when(mine[-1].time),
            "times": len(mine),
            "bytes": sum(read.sent or 0 for read in mine),
            "unfinished": sum(read.sent is None for read in mine),
        }
        for device, mine in by_reader.items()
    ]


def _did(read: dict[str, Any]) -> str:
    again = f", {read['times']} times until {read['last']}" if read["times"] > 1 else ""
    return f"{read['who']}, {read['first']}{again}"


COMMANDS = {"access": access}
