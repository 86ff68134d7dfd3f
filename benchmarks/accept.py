"""How fast a server takes signed, sealed events: over an empty server, over the library alone, and as it grows."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteFactory
from eventsourcing.utils import Environment

from benchmarks import stage
from benchmarks.figure import Figure, median_ratio, rounded
from events.kinds.desk_review import Message
from events.stream import PARTIES, REVIEWERS
from storage.log import EventLog
from storage.rows import Row
from tests.support.world import Said, World

CLIENTS = 64
EACH = 200
ROUNDS = 7
WORDS = "The authorities may wish to describe how the offence is investigated. " * 10


class Prepared:
    """64 reviews of one register, and for each a chain of events ready to be handed in."""

    def __init__(self, path: Path, each: int = EACH) -> None:
        world = World(time=stage.now(), step=0)
        self.lanes: list[list[tuple[str, bytes]]] = []
        self.before: list[tuple[bytes, bytes | None]] = []
        self.size = 0
        for number in range(CLIENTS):
            self.lanes.append(self._review(world, number, each))
        self.before = world.records[world.register.id] + self.before
        self.posts = path
        stage.write_posts(path, self.lanes)

    def _review(self, world: World, number: int, each: int) -> list[tuple[str, bytes]]:
        officer = world.actors["officer"]
        world.review = None
        world.do(world.opening(year=2026 + number % 50, begins=f"2026-02-{1 + number % 28:02}"))
        world.do(world.rotation("officer", "keys.rotated", {n: [officer.device] for n in (PARTIES, REVIEWERS)}))
        records = world.records[world.review.id]
        self.before += records[:]
        for _ in range(each):
            world.do(Said("officer", "reviewers.noted", sealed=Message("Opinion", WORDS)))
        posts = [stage.post_of(envelope, body) for envelope, body in records[2:]]
        self.size = len(posts[0][1])
        return posts


def accept(root: Path) -> Iterator[Figure]:
    """Accepting over an empty post, and over the library's own one event for each commit."""
    prepared = Prepared(root / "posts")
    ours, empty, library, waits = [], [], [], []
    with stage.echo(root) as echo:
        for number in range(ROUNDS):
            empty.append(stage.send_all(echo, prepared.posts)["rate"])
            result = _round(root / f"server{number}", prepared)
            ours.append(result["rate"])
            waits.append(result["p99_ms"])
            library.append(_library(root / f"library{number}.sqlite", prepared.size))
    measured = {
        "accepted_per_s": rounded(ours),
        "echo_per_s": rounded(empty),
        "bytes": prepared.size,
        "clients": CLIENTS,
    }
    yield Figure(
        name="accept_vs_echo",
        ratio=median_ratio(ours, empty),
        target=0.30,
        what="events accepted durably over HTTP",
        over="an empty aiohttp POST of the same size",
        measured={**measured, "p99_ms": rounded(waits)},
        note="the aim is 0.5",
    )
    yield Figure(
        name="accept_vs_eventsourcing",
        ratio=median_ratio(ours, library),
        target=0.75,
        what="events accepted durably over HTTP",
        over="the library's recorder alone, one event for each commit",
        measured={"accepted_per_s": rounded(ours), "library_per_s": rounded(library)},
    )


def growth(root: Path, *, million: bool) -> Iterator[Figure]:
    """Accepting with many events stored over with few."""
    small, big = 1_000, 100_000
    yield from _growth(root, "growth", small, big)
    if million:
        yield from _growth(root, "growth_million", small, 1_000_000)


def _growth(root: Path, name: str, small: int, big: int) -> Iterator[Figure]:
    rates: dict[int, list[float]] = {small: [], big: []}
    filled = {count: asyncio.run(_filled(root / f"{name}{count}", count)) for count in rates}
    for number in range(3):
        prepared = Prepared(root / "posts", 60)
        for count, full in filled.items():
            data = root / f"{name}-{count}-{number}"
            shutil.copytree(full, data)
            rates[count].append(_round(data, prepared)["rate"])
            shutil.rmtree(data)
    yield Figure(
        name=name,
        ratio=median_ratio(rates[big], rates[small]),
        target=0.9,
        what=f"accept rate with {big:,} events stored",
        over=f"with {small:,} stored",
        measured={str(count): rounded(values) for count, values in rates.items()},
    )


def checkpointing(root: Path) -> Iterator[Figure]:
    """Accepting while the log's tree follows and its checkpoints are signed, over the same without that."""
    prepared = Prepared(root / "posts")
    followed, alone = [], []
    for number in range(ROUNDS):
        alone.append(_round(root / f"alone{number}", prepared, without="checkpoints")["rate"])
        followed.append(_round(root / f"followed{number}", prepared)["rate"])
    yield Figure(
        name="checkpointing",
        ratio=median_ratio(followed, alone),
        target=0.9,
        what="accept rate with the log's tree kept up to date and checkpoints signed",
        over="the same server whose tree stands still",
        measured={"accepted_per_s": rounded(followed), "without_per_s": rounded(alone), "clients": CLIENTS},
    )


def _round(data: Path, prepared: Prepared, *, without: str = "") -> dict[str, float]:
    asyncio.run(stage.store(data, prepared.before))
    with stage.server(data, without=without) as (url, _):
        return stage.send_all(url, prepared.posts)


def _library(path: Path, size: int) -> float:
    """The library's stock recorder on a file: one event for each commit."""
    factory = SQLiteFactory(Environment(env={"SQLITE_DBNAME": str(path)}))
    recorder = factory.application_recorder()
    state, count, originator = os.urandom(size), 1500, uuid.uuid4()
    began = time.perf_counter()
    for version in range(count):
        recorder.insert_events([StoredEvent(originator, version, "topic", state)])
    spent = time.perf_counter() - began
    factory.close()
    return count / spent


async def _filled(data: Path, count: int) -> Path:
    """A database with many events of other reviews, written in groups; only their places and sizes matter here."""
    data.mkdir(parents=True)
    log = await EventLog.open(data / "events.sqlite")
    for number in range(count // 1000):
        stream = hashlib.sha256(number.to_bytes(8, "big")).digest()
        await asyncio.gather(*(log.append(row) for row in _filler(stream)))
    await log.close()
    return data


def _filler(stream: bytes) -> Iterator[Row]:
    for seq in range(1, 1001):
        envelope = os.urandom(800)
        yield Row(stream, seq, "reviewers.noted", hashlib.sha256(envelope).digest(), envelope, os.urandom(1040))
