"""The register of States and people."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from events.card import Card
from events.kinds.people import Group, Profile, StateRegistered
from events.register import Register
from events.rule import Role, Rule, rule_of
from events.stream import DIRECTORY
from exchange.cli import paper as papers
from exchange.cli.context import Desk, Options, run, sent_json, system_clock, when
from exchange.client.client import Sent
from exchange.client.compose import Draft
from exchange.client.errors import ClientError
from exchange.client.membership import new_person
from keys.recipient import readable


@click.command()
@click.argument("code")
@click.option("--name", required=True, help="The State's name.")
@click.option("--group", type=click.Choice(get_args(Group)), required=True, help="Its regional group.")
@click.option("--legal-system", default="", help="Its legal system.")
@click.option(
    "--instrument",
    "instruments",
    multiple=True,
    required=True,
    help="convention=party, firearms=signatory … (again for more).",
)
@click.option(
    "--language", "languages", multiple=True, required=True, help="Working language, such as fr (again for more)."
)
@click.pass_obj
def state(
    options: Options,
    code: str,
    name: str,
    group: str,
    legal_system: str,
    instruments: tuple[str, ...],
    languages: tuple[str, ...],
) -> None:
    """Enter a State into the register, or bring its entry up to date.

    \b
    Example:
      colloquy register state VDA --name Valdoria --group african \\
        --instrument convention=party --language fr
    """
    pairs = dict(item.partition("=")[::2] for item in instruments)
    values = (code.upper(), name, group, legal_system, {k: v or "party" for k, v in pairs.items()}, languages)
    try:
        clear = msgspec.convert(
            dict(zip(StateRegistered.Clear.__struct_fields__, values, strict=True)), StateRegistered.Clear
        )
    except msgspec.ValidationError as error:
        raise ClientError(f"{error}; nothing was sent") from None

    async def work(desk: Desk) -> Sent:
        async def build(_state: Any) -> Draft:
            return Draft("state.registered", clear)

        return await desk.client.send(desk.register.id, ("state", *values), build)

    _done(options, run(options, work), f"{code.upper()} is registered.")


@click.command()
@click.argument("card")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--state", "state_", default="", help="Code of the State, for focal points and experts.")
@click.option("--profile", help="A paper with Name, Position, Expertise, Background, Offices, Email.")
@click.option("--fingerprint", help="The digits as the card's owner read them out over another way.")
@click.pass_obj
def person(options: Options, card: str, role: str, state_: str, profile: str | None, fingerprint: str | None) -> None:
    """Register a person by their card, after comparing the fingerprint with them.

    Officers register focal points, officers, translators, oversight members and archivists; a focal point registers
    up to twenty experts of the State (ToR 21). The directory's key is shared with the new person at once.

    \b
    Example:
      colloquy register person okonkwo.card --role expert --state VDA --profile okonkwo.txt
    """
    parsed = Card.parse(_text(card))
    digits = readable(parsed.recipient().fingerprint)
    read = papers.read_paper(profile, _profile_rule())
    described = papers.sealed_of(_profile_rule(), read, ())

    async def work(desk: Desk) -> Sent:
        if not isinstance(described, Profile):
            raise ClientError("expected a profile")
        desk.check_fingerprint(digits, fingerprint)
        identity = new_person()

        async def build(_state: Any) -> Draft:
            return desk.membership.person(parsed, Role(role), state_.upper(), described, identity)

        intent = ("person", parsed.signing, role, state_, msgspec.to_builtins(described))
        sent = await desk.client.send(desk.register.id, intent, build, circle=DIRECTORY)
        desk.client.home.confirm(parsed.recipient().fingerprint, when(system_clock()))
        await _share(desk)
        return sent

    _done(options, run(options, work), f"Registered, fingerprint confirmed: {digits}")


@click.command()
@click.pass_obj
def share(options: Options) -> None:
    """Give the directory's key to registered people who lack it."""

    async def work(desk: Desk) -> bool:
        return await _share(desk)

    shared = run(options, work)
    text = "The directory's key was shared." if shared else "Everyone has it already."
    options.output.result({"shared": shared}, lambda c: c.print(text))


@click.command()
@click.argument("who")
@click.pass_obj
def remove(options: Options, who: str) -> None:
    """Record that a person left or lost their device; the directory's keys change with it.

    Remove them from each review too (colloquy members remove).
    """

    async def work(desk: Desk) -> Sent:
        gone = await desk.person(who)
        options.confirm(f"Remove {await desk.name(gone.id)} from the register? They cannot be put back with this key")

        async def build(newest: Any) -> Draft:
            return await desk.membership.leave(newest, gone)

        return await desk.client.send(desk.register.id, ("left", gone.id), build)

    _done(options, run(options, work), "Removed; the directory has new keys.")


@click.command(name="list")
@click.pass_obj
def list_(options: Options) -> None:
    """The register: States, their focal points and experts, the secretariat (ToR 21)."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        confirmed = desk.client.home.confirmed()
        return [
            {
                "name": one.name,
                "role": one.person.role.value,
                "state": one.person.state,
                "position": one.profile.position if one.profile else "",
                "expertise": one.profile.expertise if one.profile else "",
                "active": one.person.active,
                "fingerprint": one.person.device.hex(),
                "confirmed": one.person.device.hex() in confirmed,
                "id": one.person.id.hex(),
            }
            for one in (await desk.people()).values()
        ]

    rows = run(options, work)
    rows.sort(key=lambda row: (row["state"], row["role"], row["name"]))
    table = [[r["name"], r["role"], r["state"] or "—", r["position"], r["expertise"], _standing(r)] for r in rows]
    columns = ("Name", "Role", "State", "Position", "Expertise", "Standing")
    options.output.result(rows, options.output.table("The register", columns, table))


async def _share(desk: Desk) -> bool:
    """Share the directory's key with whoever lacks it."""
    register: Register = await desk.client.register()
    circle = register.circles[DIRECTORY]
    if all(not p.active or p.device in circle.devices for p in register.people.values()):
        return False

    async def build(newest: Any) -> Draft:
        return await desk.membership.share_directory(newest)

    await desk.client.send(register.id, ("share-directory",), build)
    return True


def _standing(row: dict[str, Any]) -> str:
    if not row["active"]:
        return "left"
    return "confirmed by you" if row["confirmed"] else "active"


def _text(card: str) -> str:
    """A card from a file, or the card itself (it is public)."""
    if card.startswith("colloquy-card1:"):
        return card
    try:
        with Path(card).open("rb") as file:
            return file.read(8192).decode("ascii")
    except OSError as error:
        raise ClientError(f"the card {card} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ClientError(f"{card} is no card") from None


def _profile_rule() -> Rule:
    return rule_of("person.profiled")


def _done(options: Options, sent: Sent, text: str) -> None:
    options.output.result(sent_json(sent), lambda console: console.print(text))


COMMANDS = {
    "register state": state,
    "register person": person,
    "register share-directory": share,
    "register remove": remove,
    "register list": list_,
}
