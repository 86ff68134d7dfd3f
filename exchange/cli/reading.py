"""Reading: what waits for me, what happened, one paper, its files, the timetable, who could read what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.text import Text

from events.review import Disclosure, RequestStatus, Review
from events.rule import Role
from events.timetable import timetable as steps_of
from events.turns import OVERSIGHT, Turn, turns
from exchange.cli.context import Desk, Options, run, system_clock, when
from exchange.cli.logs import in_words
from exchange.cli.output import safe
from exchange.client.client import Entry
from exchange.client.disclosing import disclosed_to, shown_or_told
from exchange.client.errors import NoKey, NotFound, ServerRefused
from exchange.client.readers import could_read
from keys.errors import CannotOpen
from keys.recipient import readable

SEEN = "seen.json"
TITLE_FIELDS = ("text", "reason", "summary", "note")
WIDTH = 48


@click.command()
@click.pass_obj
def inbox(options: Options) -> None:
    """What waits for you or your State, and what is new since you looked last."""

    async def work(desk: Desk) -> dict[str, Any]:
        waiting: list[dict[str, Any]] = []
        new: list[dict[str, Any]] = []
        seen = _seen(desk)
        for review in await desk.client.reviews():
            name = f"{review.under_review}-{review.year}"
            waiting += [_turn_json(review, turn, name) for turn in turns(review) if _mine(desk, review, turn)]
            recent = desk.client.entries(review.id)[seen.get(review.id.hex(), -1) + 1 :]
            others = [entry for entry in recent if entry.header.author != desk.client.identity.fingerprint]
            new += [await line_of(desk, review, entry) for entry in others]
            seen[review.id.hex()] = review.seq
        (desk.client.home.path / SEEN).write_bytes(msgspec.json.encode(seen))
        return {"waiting": waiting, "new": new}

    found = run(options, work)

    def show(console: Console) -> None:
        rows = [[w["review"], w["what"], w["detail"], w["about"], _how(w)] for w in found["waiting"]]
        columns = ("Review", "To do", "Which", "About", "How")
        (options.output.table("It is your turn", columns, rows) if rows else _saying("Nothing waits for you."))(console)
        news = [[f"#{n['seq']}", n["time"], n["who"], n["what"], n["title"]] for n in found["new"]]
        columns = ("No.", "When (UTC)", "Who", "What", "Title")
        table = options.output.table("New since you looked last", columns, news)
        (table if news else _saying("Nothing is new since you looked last."))(console)

    options.output.result(found, show)


def _saying(text: str) -> Callable[[Console], None]:
    return lambda console: console.print(text)


def _how(waiting: dict[str, Any]) -> str:
    """The command to type, with the request it is about."""
    which = waiting["detail"] if waiting["detail"].startswith(("Q", "B")) else ""
    return f"colloquy {waiting['verb']} {which}".rstrip()


@click.command()
@click.pass_obj
def timeline(options: Options) -> None:
    """Everything that happened in the review, in order; titles where you hold the key."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        review = await desk.review()
        return [await line_of(desk, review, entry) for entry in desk.client.entries(review.id)]

    rows = run(options, work)
    table = [[f"#{r['seq']}", r["time"], r["who"], r["what"], r["title"], r["circle"]] for r in rows]
    columns = ("No.", "When (UTC)", "Who", "What", "Title", "For")
    options.output.result(rows, options.output.table("Timeline", columns, table))


