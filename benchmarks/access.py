"""How fast sealed bodies are read on record, over the same reads of which nothing is kept."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

from benchmarks import stage
from benchmarks.figure import Figure, median_ratio, rounded
from benchmarks.review import fill_up
from events.access import Statement, Want
from events.envelope import Event
from events.kinds.dialogue import Question
from events.rule import rule_of
from events.stream import PARTIES
from exchange.client.remote import Remote
from keys.labels import Label
from tests.support.world import Actor, Said, World

READERS = 64
EACH = 100
PAPERS = 100
ROUNDS = 5
WORDS = "The authorities may wish to describe how the offence is investigated. " * 10


class Library:
    """A review of 70 members, with questions of about 1 KiB that all of them may read."""

    def __init__(self) -> None:
        world = World(time=stage.now() - 60_000, step=0).open_review()
        fill_up(world)
        world.to_dialogue()
        question = Said("nrl-x", "request.made", rule_of("request.made").clear("clarification"), Question("5", WORDS))
        self.world = world
        self.papers: list[Event] = [world.do(question) for _ in range(PAPERS)]
        self.readers: list[Actor] = [
            world.by_device(one) for one in sorted(world.review.circles[PARTIES].devices)[:READERS]
        ]
        self.records = [record for stream in world.records.values() for record in stream]
        self.size = len(self.records[-1][1] or b"")

    def lanes(self) -> list[list[tuple[str, bytes]]]:
        """For each reader, statements signed now, each of one body."""
        path = f"/v1/streams/{self.world.review.id.hex()}/bodies"
        return [[(path, self._statement(reader)) for _ in range(EACH)] for reader in self.readers]

    def _statement(self, reader: Actor) -> bytes:
        wants = (Want(random.choice(self.papers).id, 0, 0),)
        said = Statement(1, self.world.review.id, reader.device, stage.now(), secrets.token_bytes(16), wants).encode()
        return said + reader.identity.sign(Label.ACCESS, said)

    async def sessions(self, url: str) -> list[dict[str, str]]:
        """Every reader signed in."""
        return [await self._session(url, reader) for reader in self.readers]

    async def _session(self, url: str, reader: Actor) -> dict[str, str]:
        async with Remote(url, reader.identity, stage.now) as remote:
            return await remote._authority()


def access(root: Path) -> Iterator[Figure]:
    """Reading with the access record over reading without it."""
    library = Library()
    recorded, plain = [], []
    for number in range(ROUNDS):
        plain.append(_round(root / f"plain{number}", library, without="record"))
        recorded.append(_round(root / f"recorded{number}", library))
    rates = [[one["rate"] for one in rounds] for rounds in (recorded, plain)]
    yield Figure(
        name="access_vs_plain",
        ratio=median_ratio(*rates),
        target=0.6,
        what="sealed bodies read over HTTP, each statement flushed before its first byte leaves",
        over="the same reads, decided alike, with nothing put on record",
        measured={
            "read_per_s": rounded(rates[0]),
            "plain_per_s": rounded(rates[1]),
            "p99_ms": rounded([one["p99_ms"] for one in recorded]),
            "bytes": library.size,
            "readers": READERS,
        },
        note="both check the signature of every statement",
    )


def _round(data: Path, library: Library, *, without: str = "") -> dict[str, float]:
    asyncio.run(stage.store(data, library.records))
    posts = data / "posts"
    with stage.server(data, without=without) as (url, _):
        stage.write_posts(posts, library.lanes(), asyncio.run(library.sessions(url)), status=200)
        return stage.send_all(url, posts)
