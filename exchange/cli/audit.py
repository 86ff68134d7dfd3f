"""`colloquy audit`: the whole log checked by the oversight group, without a key."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console

from events.errors import WrongRole
from events.notes import Note
from events.policy import Policy
from events.rule import Role
from exchange.audit.engine import audit as audited
from exchange.audit.memory import Memory
from exchange.audit.page import page
from exchange.audit.remote import Server
from exchange.audit.report import Report
from exchange.audit.text import text
from exchange.cli.context import Options, system_clock
from exchange.cli.output import safe
from exchange.cli.places import free
from exchange.client import forks
from exchange.client.client import Client
from exchange.client.errors import ServerLied, Unwitnessed
from exchange.client.home import Home

MEMORY = "audit.sqlite"
FAULTS = 5


@click.command()
@click.option("--full", is_flag=True, help="Everything from the first entry on, whatever was audited before.")
@click.option(
    "--report",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the report here, as HTML, text and JSON; nothing is overwritten.",
)
@click.pass_context
def audit(context: click.Context, full: bool, directory: Path | None) -> None:  # noqa: FBT001
    """Check every event and every reading on record, the log and its witnesses (oversight group only).

    It needs no key and opens nothing. It goes on where the last audit ended; interrupted, it leaves that as it was.
    Exit status 5 means that something is wrong; the report says what, by which rule, and where.

    \b
    Examples:
      colloquy audit
      colloquy audit --full --report reports/
    """
    options: Options = context.obj
    report = asyncio.run(_run(options, full=full))
    written = _write(report, directory) if directory else []

    def show(console: Console) -> None:
        console.print(safe(text(report)), markup=False, end="")
        for path in written:
            console.print(f"Written: {safe(str(path))}", markup=False)

    options.output.result(msgspec.to_builtins(report), show)
    if not report.sound:
        context.exit(FAULTS)


async def _run(options: Options, *, full: bool) -> Report:
    with Home(options.home) as home:
        identity = await asyncio.to_thread(home.unlock, options.passphrase())
        async with Client(home, identity, system_clock) as client:
            await _check_role(client)
            with (
                closing(Memory(home.path / MEMORY, identity.local_key(b"audit"))) as memory,
                options.output.counted("Auditing the log") as progress,
            ):
                source, now = Server(client.remote), system_clock()
                report = await audited(source, memory, client.register_id, now, full=full, progress=progress)
            if report.contradicting:
                options.output.say(await _keep(client, report))
            return report


async def _check_role(client: Client) -> None:
    """Only the oversight group audits: it answers for the whole mechanism and belongs to no side of a review."""
    try:
        register = await client.register()
    except (ServerLied, Unwitnessed):
        # What is wrong is for the audit to say; the server shows reviews and readings to overseers alone.
        return
    person = register.by_device(client.identity.fingerprint)
    if person is None or person.role is not Role.OVERSIGHT:
        got = person.role.value if person else "not in the register"
        raise WrongRole("the oversight group, which belongs to no side and sees every review,", got)


async def _keep(client: Client, report: Report) -> str:
    """Keep the two checkpoints that contradict each other, for everybody to see."""
    history = client.replay.history
    if not len(history) or not history.latest.log:
        return "The register announces no log, so its checkpoints prove nothing to others."
    notes = [Note.parse(text.encode()) for text in (report.contradicting, report.checkpoint)]
    return await forks.keep(client.home.path, client.remote, Policy.parse(history.latest.log), notes)


def _write(report: Report, directory: Path) -> list[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    name = f"audit-{datetime.fromtimestamp(report.time / 1000, UTC):%Y-%m-%d-%H%M}"
    forms = {"html": page(report), "txt": safe(text(report)), "json": msgspec.json.encode(report).decode() + "\n"}
    written = []
    for ending, content in forms.items():
        path = free(directory / f"{name}.{ending}")
        path.write_text(content, "utf-8")
        written.append(path)
    return written


COMMANDS = {"audit": audit}