@click.command()
@click.argument("reference")
@click.pass_obj
def show(options: Options, reference: str) -> None:
    """Show one paper: its words, files, answers, translations, and what was proved about it.

    \b
    Examples:
      colloquy show Q3
      colloquy show '#12'
    """

    async def work(desk: Desk) -> dict[str, Any]:
        review = await desk.review()
        entry = desk.find(review, reference)
        facts = await line_of(desk, review, entry)
        try:
            body = await shown_or_told(desk.client, review, entry) if entry.header.objects else {}
        except (NoKey, ServerRefused) as error:
            raise NoKey(f"#{entry.header.seq} is sealed for {entry.header.circle}: {error}") from None
        linked = [await line_of(desk, review, e) for e in desk.client.entries(review.id) if entry.id in e.header.about]
        return {
            **facts,
            "body": body,
            "disclosed": [await _disclosure(desk, made) for made in disclosed_to(review, desk.me.device, entry.id)],
            "replies": linked,
            "translations": _translations(review, entry),
            "superseded": review.superseded(entry.id),
            "signed_by": readable(entry.header.author),
            "event": entry.id.hex(),
        }

    found = run(options, work)
    options.output.result(found, lambda console: _show_paper(console, options, found))


@click.command()
@click.pass_obj
def timetable(options: Options) -> None:
    """The timetable: what was due and done when, whose turn it is, what is late (indicative: it never blocks)."""

    async def work(desk: Desk) -> tuple[Review, list[dict[str, Any]]]:
        review = await desk.review()
        rows = [
            {
                "step": step.name,
                "paragraph": step.para,
                "whose": [code or "secretariat" for code in step.whose],
                "begins": step.begins.isoformat() if step.begins else "",
                "due": step.due.isoformat() if step.due else "",
                "done": step.done.isoformat() if step.done else "",
                "days_late": step.days_late,
                "extended": step.extended,
            }
            for step in steps_of(review, system_clock())
        ]
        return review, rows

    _, rows = run(options, work)

    def draw(console: Console) -> None:
        table = [
            [r["step"], r["paragraph"], ", ".join(r["whose"]), r["due"], r["done"] or "—", _lateness(r), bar]
            for r, bar in zip(rows, _bars(rows), strict=True)
        ]
        columns = ("Step", "After", "Whose", "Due", "Done", "", "begins ▸ due ◆ done")
        options.output.table("Timetable", columns, table)(console)

    options.output.result(rows, draw)


