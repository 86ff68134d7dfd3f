"""Who takes part in a review, and their keys."""

from __future__ import annotations

from typing import Any

import click

from events.register import Person
from events.review import Review
from events.rule import Role
from events.stream import delegation
from exchange.cli.context import Desk, Options, run, sent_json, when
from exchange.client.client import Sent
from exchange.client.compose import Draft
from exchange.client.errors import NotFound
from keys.recipient import readable


@click.command()
@click.argument("who", required=False)
@click.pass_obj
def nominate(options: Options, who: str | None) -> None:
    """Nominate an expert of your State, or yourself (without a name), to take part in the review.

    The secretariat then admits them: joining takes two signatures.

    \b
    Example:
      colloquy members nominate "Okonkwo"
    """

    async def work(desk: Desk) -> Sent:
        review = await desk.review()
        nominee = await desk.person(who) if who else desk.me
        review = await _begin_delegation(desk, review, nominee)

        async def build(newest: Any) -> Draft:
            return await desk.membership.nominate(newest, desk.client.replay.history.latest, nominee)

        return await desk.client.send(review.id, ("nominate", nominee.device), build)

    _done(options, run(options, work), "Nominated; the secretariat can admit them now.")


@click.command()
@click.argument("who", required=False)
@click.pass_obj
def admit(options: Options, who: str | None) -> None:
    """Admit a nominated person (or everyone nominated) and give them the keys of their circles."""

    async def work(desk: Desk) -> list[Sent]:
        review = await desk.review()
        waiting = sorted(review.nominations, key=lambda d: review.known[review.nominations[d].event].seq)
        if who:
            one = await desk.person(who)
            waiting = [device for device in waiting if device == one.device]
        if not waiting:
            raise NotFound(f"{who or 'nobody'} is not nominated" if who else "nobody is nominated and waiting")
        return [await _admit(desk, review, device) for device in waiting]

    sent = run(options, work)
    options.output.result(
        [sent_json(s) for s in sent], lambda c: c.print(f"Admitted: {len(sent)}. They can read the review now.")
    )


@click.command()
@click.argument("who")
@click.pass_obj
def remove(options: Options, who: str) -> None:
    """Remove a member; keys change in the same event and what follows is closed to them."""

    async def work(desk: Desk) -> Sent:
        review = await desk.review()
        gone = await desk.person(who)
        options.confirm(f"Remove {await desk.name(gone.id)} from the review? What follows will be closed to them")

        async def build(newest: Any) -> Draft:
            return await desk.membership.remove(newest, gone.device)

        return await desk.client.send(review.id, ("remove", gone.device), build)

    _done(options, run(options, work), "Removed. New keys are in force; everybody else holds them already.")


@click.command()
@click.pass_obj
def rotate(options: Options) -> None:
    """Change the keys of every circle you belong to."""

    async def work(desk: Desk) -> Sent:
        review = await desk.review()

        async def build(newest: Any) -> Draft:
            return await desk.membership.rotate(newest)

        return await desk.client.send(review.id, ("rotate",), build)

    _done(options, run(options, work), "New keys are in force.")


@click.command(name="share-keys")
@click.pass_obj
def share_keys(options: Options) -> None:
    """Give members the keys they are entitled to and lack."""

    async def work(desk: Desk) -> Sent:
        review = await desk.review()

        async def build(newest: Any) -> Draft:
            return await desk.membership.share_keys(newest)

        return await desk.client.send(review.id, ("share-keys",), build)

    _done(options, run(options, work), "Keys shared.")


@click.command(name="list")
@click.pass_obj
def list_(options: Options) -> None:
    """Who takes part, since when, with which keys, and who left."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        review = await desk.review()
        times = {entry.header.seq: entry.header.time for entry in desk.client.entries(review.id)}
        confirmed = desk.client.home.confirmed()
        rows = []
        for member in review.members.values():
            circles = [name for name, circle in review.circles.items() if member.device in circle.devices]
            rows.append(
                {
                    "name": await desk.name(member.person),
                    "role": member.role.value,
                    "state": member.state,
                    "since": when(times[member.since]),
                    "left": when(times[member.until]) if member.until is not None else "",
                    "keys": circles,
                    "digits": readable(member.device),
                    "confirmed": member.device.hex() in confirmed,
                }
            )
        return rows

    rows = run(options, work)
    table = [
        [
            r["name"],
            r["role"],
            r["state"] or "secretariat",
            r["since"],
            r["left"] or "—",
            ", ".join(r["keys"]) or "none",
            "yes" if r["confirmed"] else "not by you",
        ]
        for r in rows
    ]
    columns = ("Name", "Role", "Side", "Since", "Left", "Holds keys of", "Fingerprint confirmed")
    options.output.result(rows, options.output.table("Members", columns, table))


async def _begin_delegation(desk: Desk, review: Review, nominee: Person) -> Review:
    """A focal point's first nomination of an expert begins the keys of their delegation."""
    name = delegation(desk.me.state)
    member = review.members.get(desk.me.device)
    if nominee.role is not Role.EXPERT or name in review.circles or member is None or not member.active:
        return review

    async def build(newest: Any) -> Draft:
        return await desk.membership.begin_circles(newest, [name])

    await desk.client.send(review.id, ("begin", name), build)
    return await desk.client.review(review.id)


async def _admit(desk: Desk, review: Review, device: bytes) -> Sent:
    async def build(newest: Any) -> Draft:
        return await desk.membership.admit(newest, device)

    return await desk.client.send(review.id, ("admit", review.nominations[device].event), build)


def _done(options: Options, sent: Sent, text: str) -> None:
    options.output.result(sent_json(sent), lambda console: console.print(text))


COMMANDS = {
    "members nominate": nominate,
    "members admit": admit,
    "members remove": remove,
    "members rotate": rotate,
    "members share-keys": share_keys,
    "members list": list_,
}
