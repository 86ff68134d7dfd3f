"""An audit of a whole log over bare verification of the same envelopes, and what little comes on top of much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nacl.bindings

from benchmarks.figure import Figure, median_ratio, rounded
from benchmarks.review import converse
from events.envelope import SignedEvent
from exchange.audit.engine import audit as audited
from exchange.audit.memory import Memory
from exchange.wire import MAX_PAGE
from keys.labels import Label
from tests.support.logged import Logged
from tests.support.world import World

WHOLE = 100_000
SMALL = 10_000
MILLION = 1_000_000
DAY = 1_000
EACH = 2_000
ROUNDS = 5
MAKERS = 2
RUN = 64
KEY = bytes(32)
SPREAD = f"the log is of dialogues of {EACH:,} events each"
Records = list[tuple[bytes, bytes | None]]


class Grown(Logged):
    """A log in memory whose tree is made once for each size, so that serving it costs the auditor nothing."""

    def _grow(self) -> None:
        if not self._levels or len(self._levels[0]) != len(self.log):
            super()._grow()


def audits(root: Path, *, million: bool) -> Iterator[Figure]:
    """Everything from the first entry on, and then a day more."""
    whole = _grown(WHOLE)
    yield _against_verify(root, whole)
    yield _incremental(root, "audit_incremental", {SMALL: _grown(SMALL), WHOLE: whole})
    if million:
        del whole
        yield _incremental(root, "audit_incremental_million", {SMALL: _grown(SMALL), MILLION: _grown(MILLION)})


def _against_verify(root: Path, logged: Grown) -> Figure:
    rates, bare = [], []
    for number in range(ROUNDS):
        bare.append(_verified(logged))
        rates.append(len(logged.log) / _audit(logged, root / f"whole{number}.sqlite"))
    return Figure(
        name="audit_vs_verify",
        ratio=median_ratio(rates, bare),
        target=0.5,
        what=f"a full audit of {WHOLE:,} events, on two threads",
        over="bare PyNaCl verifications of the same envelopes, on two threads",
        measured={"events_per_s": rounded(rates), "verifications_per_s": rounded(bare)},
        note=f"{SPREAD}, in memory; each of the audit's two threads drives a process that checks signatures",
    )


def _incremental(root: Path, name: str, logs: dict[int, Grown]) -> Figure:
    spent: dict[int, list[float]] = {count: [] for count in logs}
    memories = {count: root / f"{name}{count}.sqlite" for count in logs}
    for count, logged in logs.items():
        _audit(logged, memories[count])
    for _ in range(ROUNDS):
        for count, logged in logs.items():
            converse(logged.world, logged.world.review.seq + 1 + DAY)
            logged.take()
            spent[count].append(_audit(logged, memories[count]))
    small, big = sorted(logs)
    return Figure(
        name=name,
        ratio=median_ratio(spent[big], spent[small]),
        target=1.5,
        least=False,
        what=f"an audit of {DAY:,} new events on top of {big:,}",
        over=f"the same on top of {small:,}",
        measured={f"{count}_s": rounded(seconds) for count, seconds in spent.items()},
        note=f"{SPREAD}, all of them audited before, so that what is remembered is all an auditor would remember; "
        "the new events are of one of them",
    )


def _audit(logged: Grown, path: Path) -> float:
    """Seconds of an audit from what is remembered on; it must find nothing wrong."""
    logged.note()
    memory = Memory(path, KEY)
    began = time.perf_counter()
    report = asyncio.run(audited(logged, memory, logged.world.register.id, logged.world.time, pause=0))
    spent = time.perf_counter() - began
    memory.close()
    if report.faults or report.size != len(logged.log):
        raise RuntimeError(f"the audit found {report.faults} faults in {report.size} entries of an honest log")
    return spent


def _verified(logged: Grown) -> float:
    """Verifications per second of all envelopes, on two threads."""
    key = {actor.device: actor.identity.recipient.signing for actor in logged.world.actors.values()}
    work = []
    for records in logged.world.records.values():
        for envelope, _ in records:
            message = envelope[-64:] + Label.EVENT.value + envelope[:-64]
            work.append((message, key[SignedEvent.parse(envelope).claimed_author]))

    def check(run: list[tuple[bytes, bytes]]) -> None:
        for message, public in run:
            nacl.bindings.crypto_sign_open(message, public)

    runs = [work[i : i + RUN] for i in range(0, len(work), RUN)]
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(check, runs))
    return len(work) / (time.perf_counter() - began)


def _grown(count: int) -> Grown:
    """A log of about `count` events of many reviews, lawful and complete; the last review goes on."""
    world = World(step=1)
    logged = Grown(world, page=MAX_PAGE).announce()
    shares = [range(maker, count // EACH - 1, MAKERS) for maker in range(MAKERS)]
    # What the makers are given is inherited, not sent: a world has keys in it.
    with ProcessPoolExecutor(MAKERS, get_context("fork"), _Maker.take, (world,)) as makers:
        for records in makers.map(_Maker.make, shares):
            world.records |= records
    world.time += count
    _review(world, count // EACH)
    return logged.take()


class _Maker:
    """A process that makes reviews of a register."""

    world: World

    @classmethod
    def take(cls, world: World) -> None:
        """Begin with a world whose register is founded."""
        cls.world = world

    @classmethod
    def make(cls, numbers: range) -> dict[bytes, Records]:
        """The envelopes of some reviews."""
        world = cls.world
        before = set(world.records)
        for number in numbers:
            _review(world, number)
        new = world.records.keys() - before
        return {stream: [(envelope, None) for envelope, _ in world.records.pop(stream)] for stream in new}


def _review(world: World, number: int) -> None:
    world.review = None
    world.open_review(year=2026 + number % 50).to_dialogue()
    converse(world, EACH)
