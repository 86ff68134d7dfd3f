"""Processes killed at random moments: what was acknowledged is there, nothing is there twice, nothing is half there."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.client.client import Client
from exchange.client.errors import Offline
from tests.support.member import send
from tests.support.process import ServerProcess, make_home, now
from tests.support.world import World

SHORT, LONG = 5, 110


@pytest.fixture
def world() -> World:
    world = World(time=now() - 60_000, step=0).open_review()
    world.respond_without_files()
    return world


@pytest.fixture
def server(tmp_path: Path, world: World) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path, world)
    server.start()
    yield server
    server.kill()


async def told(root: Path, server: ServerProcess, world: World) -> Counter[str]:
    """Everything a newcomer to the server's data reads, whole and verified: how often which words are there."""
    home = make_home(root / f"reader-{time.monotonic_ns()}", server.url, world)
    found: Counter[str] = Counter()
    async with Client(home, world.actors["nrl"].identity, now) as client:
        review = await client.review(world.review.id)
        for entry in client.entries(review.id):
            if entry.header.kind != "information.provided":
                continue
            found[(await client.open(review, entry)).body.title] += 1
            for number in range(1, len(entry.header.objects)):
                target = root / "fetched"
                await client.fetch(review, entry, number, target)
                assert target.read_bytes() == (root / "annex").read_bytes()
    return found


# -- the server killed while three clients write


async def writing(
    root: Path, server: ServerProcess, world: World, over: asyncio.Event, acknowledged: list[str]
) -> None:
    home = make_home(root / f"writer-{len(list(root.iterdir()))}", server.url, world)
    async with Client(home, world.actors["vda"].identity, now) as client:
        number = 0
        while not over.is_set():
            words = f"{home.path.name} {number}"
            path = root / "annex" if number % 5 == 4 else None
            try:
                await send(client, world.review.id, words, path)
            except Offline:
                continue
            acknowledged.append(words)
            client.reported()
            number += 1


async def killing(server: ServerProcess, rounds: int, over: asyncio.Event) -> None:
    for _ in range(rounds):
        await asyncio.sleep(random.uniform(0.05, 0.7))
        server.kill()
        await asyncio.to_thread(server.start)
    over.set()


async def server_killed(root: Path, server: ServerProcess, world: World, rounds: int) -> None:
    (root / "annex").write_bytes(random.randbytes(300_000))
    over, acknowledged = asyncio.Event(), []
    writers = [asyncio.create_task(writing(root, server, world, over, acknowledged)) for _ in range(3)]
    await killing(server, rounds, over)
    await asyncio.gather(*writers)
    found = await told(root, server, world)
    assert len(acknowledged) >= rounds
    assert found == Counter(acknowledged)


def test_the_server_killed_a_few_times(tmp_path: Path, server: ServerProcess, world: World) -> None:
    asyncio.run(server_killed(tmp_path, server, world, SHORT))


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_the_server_killed_many_times(tmp_path: Path, server: ServerProcess, world: World) -> None:
    asyncio.run(server_killed(tmp_path, server, world, LONG))


# -- a client killed while it seals, sends and waits


def client_killed(root: Path, server: ServerProcess, world: World, rounds: int) -> None:
    (root / "annex").write_bytes(random.randbytes(3_000_000))
    identity = world.actors["vda"].identity
    home = make_home(root / "home", server.url, world)
    facts = {
        "signing": identity.signing_seed.hex(),
        "sealing": identity.sealing_seed.hex(),
        "home": str(home.path),
        "review": world.review.id.hex(),
    }
    (root / "facts").write_text(json.dumps(facts))
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.support.member", str(root / "facts")]
    subprocess.run([*command, "undisturbed", str(root / "annex")], check=True)
    usual = time.monotonic() - began
    sent, interrupted = ["undisturbed"], 0
    for number in range(rounds):
        words = f"words {number}"
        annex = [str(root / "annex")] if number % 2 else []
        interrupted += _until_done([*command, words, *annex], usual)
        sent.append(words)
    assert interrupted >= rounds // 3
    assert asyncio.run(told(root, server, world)) == Counter(sent)
    assert not list((home.path / "journal").iterdir())
    assert not list((home.path / "spool").iterdir())


def _until_done(command: list[str], usual: float) -> int:
    """Kill the command at a random moment, and repeat it until it gets through; returns how often it was killed."""
    killed = 0
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            status = process.wait(random.uniform(0.4, 1.0) * usual if killed < 3 else 60)
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[0]
            killed += 1
            if said:
                return killed
            continue
        assert status == 0, process.stderr.read().decode()
        return killed


def test_a_client_killed_a_few_times(tmp_path: Path, server: ServerProcess, world: World) -> None:
    client_killed(tmp_path, server, world, SHORT)


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_a_client_killed_many_times(tmp_path: Path, server: ServerProcess, world: World) -> None:
    client_killed(tmp_path, server, world, LONG)


# -- stopping in order


def test_a_server_told_to_stop_finishes_what_it_began(tmp_path: Path, server: ServerProcess, world: World) -> None:
    async def whole() -> tuple[list[str], Counter[str]]:
        (tmp_path / "annex").write_bytes(b"x" * 1000)
        over, acknowledged = asyncio.Event(), []
        writer = asyncio.create_task(writing(tmp_path, server, world, over, acknowledged))
        await asyncio.sleep(1)
        assert await asyncio.to_thread(server.stop) == 0
        over.set()
        server.start()
        await writer
        return acknowledged, await told(tmp_path, server, world)

    acknowledged, found = asyncio.run(whole())
    assert found == Counter(acknowledged)
