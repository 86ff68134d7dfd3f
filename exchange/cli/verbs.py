"""Commands made from the table of kinds: one for every verb whose words come from a paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click
import msgspec

from events.register import Register
from events.review import Review
from events.rule import KINDS, CircleRule, Nothing, Rule, StreamKind
from events.stream import DIRECTORY, PARTIES, REVIEWERS, delegation
from exchange.cli import paper as papers
from exchange.cli.context import Desk, Options, run, sent_json
from exchange.client.client import Sent
from exchange.client.compose import Draft
from exchange.client.errors import ClientError

# Their clear parts hold keys, slots or recipients, which people do not type; they have commands of their own.
BY_HAND = frozenset(
    {
        "register.founded",
        "state.registered",
        "person.registered",
        "person.granted",
        "person.left",
        "directory.rotated",
        "log.announced",
        "release.announced",
        "keys.rotated",
        "keys.granted",
        "review.opened",
        "member.nominated",
        "member.admitted",
        "member.removed",
        "translation.assigned",
        "translation.submitted",
        "object.disclosed",
        "breach.reported",
        "breach.considered",
        "breach.referred",
        "breach.closed",
        "report.agreed",
        "summary.agreed",
    }
)
CIRCLES = {CircleRule.PARTIES: PARTIES, CircleRule.REVIEWERS: REVIEWERS, CircleRule.DIRECTORY: DIRECTORY}


def add_verbs(group_of: Callable[[str], tuple[click.Group, str]]) -> None:
    """Add a command for every kind of the table that is written as a paper or as plain facts."""
    for rule in KINDS.values():
        if rule.name not in BY_HAND:
            group, name = group_of(rule.verb)
            group.add_command(_command(rule), name)


def _command(rule: Rule) -> click.Command:
    def call(**given: Any) -> None:
        options = click.get_current_context().find_object(Options)
        if options is None:
            raise RuntimeError("no options")
        _run(options, rule, given)

    return click.Command(
        name=rule.verb.split()[-1],
        callback=call,
        params=_params(rule),
        help=_help(rule),
        short_help=rule.summary,
    )


def _help(rule: Rule) -> str:
    who = ", ".join(sorted(rule.by))
    text = f"{rule.summary}\n\n({rule.para}. Open to: {who}.)"
    described = papers.describe(rule)
    if described:
        block = "\n".join(f"  {line}" if line else "" for line in described.split("\n")).replace("\n\n", "\n  \n")
        text += (
            f"\n\nPAPER is a text file, or - for standard input; without it you are asked. It may hold:\n\n\b\n{block}"
        )
    example = f"colloquy {rule.verb}{' Q3' if rule.about.least else ''}{' paper.txt' if rule.sealed else ''}"
    return f"{text}\n\n\b\nExample:\n  {example}"


def _params(rule: Rule) -> list[click.Parameter]:
    params: list[click.Parameter] = []
    if rule.about.least:
        params.append(click.Argument(["about"], metavar="REFERENCE"))
    if rule.sealed is not None:
        params.append(click.Argument(["paper"], required=False, metavar="[PAPER]"))
        params.append(click.Option(["--lang"], default="", help="Language of the text, such as en or ar."))
    if rule.files:
        help_ = "Attach a file (again for more)."
        params.append(click.Option(["--attach", "-a"], multiple=True, type=click.Path(), help=help_))
    if rule.about.most and not rule.about.least:
        help_ = "What it refers to: Q3, #12 or a hash (again for more)."
        params.append(click.Option(["--about"], multiple=True, metavar="REFERENCE", help=help_))
    return params + _clear_params(rule)


def _clear_params(rule: Rule) -> list[click.Parameter]:
    """Options for the clear fields: read by the server, so they never hold words of a paper."""
    if rule.clear is Nothing:
        return []
    params: list[click.Parameter] = []
    for name, hint in get_type_hints(rule.clear, include_extras=False).items():
        kind: Any = click.Choice(get_args(hint)) if get_origin(hint) is Literal else str
        multiple = get_origin(hint) is tuple
        help_ = "Again for more." if multiple else ""
        params.append(
            click.Option([f"--{name.replace('_', '-')}"], type=kind, multiple=multiple, required=True, help=help_)
        )
    return params


def _run(options: Options, rule: Rule, given: dict[str, Any]) -> None:
    read = papers.read_paper(given.get("paper"), rule) if rule.sealed is not None else None
    base = Path(given["paper"]).parent if given.get("paper") not in (None, "-") else Path()
    given["attach"] = tuple(str(Path(path).absolute()) for path in given.get("attach", ()))
    sent = run(options, lambda desk: _send(desk, rule, given, read, base))
    options.output.result(sent_json(sent), lambda console: console.print(_done(rule, sent)))


def _done(rule: Rule, sent: Sent) -> str:
    again = " (an earlier, interrupted command had sent it already)" if sent.repeated else ""
    return f"{rule.label} — #{sent.seq}, {sent.event.hex()[:16]}{again}"


async def _send(desk: Desk, rule: Rule, given: dict[str, Any], read: papers.Paper | None, base: Path) -> Sent:
    state: Register | Review = desk.register if rule.stream is StreamKind.REGISTER else await desk.review()
    about = tuple(desk.find(state, ref).id for ref in _references(given)) if isinstance(state, Review) else ()
    clear = _clear(rule, given)
    paths = tuple(read.attach if read else ()) + tuple(given.get("attach", ()))
    infos, found = papers.attachments(paths, base)
    sealed = papers.sealed_of(rule, read, infos) if read else None
    if read and isinstance(state, Review) and read.repeated.get("incorporates"):
        taken = papers.incorporated(read, lambda ref: desk.find(state, ref).id)
        sealed = msgspec.structs.replace(sealed, incorporates=taken) if sealed else None
        about = (*about, *(item.comment for item in taken if item.comment not in about))
    circle = _circle(rule, desk)

    async def build(newest: Register | Review) -> Draft:
        revises, all_about = _revised(rule, newest, about)
        return Draft(rule.name, clear, all_about, given.get("lang", ""), sealed, circle, revises)

    intent = (rule.name, list(about), _plain(clear), _plain(sealed) if sealed else None, given.get("lang", ""))
    with desk.out.progress("Sealing and sending") as progress:
        return await desk.client.send(state.id, intent, build, circle=circle, attachments=found, progress=progress)


def _references(given: dict[str, Any]) -> tuple[str, ...]:
    about = given.get("about") or ()
    return (about,) if isinstance(about, str) else tuple(about)


def _clear(rule: Rule, given: dict[str, Any]) -> msgspec.Struct:
    values = {name: given[name] for name in rule.clear.__struct_fields__}
    try:
        return msgspec.convert(values, rule.clear)
    except msgspec.ValidationError as error:
        raise ClientError(f"{error}; nothing was sent") from None


def _circle(rule: Rule, desk: Desk) -> str:
    if rule.circle is CircleRule.DELEGATION:
        return delegation(desk.me.state)
    return CIRCLES.get(rule.circle, "")


def _revised(rule: Rule, state: Register | Review, about: tuple[bytes, ...]) -> tuple[bytes, tuple[bytes, ...]]:
    """The document a new version belongs to, and what the event is about with the version before."""
    if not rule.revisable or not isinstance(state, Review):
        return b"", about
    before = _newest(rule, state) or next((e for e in about if state.known[e].kind == rule.name), b"")
    if not before:
        return b"", about
    document = state.known[before].document
    newest = state.documents[document].event
    return document, (newest, *(event for event in about if state.known[event].kind != rule.name))


def _newest(rule: Rule, state: Review) -> bytes:
    if rule.name == "response.submitted":
        return state.response
    if rule.name == "report.revised":
        return state.report.revision
    return state.summary.revision if rule.name == "summary.revised" else b""


def _plain(struct: msgspec.Struct) -> Any:
    return msgspec.to_builtins(struct, builtin_types=(bytes,))
