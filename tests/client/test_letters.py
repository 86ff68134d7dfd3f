"""Letters over real HTTP: they open to those they name, in their place, and to nobody else."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from events import canonical
from exchange.client import letters
from exchange.client.client import Client
from exchange.client.errors import NoKey, ServerLied, ServerRefused
from keys.errors import CannotOpen
from tests.support.live import Live
from tests.support.malicious import MaliciousServer
from tests.support.world import Said, World, digest

EVERYBODY = ("vda", "nrl", "tsr", "vda-x", "nrl-x", "tsr-x", "officer", "oversight", "officer2")


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World().to_dialogue()) as live:
        await live.push()
        yield live


async def read(client: Client, stream: bytes, event: bytes) -> msgspec.Struct:
    review = await client.review(stream)
    return await letters.read(client, review, client.entry(review, event))


async def test_a_letter_opens_to_those_it_names_only(live: Live) -> None:
    world = live.world
    report = world.do(world.suspicion("nrl", copies=("officer",)))
    finding = world.do(world.finding("breach.considered", report.id))
    await live.push()
    named = ((report, {"nrl", "oversight", "officer"}), (finding, {"nrl", "oversight"}))
    for who in EVERYBODY:
        client, remote = await live.client(who), await live.remote(who)
        for event, readers in named:
            if who in readers:
                assert (await read(client, world.review.id, event.id)).text
                continue
            with pytest.raises(NoKey):
                await read(client, world.review.id, event.id)
            with pytest.raises(ServerRefused):
                await remote.bodies(world.review.id, [event.id])


async def test_a_letter_copied_into_another_does_not_open(live: Live) -> None:
    """Another author, another id or another review: the same sealed words are nothing there."""
    world = live.world
    said = world.suspicion("nrl", copies=("tsr",))
    world.do(said)
    copies = []
    for author in ("tsr", "nrl"):
        clear = msgspec.structs.replace(said.clear, letter=secrets.token_bytes(16))
        copies.append(world.do(Said(author, "breach.reported", clear, carried=said.carried)))
    await live.push()
    for copy in copies:
        with pytest.raises(CannotOpen):
            await read(await live.client("oversight"), world.review.id, copy.id)


async def test_a_letter_of_another_review_does_not_open(live: Live) -> None:
    world = live.world
    said = world.suspicion("officer")
    first = world.review.id
    world.open_review()
    assert world.review.id != first
    moved = world.do(said)
    await live.push()
    with pytest.raises(CannotOpen):
        await read(await live.client("oversight"), world.review.id, moved.id)


@pytest.mark.parametrize("how", ["keys exchanged", "a key less", "nonsense", "other words"])
async def test_a_letter_that_does_not_say_what_it_commits_to_does_not_open(live: Live, how: str) -> None:
    world = live.world
    said = world.suspicion("vda")
    keys, words = canonical.decode(said.carried, 2**20)
    changed = {
        "keys exchanged": [keys[::-1], words],
        "a key less": [keys[:-1], words],
        "nonsense": [1, 2, 3],
        "other words": [keys, words[:-1] + bytes([words[-1] ^ 1])],
    }[how]
    carried = canonical.encode(changed)
    clear = msgspec.structs.replace(said.clear, carried=digest(carried))
    event = world.do(replace(said, clear=clear, carried=carried))
    await live.push()
    with pytest.raises(CannotOpen):
        await read(await live.client("oversight"), world.review.id, event.id)


async def test_a_server_that_changes_a_letter_is_found(live: Live) -> None:
    world = live.world
    one, other = world.do(world.suspicion("vda")), world.do(world.suspicion("vda"))
    await live.push()
    async with MaliciousServer(live) as liar:
        liar.give_body(world.review.id, one.header.seq, world.records[world.review.id][other.header.seq][1])
        with pytest.raises(ServerLied):
            await read(await live.client("oversight", liar.url), world.review.id, one.id)
