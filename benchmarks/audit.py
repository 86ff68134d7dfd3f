"""An audit of a whole log over bare verification of the same envelopes, and what little comes on top of much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nacl.bindings

from benchmarks.figure import Figure, median_ratio, rounded
from events.envelope import SignedEvent
from events.kinds.desk_review import Message
from events.stream import PARTIES, REVIEWERS
from exchange.audit.engine import audit as audited
from exchange.audit.memory import Memory
from exchange.wire import MAX_PAGE
from keys.labels import Label
from tests.support.logged import Logged
from tests.support.world import Said, World

WHOLE = 100_000
SMALL = 10_000
MILLION = 1_000_000
DAY = 1_000
REVIEWS = 20
ROUNDS = 3
RUN = 64
KEY = bytes(32)
WORDS = "The authorities may wish to describe how the offence is investigated. "


class Grown(Logged):
    """A log in memory whose tree is made once for each size, so that serving it costs the auditor nothing."""

    def _grow(self) -> None:
        if not self._levels or len(self._levels[0]) != len(self.log):
            super()._grow()


def audits(root: Path, *, million: bool) -> Iterator[Figure]:
    """Everything from the first entry on, and then a day more."""
    small, whole = _grown(SMALL), _grown(WHOLE)
    yield _against_verify(root, whole)
    yield _incremental(root, "audit_incremental", {SMALL: small, WHOLE: whole})
    if million:
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
        measured={"events_per_s": rounded(rates), "verifications_per_s": rounded(bare), "reviews": REVIEWS},
    )


def _incremental(root: Path, name: str, logs: dict[int, Grown]) -> Figure:
    spent: dict[int, list[float]] = {count: [] for count in logs}
    memories = {count: root / f"{name}{count}.sqlite" for count in logs}
    for count, logged in logs.items():
        _audit(logged, memories[count])
    for _ in range(ROUNDS):
        for count, logged in logs.items():
            _note(logged.world, DAY)
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
        measured={str(count): rounded(seconds) for count, seconds in spent.items()},
        note=f"seconds; {REVIEWS} reviews, the new events in one of them",
    )


def _audit(logged: Grown, path: Path) -> float:
    """Seconds of an audit from what is remembered on; it must find nothing wrong."""
    logged.note()
    memory = Memory(path, KEY)
    began = time.perf_counter()
    report = asyncio.run(audited(logged, memory, logged.world.register.id, logged.world.time, pause=0))
    spent = time.perf_counter() - began
    memory.close()
    if report.faults:
        raise RuntimeError(f"the audit found {report.faults} faults in an honest log")
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
    """A log of about `count` events of many reviews, lawful and complete."""
    world = World(step=1)
    logged = Grown(world, page=MAX_PAGE).announce()
    officer = world.actors["officer"]
    for number in range(REVIEWS):
        world.review = None
        world.do(world.opening(year=2026 + number))
        world.do(world.rotation("officer", "keys.rotated", {n: [officer.device] for n in (PARTIES, REVIEWERS)}))
        _note(world, count // REVIEWS)
    return logged.take()


def _note(world: World, count: int) -> None:
    for _ in range(count):
        world.do(Said("officer", "reviewers.noted", sealed=Message("Opinion", WORDS)))
