"""Releases of the client: announced by digest, and compared with what one was given."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click

from events.entries import EntryType
from events.register import Release
from events.rule import rule_of
from exchange.cli.context import Desk, Options, run, sent_json, when
from exchange.client.client import Sent
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, NotFound

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@FILE
@click.option("--name", required=True, help="What it is, such as colloquy or web.")
@click.option("--version", required=True, help="Its version; each is announced once.")
@click.pass_obj
def announce(options: Options, file: Path, name: str, version: str) -> None:
    """Announce a release of the client: its SHA-256 stands in the log for everybody and for good.

    FILE is what people will be given: a package, or the signed list of a web client's files.

    \b
    Example:
      colloquy release announce colloquy-0.2.tar.gz --name colloquy --version 0.2
    """
    digest = _digest(file)
    value = {"name": name, "version": version, "digest": digest}
    clear = rule_of("release.announced").read_clear(value)

    async def work(desk: Desk) -> Sent:
        desk.options.confirm(f"Announce {name} {version}, SHA-256 {digest.hex()}? It cannot be taken back.")

        async def build(_newest: Any) -> Draft:
            return Draft("release.announced", clear)

        return await desk.client.send(desk.register.id, ("release", name, version, digest), build)

    sent = run(options, work)
    text = f"Announced {name} {version} — #{sent.seq}\n  SHA-256 {digest.hex()}"
    options.output.result({**sent_json(sent), "digest": digest.hex()}, lambda c: c.print(text, markup=False))


@click.command(name="list")
@click.pass_obj
def list_(options: Options) -> None:
    """All announced releases, the newest first.

    \b
    Example:
      colloquy release list
    """

    async def work(desk: Desk) -> list[dict[str, Any]]:
        found = sorted(desk.register.releases.items(), key=lambda item: -item[1].seq)
        return [await _row(desk, digest, release) for digest, release in found]

    rows = run(options, work)
    table = [[r["name"], r["version"], r["time"], r["by"], r["digest"]] for r in rows]
    columns = ("What", "Version", "Announced (UTC)", "By", "SHA-256")
    options.output.result(rows, options.output.table("Releases", columns, table))


@click.command()
@FILE
@click.pass_obj
def check(options: Options, file: Path) -> None:
    """Check that a file is an announced release, and that everybody was told the same (rule 21).

    \b
    Example:
      colloquy release check colloquy-0.2.tar.gz
    """
    digest = _digest(file)

    async def work(desk: Desk) -> dict[str, Any]:
        release = desk.register.releases.get(digest)
        if release is None:
            raise NotFound(f"{file} is no announced release (SHA-256 {digest.hex()}). Do not run it")
        row = await _row(desk, digest, release)
        if await desk.client.replay.log.refresh() is not None:
            event = bytes.fromhex(row["event"])
            await desk.client.replay.log.included(desk.register.id, release.seq, EntryType.ENVELOPE, event)
        return row

    row = run(options, work)
    text = f"{file} is {row['name']} {row['version']}, announced by {row['by']}, {row['time']} UTC."
    options.output.result(row, lambda console: console.print(text, markup=False))


async def _row(desk: Desk, digest: bytes, release: Release) -> dict[str, Any]:
    event = next(event for event, known in desk.register.known.items() if known.seq == release.seq)
    header = desk.client.entry(desk.register, event).header
    return {
        "name": release.name,
        "version": release.version,
        "digest": digest.hex(),
        "time": when(header.time),
        "by": await desk.name_of(header.author),
        "event": event.hex(),
    }


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}") from None


COMMANDS = {"release announce": announce, "release list": list_, "release check": check}
