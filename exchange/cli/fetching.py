"""Fetching files: verified, opened, and marked as their reader's copy, which the command says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from events.review import Review
from exchange.cli.context import Desk, Options, run
from exchange.cli.output import safe
from exchange.cli.places import free, safe_name
from exchange.client.client import Entry
from exchange.client.copies import fetch_copy
from exchange.client.disclosing import file_names
from exchange.client.errors import NotFound

MARKED = (
    "This copy carries a mark that stands for you, {how}. If the copy comes to light, those who hold the paper's key "
    "can read the mark. Whoever knows of it can remove it; --unmarked gives the bytes as they were logged."
)
NOT_MARKED = (
    "This copy carries no mark: its format, size or build does not take one. The bytes are as they were logged."
)
UNMARKED = "This copy carries no mark, as you asked: the bytes are as they were logged."
unmarked_option = click.option(
    "--unmarked", is_flag=True, help="The bytes exactly as they were logged, without a mark."
)


@dataclass(frozen=True, slots=True)
class Copy:
    """A fetched file: where it lies, and how it is marked (in words, empty if it is not)."""

    path: Path
    how: str
    asked: bool

    @property
    def words(self) -> str:
        """What its reader is told."""
        if self.how:
            return MARKED.format(how=self.how)
        return NOT_MARKED if self.asked else UNMARKED

    @property
    def facts(self) -> dict[str, Any]:
        """What programs are told."""
        return {"file": str(self.path), "marked": self.how}


async def fetch_to(
    desk: Desk, review: Review, entry: Entry, number: int, name: str, directory: Path, *, unmarked: bool
) -> Copy:
    """Fetch one file into a directory under a name that leads nowhere and is not taken."""
    target = free(directory / safe_name(name))
    with desk.out.progress(f"Fetching {name}") as progress:
        if unmarked:
            await desk.client.fetch(review, entry, number, target, progress)
            return Copy(target, "", asked=False)
        how = await fetch_copy(desk.client, review, entry, number, target, name, progress)
    return Copy(target, how, asked=True)


@click.command()
@click.argument("reference")
@click.option("--file", "number", type=int, help="Number of the file; without it, all of them.")
@click.option(
    "--to",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to put them.  [default: here]",
)
@unmarked_option
@click.pass_obj
def fetch(options: Options, reference: str, number: int | None, directory: Path, unmarked: bool) -> None:  # noqa: FBT001
    """Fetch the files of a paper, verified and opened.

    A file that is there already is never overwritten. An interrupted fetch goes on where it stopped.

    PDF, DOCX, plain text and Markdown get a mark that stands for you: an entry in the file's properties, or in text
    invisible characters at the ends of lines. Should the copy come to light, colloquy trace can tell whose it was.
    A mark is easily removed, and is no proof. Other formats, and files over 64 MiB, are left as they are.

    \b
    Examples:
      colloquy fetch '#12' --to papers/
      colloquy fetch '#12' --unmarked
    """

    async def work(desk: Desk) -> list[Copy]:
        review = await desk.review()
        entry = desk.find(review, reference)
        names = await file_names(desk.client, review, entry)
        wanted = sorted(names) if number is None else (number,)
        if number is not None and not 1 <= number < len(entry.header.objects):
            raise NotFound(f"expected a file between 1 and {len(entry.header.objects) - 1}, got {number}")
        return [
            await fetch_to(desk, review, entry, n, names.get(n, f"file-{n}"), directory, unmarked=unmarked)
            for n in wanted
        ]

    directory.mkdir(parents=True, exist_ok=True)
    copies = run(options, work)

    def show(console: Console) -> None:
        for copy in copies:
            console.print(safe(str(copy.path)), markup=False)
        for words in dict.fromkeys(copy.words for copy in copies):
            console.print(words, markup=False)

    options.output.result([copy.facts for copy in copies], show)


COMMANDS = {"fetch": fetch}
