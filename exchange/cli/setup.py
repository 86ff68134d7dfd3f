"""First steps: a key, a server, a card; and running a server."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from events.card import Card
from events.envelope import SignedEvent
from events.kinds.people import RegisterFounded
from exchange.cli.context import Desk, Options, at_desk, run, system_clock, when
from exchange.client import logs
from exchange.client.compose import Draft, compose
from exchange.client.errors import ClientError, Unconfirmed
from exchange.client.home import KEY_FILE, Home, HomeSettings, write_private
from exchange.client.membership import new_person
from exchange.client.remote import Remote
from keys.identity import Identity
from keys.labels import Label
from keys.recipient import readable

FOUNDING = "founding"
CARD = "card.txt"


@click.command(epilog="\b\nExample:\n  colloquy init --server https://exchange.example --register 3f9a…")
@click.option("--server", default="", help="Address of the server, such as https://exchange.example.")
@click.option(
    "--register", "register_id", default="", help="The register's id, as the secretariat told you by another way."
)
@click.option("--label", default="", help="A name for this home, shown to you only.")
@click.pass_obj
def init(options: Options, server: str, register_id: str, label: str) -> None:
    """Make your key and your home directory; writes the card to send to the secretariat.

    The passphrase is asked for twice and tried once more, because nobody can recover it for you. Keep a copy of
    identity.key in a safe place.
    """
    identity = Identity.generate()
    passphrase = options.passphrase(new=True)
    if len(passphrase) < 8:
        raise ClientError(f"expected a passphrase of at least 8 characters, got {len(passphrase)}; nothing was made")
    home = Home.create(options.home, identity, passphrase, HomeSettings(server, "", label))
    if home.unlock(passphrase).fingerprint != identity.fingerprint:
        raise ClientError("the key file did not open again; do not use this home")
    if server:
        asyncio.run(_pin(home, identity, server, register_id))
    _show_card(options, home, identity)


@click.command()
@click.argument("server")
@click.option(
    "--register", "register_id", default="", help="The register's id, as the secretariat told you by another way."
)
@click.pass_obj
def connect(options: Options, server: str, register_id: str) -> None:
    """Connect your home to a server, pinning its register; a pinned one stays the only right one.

    \b
    Example:
      colloquy connect https://exchange.example --register 3f9a…
    """
    with Home(options.home) as home:
        identity = home.unlock(options.passphrase())
        asyncio.run(_pin(home, identity, server, register_id))
    options.output.result({"server": server, "register": home.settings.register}, lambda c: c.print("Connected."))


@click.command()
@click.pass_obj
def card(options: Options) -> None:
    """Write your card (public keys) as a file and show your fingerprint.

    Send the card by any means; read the fingerprint out over another one.
    """
    with Home(options.home) as home:
        _show_card(options, home, home.unlock(options.passphrase()))


@click.command()
@click.argument("person")
@click.option("--fingerprint", help="The digits as their owner read them out.")
@click.pass_obj
def confirm(options: Options, person: str, fingerprint: str | None) -> None:
    """Record that you compared a person's fingerprint with its owner.

    \b
    Example:
      colloquy confirm "Okonkwo" --fingerprint "12345 67890 …"
    """

    async def work(desk: Desk) -> str:
        found = await desk.person(person)
        desk.check_fingerprint(readable(found.device), fingerprint)
        desk.client.home.confirm(found.device, when(system_clock()))
        return found.device.hex()

    device = run(options, work)
    options.output.result({"confirmed": device}, lambda c: c.print("Confirmed and remembered."))


@click.command()
@click.option("--name", required=True, help="Name of this deployment.")
@click.option("--exercise", is_flag=True, help="A training register: its clock may be set, and everybody is told.")
@click.pass_obj
def found(options: Options, name: str, exercise: bool) -> None:  # noqa: FBT001
    """Found the register of a new server; you become its first secretariat officer.

    \b
    Example:
      colloquy register found --name "UNTOC review mechanism"
    """
    with Home(options.home) as home:
        identity = home.unlock(options.passphrase())
        stream = asyncio.run(_found(home, identity, name, exercise=exercise))

    async def begin() -> None:
        async with at_desk(options) as desk:
            if not desk.register.circles:
                await desk.client.send(
                    stream,
                    ("directory.rotated",),
                    desk.membership.begin_directory,  # type: ignore[arg-type]
                )
            if not desk.register.log:
                await _announce(desk, stream)

    asyncio.run(begin())
    options.output.result(
        {"register": stream.hex()},
        lambda c: c.print(
            f"The register is founded. Its id, to be told to everyone by another way:\n\n  {stream.hex()}"
        ),
    )


@click.command()
@click.option("--config", type=click.Path(path_type=Path, exists=True), help="Settings as a TOML file.")
@click.option("--data", type=click.Path(path_type=Path), help="Directory of the database and the sealed files.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on, 0 for any free one.  [default: 8470]")
@click.option("--founder", help="Fingerprint (hexadecimal) of the only device that may found the register.")
def serve(config: Path | None, data: Path | None, host: str | None, port: int | None, founder: str | None) -> None:
    """Run a server that stores and orders what it cannot read.

    Settings come from the command line, then COLLOQUY_… in the environment, then the file.

    \b
    Example:
      colloquy serve --data /var/lib/colloquy --port 8470
    """
    from exchange.server import run as run_server  # noqa: PLC0415
    from exchange.settings import SettingsError, load  # noqa: PLC0415

    given = {"data": data, "host": host, "port": port, "founder": founder}
    try:
        settings = load(config, {name: value for name, value in given.items() if value is not None})
    except SettingsError as error:
        raise ClientError(f"the settings cannot be used: {error}; nothing was started") from None
    sys.exit(run_server(settings))


async def _pin(home: Home, identity: Identity, server: str, register_id: str) -> None:
    """Remember the server and the register; the register's id must be the one told by another way."""
    async with Remote(server, identity, system_clock) as remote:
        service = await remote.service()
    register_id = register_id or home.settings.register
    if register_id and service.register != register_id.lower():
        raise Unconfirmed(f"expected the register {register_id[:16]}…, got {service.register[:16] or 'none'}…")
    if service.register and not register_id:
        raise Unconfirmed(
            f"give the register's id as the secretariat told you (--register); this server says {service.register}"
        )
    home.configure(HomeSettings(server, service.register, home.settings.label))


