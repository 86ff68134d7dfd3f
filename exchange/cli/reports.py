"""Comparing revisions, and agreeing to exactly one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from events.kinds.report import Agreement, Revision
from events.review import Report, Review
from exchange.cli.context import Desk, Options, run, sent_json
from exchange.cli.output import safe
from exchange.client.client import Entry
from exchange.client.compose import Draft
from exchange.client.errors import NotFound

WORDS = re.compile(r"\s+|[^\s]+")


@click.command()
@click.argument("revisions", nargs=-1)
@click.option("--summary", is_flag=True, help="Compare the executive summary instead of the report.")
@click.pass_obj
def diff(options: Options, revisions: tuple[str, ...], summary: bool) -> None:  # noqa: FBT001
    """Compare a revision with the one before (or two revisions, by number), word by word.

    Shows also which comments the newer revision takes up, and where (G 30).

    \b
    Examples:
      colloquy report diff
      colloquy report diff 1 3
    """

    async def work(desk: Desk) -> dict[str, Any]:
        review = await desk.review()
        kind = "summary.revised" if summary else "report.revised"
        entries = [entry for entry in desk.client.entries(review.id) if entry.header.kind == kind]
        old, new = _chosen(entries, revisions)
        before, after = await _text(desk, review, entries[old]), await _text(desk, review, entries[new])
        return {
            "from": old + 1,
            "to": new + 1,
            "changes": list(_changes(before.text, after.text)),
            "incorporates": [
                {"comment": review.known[item.comment].seq, "paragraphs": item.paragraphs}
                for item in after.incorporates
            ],
        }

    found = run(options, work)
    options.output.result(found, lambda console: _show(console, found))


def _chosen(entries: list[Entry], revisions: tuple[str, ...]) -> tuple[int, int]:
    count = len(entries)
    if count < 2 and not revisions:
        raise NotFound(f"expected two revisions to compare, found {count}")
    wanted = [int(r) for r in revisions if r.isdigit()] or [count - 1, count]
    if len(wanted) == 1:
        wanted = [wanted[0] - 1, wanted[0]]
    if len(wanted) != 2 or not all(1 <= n <= count for n in wanted):
        raise NotFound(f"expected revisions between 1 and {count}, got {' '.join(revisions)}")
    return wanted[0] - 1, wanted[1] - 1


async def _text(desk: Desk, review: Review, entry: Entry) -> Revision:
    body = (await desk.client.open(review, entry)).body
    if not isinstance(body, Revision):
        raise NotFound("this is no revision")
    return body


def _changes(before: str, after: str) -> Iterator[dict[str, str]]:
    """Paragraphs that changed, each as runs of kept, removed and added words."""
    old, new = _paragraphs(before), _paragraphs(after)
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        pairs = max(j - i, m - k)
        for n in range(pairs):
            left = old[i + n] if i + n < j else ""
            right = new[k + n] if k + n < m else ""
            yield {"before": left, "after": right}


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def _show(console: Console, found: dict[str, Any]) -> None:
    console.print(f"Revision {found['from']} compared with revision {found['to']}:\n")
    for change in found["changes"]:
        console.print(_marked(change["before"], change["after"]))
        console.print()
    if not found["changes"]:
        console.print("No word differs.")
    for item in found["incorporates"]:
        console.print(f"Takes up #{item['comment']} in paragraphs: {safe(item['paragraphs'])}", markup=False)


def _marked(before: str, after: str) -> Text:
    """One paragraph with its removed and added words, marked also where there is no colour."""
    old, new = WORDS.findall(safe(before)), WORDS.findall(safe(after))
    text = Text()
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            text.append("".join(old[i:j]))
            continue
        if j > i:
            text.append("[-" + "".join(old[i:j]) + "-]", style="red strike")
        if m > k:
            text.append("{+" + "".join(new[k:m]) + "+}", style="green")
    return text


def _agree(kind: str, part: Callable[[Review], Report], name: str) -> click.Command:
    @click.command(help=f"Agree to the newest revision of the {name}; final when all three States have (ToR 33).")
    @click.pass_obj
    def agree(options: Options) -> None:
        async def work(desk: Desk) -> tuple[Any, int]:
            review = await desk.review()
            if not part(review).revision:
                raise NotFound(f"there is no {name} to agree to yet")
            number, revision = part(review).number, part(review).revision
            options.confirm(f"Agree to revision {number} of the {name}, on behalf of your State? This cannot be undone")

            async def build(newest: Any) -> Draft:
                # What was asked about is what is agreed to, even if a newer revision arrives meanwhile.
                return Draft(kind, Agreement(_digest(desk, newest, revision)), about=(revision,))

            return await desk.client.send(review.id, (kind, revision), build), number

        sent, number = run(options, work)
        options.output.result(
            sent_json(sent), lambda c: c.print(f"Your State agrees to revision {number} of the {name}.")
        )

    return agree


def _digest(desk: Desk, review: Review, revision: bytes) -> bytes:
    return desk.client.entry(review, revision).header.objects[0].digest


COMMANDS = {
    "report diff": diff,
    "report agree": _agree("report.agreed", lambda review: review.report, "report"),
    "summary agree": _agree("summary.agreed", lambda review: review.summary, "executive summary"),
}
