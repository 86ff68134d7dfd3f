"""A server whose disk is full: it says so, stores nothing by halves, goes on reading, and goes on when there is room."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from exchange.client.client import Client
from exchange.client.errors import ServerRefused
from tests.support.member import send
from tests.support.process import ServerProcess, make_home, now
from tests.support.world import World

ROOM = 4_000_000


@pytest.fixture
def world() -> World:
    world = World(time=now() - 60_000, step=0).open_review()
    world.respond_without_files()
    return world


def test_a_server_without_room(tmp_path: Path, world: World) -> None:
    """A limit on the size of files stands for a full disk."""
    server = ServerProcess(tmp_path, world)
    server.start(room=ROOM)
    try:
        asyncio.run(full(tmp_path, server, world))
        assert server.stop() == 0
        server.start()
        asyncio.run(roomy(tmp_path, server, world))
    finally:
        server.kill()


async def full(root: Path, server: ServerProcess, world: World) -> None:
    (root / "big").write_bytes(os.urandom(ROOM + 1_000_000))
    home = make_home(root / "home", server.url, world)
    async with Client(home, world.actors["vda"].identity, now) as client:
        with pytest.raises(ServerRefused, match="disk is full") as caught:
            await send(client, world.review.id, "too big", root / "big")
        assert caught.value.problem.code == "storage-full"
        assert caught.value.problem.status == 507
        refused = None
        for number in range(400):
            try:
                await send(client, world.review.id, str(number), None, "x" * 9000)
            except ServerRefused as error:
                refused = error
                break
            finally:
                client.reported()
        stored = (await client.review(world.review.id)).seq
        assert refused is not None
        assert refused.problem.code == "storage-full"
        fresh = make_home(root / "fresh", server.url, world)
    async with Client(fresh, world.actors["nrl"].identity, now) as reader:
        assert (await reader.review(world.review.id)).seq == stored


async def roomy(root: Path, server: ServerProcess, world: World) -> None:
    async with Client(make_home(root / "again", server.url, world), world.actors["vda"].identity, now) as client:
        await send(client, world.review.id, "too big", root / "big")
    async with Client(make_home(root / "last", server.url, world), world.actors["nrl"].identity, now) as reader:
        review = await reader.review(world.review.id)
        await reader.fetch(review, reader.entries(review.id)[-1], 1, root / "out")
    assert (root / "out").read_bytes() == (root / "big").read_bytes()