async def _found(home: Home, identity: Identity, name: str, *, exercise: bool) -> bytes:
    """Send the genesis of the register; it is kept until it is pinned, so that repeating founds no second one."""
    settings, kept = home.settings, home.path / FOUNDING
    if settings.register:
        return bytes.fromhex(settings.register)
    if not settings.server:
        raise ClientError("connect to the server first: colloquy connect SERVER")
    if not kept.exists():
        clear = RegisterFounded.Clear(name, exercise, new_person(), card_of(identity))
        composed = compose(identity, None, Draft("register.founded", clear), None, (), system_clock())
        write_private(kept, composed.signed.envelope)
    signed = SignedEvent.parse(kept.read_bytes())
    async with Remote(settings.server, identity, system_clock) as remote:
        await remote.send(b"", signed.envelope, None)
    home.configure(msgspec.structs.replace(settings, register=signed.id.hex()))
    kept.unlink()
    return signed.id


async def _announce(desk: Desk, stream: bytes) -> None:
    """The founder says which log this register's history stands in; witnesses are announced when there are any."""
    key = await logs.server_log(desk.client)
    policy = logs.policy_of(key.text(), f"{desk.client.home.settings.server}/v1/log", (), "none")

    async def build(_newest: Any) -> Draft:
        return logs.announcement(policy)

    await desk.client.send(stream, ("log", policy.text), build)


def card_of(identity: Identity) -> Card:
    """The card of one's own device."""
    keys = identity.recipient
    return Card(keys.signing, keys.sealing, identity.sign(Label.CARD, keys.signing + keys.sealing))


def _show_card(options: Options, home: Home, identity: Identity) -> None:
    text, digits = card_of(identity).text(), readable(identity.fingerprint)
    path = home.path / CARD
    write_private(path, f"{text}\n".encode())
    data = {"card": text, "file": str(path), "fingerprint": identity.fingerprint.hex(), "digits": digits}

    def show(console: Console) -> None:
        console.print("Your card (it holds nothing secret), to be sent to the secretariat or to your focal point:\n")
        console.print(f"  {path}\n", soft_wrap=True)
        console.print(f"Your fingerprint, to be read out to them over another way:\n\n  {digits}\n")
        console.print(f"Keep a copy of {home.path / KEY_FILE} in a safe place.", soft_wrap=True)

    options.output.result(data, show)


COMMANDS = {
    "init": init,
    "connect": connect,
    "card": card,
    "confirm": confirm,
    "register found": found,
    "serve": serve,
}
