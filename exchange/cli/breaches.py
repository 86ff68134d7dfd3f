"""Suspected breaches of confidentiality: reporting one, and what the oversight group does with it (G 5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.text import Text

from events.kinds.breach import MAX_EVIDENCE, Finding, Suspicion
from events.review import Breach, Review
from events.rule import rule_of
from exchange.cli import paper as papers
from exchange.cli.context import Desk, Options, run, sent_json, when
from exchange.cli.output import safe
from exchange.client import breaches, letters
from exchange.client.client import Client, Entry, Sent
from exchange.client.compose import Draft
from exchange.client.errors import NoKey, NotFound, ServerRefused
from keys.errors import CannotOpen

Follow = Callable[[Client, Review, bytes, Finding], Draft]


@click.command()
@click.argument("paper", required=False)
@click.option("--about", multiple=True, metavar="REFERENCE", help="A paper concerned: Q3, #12 (again for more).")
@click.option("--evidence", type=click.Path(path_type=Path), help="A text file with evidence, such as one from trace.")
@click.option("--copy", "copies", multiple=True, help="An officer or focal point of the review who gets a copy.")
@click.pass_obj
def report(
    options: Options, paper: str | None, about: tuple[str, ...], evidence: Path | None, copies: tuple[str, ...]
) -> None:
    """Report a suspected breach of confidentiality to the oversight group (G 5).

    The words are sealed to every member of the oversight group, to you, and to those who get a copy: to nobody else.
    Everyone in the review sees that something was reported, by whom, about which papers, and to whom it was written.
    The oversight group holds no key of the review: show it papers with colloquy disclose.

    PAPER is a text file, or - for standard input: a line “Title: …”, a line “Leaked: …” with the name of the file that
    came to light if there is one, and the text after an empty line.

    \b
    Example:
      colloquy breach report suspicion.txt --about '#31' --evidence trace.txt
    """
    read = papers.read_paper(paper, rule_of("breach.reported"))
    suspicion = papers.sealed_of(rule_of("breach.reported"), read, ())
    if not isinstance(suspicion, Suspicion):
        raise TypeError(type(suspicion).__name__)
    if evidence is not None:
        suspicion = msgspec.structs.replace(suspicion, evidence=papers.read_text(evidence, MAX_EVIDENCE))

    async def work(desk: Desk) -> Sent:
        review = await desk.review()
        concerned = [desk.find(review, reference).id for reference in about]
        people = [await desk.person(name) for name in copies]

        async def build(newest: Any) -> Draft:
            return breaches.report(desk.client, newest, suspicion, concerned, people)

        intent = ("breach", concerned, [p.device for p in people], msgspec.to_builtins(suspicion))
        return await desk.client.send(review.id, intent, build)

    _said(options, run(options, work), "Reported; the oversight group can read it")


def _follower(kind: str, text: str, done: str, follow: Follow) -> click.Command:
    """A command for one of the letters that follow a report."""
    rule = rule_of(kind)
    verb = rule.verb.split()[-1]

    def call(reference: str, paper: str | None) -> None:
        options = click.get_current_context().find_object(Options)
        if options is None:
            raise RuntimeError("no options")
        finding = papers.sealed_of(rule, papers.read_paper(paper, rule), ())
        if not isinstance(finding, Finding):
            raise TypeError(type(finding).__name__)
        _said(options, run(options, lambda desk: _follow(desk, kind, reference, finding, follow)), done)

    help_ = (
        f"{text}\n\nThe words are sealed to every member of the oversight group and to the reporter.\n\n"
        "PAPER is a text file, or - for standard input.\n\n"
        f"\b\nExample:\n  colloquy breach {verb} B1 finding.txt"
    )
    arguments = [click.Argument(["reference"], metavar="BREACH"), click.Argument(["paper"], required=False)]
    return click.Command(verb, callback=call, params=list(arguments), help=help_)


async def _follow(desk: Desk, kind: str, reference: str, finding: Finding, follow: Follow) -> Sent:
    review = await desk.review()
    event, _ = _breach(desk, review, reference)

    async def build(newest: Any) -> Draft:
        return follow(desk.client, newest, event, finding)

    return await desk.client.send(review.id, (kind, event, finding.text), build)


@click.command(name="list")
@click.pass_obj
def list_(options: Options) -> None:
    """Every breach reported in the reviews you see, and where it stands; titles where the letter is to you.

    \b
    Example:
      colloquy breach list
    """

    async def work(desk: Desk) -> list[dict[str, Any]]:
        rows = []
        for review in await desk.client.reviews():
            found = sorted(review.breaches.items(), key=lambda item: item[1].number)
            rows += [await _row(desk, review, event, breach) for event, breach in found]
        return rows

    rows = run(options, work)
    table = [
        [r["review"], r["breach"], r["standing"], r["by"], r["time"], ", ".join(r["about"]), r["title"]] for r in rows
    ]
    columns = ("Review", "Breach", "Standing", "Reported by", "When (UTC)", "About", "Title")
    options.output.result(rows, options.output.table("Suspected breaches", columns, table))


@click.command()
@click.argument("reference", metavar="BREACH")
@click.pass_obj
def show(options: Options, reference: str) -> None:
    """Show a breach: the report and every letter that followed, as far as they are to you.

    \b
    Example:
      colloquy breach show B1
    """

    async def work(desk: Desk) -> dict[str, Any]:
        review = await desk.review()
        event, breach = _breach(desk, review, reference)
        entries = [e for e in desk.client.entries(review.id) if e.id == event or event in e.header.about]
        written = [e for e in entries if e.header.kind.startswith("breach.")]
        row = await _row(desk, review, event, breach)
        return {**row, "letters": [await _letter(desk, review, entry) for entry in written]}

    found = run(options, work)
    options.output.result(found, lambda console: _show(console, found))


def _show(console: Console, found: dict[str, Any]) -> None:
    about = f", about {', '.join(found['about'])}" if found["about"] else ""
    console.print(Text(f"{found['breach']}  {found['standing']}, reported by {safe(found['by'])}{about}", style="bold"))
    for letter in found["letters"]:
        to = ", ".join(letter["to"])
        head = f"\n#{letter['seq']}  {letter['what']} — {letter['by']}, {letter['time']} UTC, to {to}"
        console.print(Text(safe(head), style="bold"))
        if letter["standing"]:
            console.print(letter["standing"], markup=False)
        for name, value in letter["words"].items():
            if value:
                console.print(safe(f"{name.capitalize()}: {value}" if name != "text" else str(value)), markup=False)


async def _row(desk: Desk, review: Review, event: bytes, breach: Breach) -> dict[str, Any]:
    entry = desk.client.entry(review, event)
    words = (await _letter(desk, review, entry))["words"]
    return {
        "review": f"{review.under_review}-{review.year}",
        "breach": f"B{breach.number}",
        "standing": breach.status.value,
        "by": await desk.name_of(breach.by),
        "time": when(entry.header.time),
        "about": [f"#{review.known[paper].seq}" for paper in entry.header.about],
        "title": words.get("title", "(sealed)"),
    }


async def _letter(desk: Desk, review: Review, entry: Entry) -> dict[str, Any]:
    """One letter: whom it is to and, if it is to this device, its words."""
    words, standing = {}, ""
    try:
        words = msgspec.to_builtins(await letters.read(desk.client, review, entry))
    except NoKey:
        standing = "(sealed to others)"
    except CannotOpen:
        standing = "(does not open: its author sealed something else)"
    except (NotFound, ServerRefused):
        standing = "(the server does not give it)"
    return {
        "seq": entry.header.seq,
        "what": entry.rule.label,
        "by": await desk.name_of(entry.header.author),
        "to": [await desk.name_of(device) for device in entry.header.clear["recipients"]],
        "time": when(entry.header.time),
        "words": words,
        "standing": standing,
    }


def _breach(desk: Desk, review: Review, reference: str) -> tuple[bytes, Breach]:
    entry = desk.find(review, reference)
    breach = review.breaches.get(entry.id)
    if breach is None:
        raise NotFound(f"expected a breach like B1, got “{reference}”")
    return entry.id, breach


def _said(options: Options, sent: Sent, text: str) -> None:
    options.output.result(sent_json(sent), lambda console: console.print(f"{text} — #{sent.seq}", markup=False))


CONSIDER = "Say what the oversight group thinks of a reported breach, or asks."
REFER = "Refer a reported breach, such as to the Conference; the letter says to whom and why."
CLOSE = "Close a reported breach, with the reasons; nothing follows."

COMMANDS = {
    "breach report": report,
    "breach consider": _follower("breach.considered", CONSIDER, "Sent", breaches.consider),
    "breach refer": _follower("breach.referred", REFER, "Referred", breaches.refer),
    "breach close": _follower("breach.closed", CLOSE, "Closed", breaches.close),
    "breach list": list_,
    "breach show": show,
}