@click.command()
@click.pass_obj
def readers(options: Options) -> None:
    """Who could read what, by the keys they held and the documents disclosed to them."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        review = await desk.review()
        rows = []
        for entry in desk.client.entries(review.id):
            if not entry.header.objects:
                continue
            line = await line_of(desk, review, entry)
            people = [desk.register.by_device(device) for device in could_read(review, entry)]
            names = sorted([await desk.name(person.id) for person in people if person])
            rows.append(
                {
                    "seq": line["seq"],
                    "what": line["what"],
                    "title": line["title"],
                    "for": line["circle"],
                    "readers": names,
                }
            )
        return rows

    rows = run(options, work)
    table = [[f"#{r['seq']}", r["what"], r["title"], r["for"], ", ".join(r["readers"])] for r in rows]
    columns = ("No.", "What", "Title", "For", "Could be read by")
    options.output.result(rows, options.output.table("Who could read what", columns, table))


@click.command()
@click.option("--watch", is_flag=True, help="Stay and tell what is new as it arrives (Ctrl-C ends it).")
@click.pass_obj
def status(options: Options, watch: bool) -> None:  # noqa: FBT001
    """Who you are here, the server, and where every review stands."""

    async def work(desk: Desk) -> dict[str, Any]:
        service = await desk.client.remote.service()
        reviews = await desk.client.reviews()
        me = desk.me
        return {
            "name": await desk.name(me.id),
            "role": me.role.value,
            "state": me.state,
            "fingerprint": readable(me.device),
            "server": desk.client.home.settings.server,
            "register": service.register,
            "exercise": service.exercise,
            "history": _history(desk),
            "reviews": [_review_json(review) for review in reviews],
        }

    async def listen(desk: Desk) -> None:
        async for news in desk.client.remote.news():
            review = (
                await desk.client.review(bytes.fromhex(news.stream)) if news.stream != desk.register.id.hex() else None
            )
            if review is not None:
                entry = desk.client.entries(review.id)[news.seq]
                line = await line_of(desk, review, entry)
                desk.out.console.print(
                    safe(f"{line['time']} #{line['seq']} {line['who']}: {line['what']} {line['title']}"), markup=False
                )

    found = run(options, work)

    def draw(console: Console) -> None:
        if found["exercise"]:
            console.print("EXERCISE — this register is for training.", style="bold reverse")
        side = found["state"] or "the secretariat's side"
        console.print(f"{safe(found['name'])}, {found['role']}, {side}", markup=False)
        console.print(
            f"Fingerprint  {found['fingerprint']}\nServer       {found['server']}\n"
            f"Register     {found['register'][:16]}…\nHistory      {found['history']}\n",
            markup=False,
        )
        rows = [[r["name"], r["phase"], str(r["events"]), r["requests"], r["report"]] for r in found["reviews"]]
        options.output.table("Reviews", ("Review", "Step", "Events", "Requests", "Report"), rows)(console)

    options.output.result(found, draw)
    if watch:
        run(options, listen)


def _history(desk: Desk) -> str:
    """How far the history is verified and witnessed, in words."""
    standing = desk.client.replay.log.standing
    return in_words(standing) if standing else "No log was announced; each stream is verified by itself."


async def line_of(desk: Desk, review: Review, entry: Entry) -> dict[str, Any]:
    """One event as a line: what the header says, and the title if one may read it."""
    header = entry.header
    person = desk.register.by_device(header.author)
    title = await title_of(desk, review, entry)
    request, breach = review.requests.get(entry.id), review.breaches.get(entry.id)
    return {
        "seq": header.seq,
        "time": when(header.time),
        "who": f"{await desk.name(person.id)} ({person.state or person.role.value})" if person else "?",
        "kind": header.kind,
        "what": entry.rule.label,
        "title": f"Q{request.number} {title}" if request else f"B{breach.number}" if breach else title,
        "circle": header.circle,
        "lang": header.lang,
        "about": [f"#{review.known[target].seq}" for target in header.about],
        "files": max(0, len(header.objects) - 1),
    }


async def title_of(desk: Desk, review: Review, entry: Entry) -> str:
    """The title of an event, or the beginning of its words; “(sealed)” if one cannot read them."""
    if not entry.header.objects:
        return ""
    try:
        body = (await desk.client.open(review, entry)).body
    except (NoKey, NotFound, ServerRefused, CannotOpen):
        return "(sealed)"
    article, title = str(getattr(body, "article", "")), str(getattr(body, "title", ""))
    words = next((str(getattr(body, name)) for name in TITLE_FIELDS if getattr(body, name, "")), "")
    text = title or words
    text = (f"article {article}: {text}" if article else text).replace("\n", " ")
    return text if len(text) <= 70 else text[:69] + "…"


async def _disclosure(desk: Desk, made: Disclosure) -> dict[str, Any]:
    return {
        "event": f"#{made.seq}",
        "by": await desk.name_of(made.by),
        "part": f"file {made.object}" if made.object else "the text",
    }


def _mine(desk: Desk, review: Review, turn: Turn) -> bool:
    me = desk.me
    if me.role is Role.TRANSLATOR:
        entry = review.translations.get(turn.about)
        return turn.whose == "translator" and entry is not None and entry.translator == me.device
    if me.role is Role.OVERSIGHT:
        return turn.whose == OVERSIGHT
    if me.role is Role.OFFICER:
        return turn.whose == ""
    return bool(me.state) and turn.whose == me.state


def _turn_json(review: Review, turn: Turn, name: str) -> dict[str, Any]:
    about = f"#{review.known[turn.about].seq}" if turn.about in review.known else ""
    return {
        "review": name,
        "what": turn.what.replace("-", " "),
        "detail": turn.detail,
        "about": about,
        "verb": turn.verb,
    }


def _translations(review: Review, entry: Entry) -> list[dict[str, Any]]:
    found = [t for t in review.translations.values() if t.source == entry.id and t.event]
    return [
        {
            "language": t.lang,
            "part": t.object,
            "event": f"#{review.known[t.event].seq}",
            "stale": review.superseded(entry.id),
        }
        for t in sorted(found, key=lambda t: (t.lang, t.object))
    ]


def _show_paper(console: Console, options: Options, found: dict[str, Any]) -> None:
    console.print(Text(f"#{found['seq']}  {found['what']}", style="bold"))
    console.print(f"{safe(found['who'])}, {found['time']} UTC, for {found['circle'] or 'everyone'}", markup=False)
    if found["superseded"]:
        console.print("A newer version of this paper exists.", style="bold")
    for made in found["disclosed"]:
        words = f"{made['part']} was disclosed to you by {made['by']} ({made['event']}); it is what was logged."
        console.print(safe(words[0].upper() + words[1:]), markup=False)
    for name, value in found["body"].items():
        if not value:
            continue
        if name == "files":
            rows = [[str(i), f["name"], f["media"], str(f["size"])] for i, f in enumerate(value, 1)]
            options.output.table("Files", ("No.", "Name", "Type", "Bytes"), rows)(console)
        elif isinstance(value, str):
            console.print(Text(f"\n{name.capitalize()}", style="bold"))
            console.print(safe(value), markup=False)
        else:
            console.print(f"\n{name.capitalize()}: {safe(str(value))}", markup=False)
    rows = [[f"#{r['seq']}", r["time"], r["who"], r["what"], r["title"]] for r in found["replies"]]
    if rows:
        options.output.table("What refers to it", ("No.", "When (UTC)", "Who", "What", "Title"), rows)(console)
    for t in found["translations"]:
        console.print(f"Translated into {t['language']}: {t['event']}{' (stale)' if t['stale'] else ''}", markup=False)
    console.print(f"\nSignature verified. Signed by {found['signed_by']}\nEvent {found['event']}", markup=False)


def _review_json(review: Review) -> dict[str, Any]:
    requests = list(review.requests.values())
    still = sum(1 for r in requests if r.status is not RequestStatus.CLOSED)
    report = review.report
    agreed = f"revision {report.number}, agreed by {len(report.agreed)} of 3" if report.revision else "—"
    return {
        "name": f"{review.under_review}-{review.year}",
        "id": review.id.hex(),
        "phase": review.phase.value,
        "events": review.seq + 1,
        "requests": f"{still} of {len(requests)} open",
        "report": "final" if report.final else agreed,
    }


def _lateness(row: dict[str, Any]) -> str:
    if row["days_late"]:
        return f"{row['days_late']} days late"
    if row["done"]:
        return "done"
    return "running" if row["begins"] else "not begun"


def _bars(rows: list[dict[str, Any]]) -> list[str]:
    """The steps as bars on one scale of time."""
    days = [d for r in rows for d in (r["begins"], r["due"], r["done"]) if d]
    if not days:
        return [""] * len(rows)
    from datetime import date  # noqa: PLC0415

    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    span = max((last - first).days, 1)

    def at(text: str) -> int:
        return (date.fromisoformat(text) - first).days * (WIDTH - 1) // span

    bars = []
    for r in rows:
        cells = [" "] * WIDTH
        if r["begins"]:
            end = at(r["done"] or r["due"] or r["begins"])
            start = min(at(r["begins"]), end)
            cells[start : end + 1] = "▬" * (end + 1 - start)
            cells[at(r["begins"])] = "▸"
        if r["due"]:
            cells[at(r["due"])] = "◆"
        if r["done"]:
            cells[at(r["done"])] = "●"
        bars.append("".join(cells).rstrip())
    return bars


def _seen(desk: Desk) -> dict[str, int]:
    try:
        return msgspec.json.decode((desk.client.home.path / SEEN).read_bytes(), type=dict[str, int])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


COMMANDS = {
    "inbox": inbox,
    "timeline": timeline,
    "show": show,
    "timetable": timetable,
    "readers": readers,
    "status": status,
}
