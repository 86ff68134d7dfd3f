"""Opening a review."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from events.kinds.opening import ReviewOpened
from events.stream import PARTIES, REVIEWERS
from exchange.cli.context import Desk, Options, run
from exchange.client.client import Sent
from exchange.client.compose import Draft
from exchange.client.errors import ClientError


@click.command(name="open")
@click.option("--under-review", required=True, help="Code of the State under review.")
@click.option("--reviewing", multiple=True, required=True, help="Code of a reviewing State (twice).")
@click.option(
    "--instrument",
    "instruments",
    multiple=True,
    default=("convention",),
    show_default=True,
    help="What is reviewed (again for more).",
)
@click.option("--year", type=int, required=True, help="Year of the review.")
@click.option("--drawn", required=True, help="Day of the drawing of lots, such as 2026-01-15.")
@click.option("--begins", required=True, help="Day on which the review begins.")
@click.pass_obj
def open_(
    options: Options,
    under_review: str,
    reviewing: tuple[str, ...],
    instruments: tuple[str, ...],
    year: int,
    drawn: str,
    begins: str,
) -> None:
    """Open the review of a State by two others; the three focal points can join from then on.

    \b
    Example:
      colloquy review open --under-review VDA --reviewing NRL --reviewing TSR \\
        --year 2026 --drawn 2026-01-15 --begins 2026-02-15
    """

    async def work(desk: Desk) -> Sent:
        codes = tuple(code.upper() for code in reviewing)
        fields = ReviewOpened.Clear.__struct_fields__
        values = (desk.register.seq, under_review.upper(), codes, instruments, year, drawn, begins)
        try:
            clear = msgspec.convert(dict(zip(fields, values, strict=True)), ReviewOpened.Clear)
        except msgspec.ValidationError as error:
            raise ClientError(f"{error}; nothing was sent") from None
        sent = await desk.client.open_review(("open", *values[1:]), Draft("review.opened", clear))
        await begin_circles(desk, sent.stream)
        return sent

    sent = run(options, work)
    options.output.result({"review": sent.stream.hex()}, lambda c: c.print(f"The review is open: {sent.stream.hex()}"))


async def begin_circles(desk: Desk, stream: bytes) -> None:
    """Begin the keys of the parties and of the reviewers, unless they were begun before an interruption."""
    review = await desk.client.review(stream)
    if PARTIES in review.circles:
        return

    async def build(newest: Any) -> Draft:
        return await desk.membership.begin_circles(newest, [PARTIES, REVIEWERS])

    await desk.client.send(stream, ("begin-circles",), build)


COMMANDS = {"review open": open_}
