"""Being a witness of a log: a key, and a small server that cosigns what continues the log."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from events.errors import BadNote
from events.notes import KeyType, Vkey
from exchange.cli.context import Options, exercise_clock
from exchange.client.errors import ClientError
from exchange.notekeys import HeldKey, NoteKeyError

DIRECTORY = click.option(
    "--dir",
    "directory",
    required=True,
    type=click.Path(path_type=Path),
    help="Where the witness keeps its key and its book.",
)


@click.command()
@DIRECTORY
@click.option(
    "--name", required=True, help="Name of the witness, such as witness.example/nrl; no spaces, no plus sign."
)
@click.pass_obj
def init(options: Options, directory: Path, name: str) -> None:
    """Make the key of a witness; prints its public key, to be sent to the secretariat.

    The key file has no passphrase, because a witness works unattended; keep it on a machine of your own. Never copy
    it to a second machine: two witnesses with one key can be made to contradict each other.

    \b
    Example:
      colloquy witness init --dir /var/lib/colloquy-witness --name witness.example/nrl
    """
    from exchange.witness.service import KEY_FILE  # noqa: PLC0415

    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        key = HeldKey.generate(name, KeyType.COSIGNATURE)
        key.save(directory / KEY_FILE)
    except (BadNote, NoteKeyError) as error:
        raise ClientError(str(error)) from None
    _show(options, key)


@click.command()
@DIRECTORY
@click.pass_obj
def key(options: Options, directory: Path) -> None:
    """Print the public key of a witness.

    \b
    Example:
      colloquy witness key --dir /var/lib/colloquy-witness
    """
    from exchange.witness.service import held_key  # noqa: PLC0415

    try:
        held = held_key(directory)
    except NoteKeyError as error:
        raise ClientError(str(error)) from None
    _show(options, held)


@click.command()
@DIRECTORY
@click.option(
    "--log", "logs", multiple=True, required=True, help="Public key of a log to be witnessed; may be repeated."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=8480, show_default=True, help="Port to listen on, 0 for any free one.")
def serve(directory: Path, logs: tuple[str, ...], host: str, port: int) -> None:
    """Run a witness: cosign every checkpoint that continues its log, and no other.

    What was cosigned is on disk before it is answered. A second history of a log is refused and kept as evidence in
    the directory forks. It speaks plain HTTP: put it behind a proxy that speaks TLS.

    \b
    Example:
      colloquy witness serve --dir /var/lib/colloquy-witness --log exchange.example/log+3d2f…+AZ…
    """
    from exchange.witness import WitnessSettings, run  # noqa: PLC0415

    try:
        keys = tuple(Vkey.parse(text) for text in logs)
    except BadNote as error:
        raise ClientError(f"{error}; nothing was started") from None
    if any(one.type is not KeyType.ED25519 for one in keys):
        raise ClientError("expected the key of a log, got one of a witness; nothing was started")
    sys.exit(run(WitnessSettings(directory, keys, host, port, exercise_clock())))


def _show(options: Options, held: HeldKey) -> None:
    text = held.vkey.text()
    options.output.result(
        {"name": held.vkey.name, "vkey": text}, lambda console: console.print(text, soft_wrap=True, markup=False)
    )


COMMANDS = {"witness init": init, "witness serve": serve, "witness key": key}
