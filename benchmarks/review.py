"""A long review: opened cold and warm, over bare signature checks; and a member of seventy removed from it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import nacl.bindings

from benchmarks import stage
from benchmarks.figure import Figure, median_ratio, rounded
from events.envelope import SignedEvent
from events.kinds.dialogue import Closing, Reply
from events.kinds.keys import GrantedClear
from events.review import Review
from events.rule import Role
from events.stream import PARTIES, REVIEWERS, delegation
from exchange.client.client import Client
from exchange.client.home import JOURNAL, SETTINGS, SPOOL, Home, HomeSettings
from exchange.client.membership import Membership
from exchange.client.replay import RUN, VERIFIERS
from keys.identity import Identity
from keys.labels import Label
from keys.recipient import Recipient
from tests.support.world import Said, World, digest

EVENTS = 10_000
MEMBERS = 70
ROUNDS = 5


def reviews(root: Path) -> Iterator[Figure]:
    """Opening 10,000 events cold and warm, and rotating the keys of 70 members behind them."""
    world = _world()
    records = [record for stream in world.records.values() for record in stream]
    asyncio.run(stage.store(root / "review", records))
    with stage.server(root / "review") as (url, _):
        yield from asyncio.run(_measure(root, world, url))


def _world() -> World:
    """A review with 70 members and 10,000 events of a dialogue."""
    world = World(time=stage.now() - 60_000, step=0).open_review()
    fill_up(world)
    world.to_dialogue()
    converse(world, EVENTS)
    return world


def converse(world: World, events: int) -> None:
    """Questions and answers until the review has that many events, or up to four more."""
    while world.review.seq + 1 < events:
        asked = world.do(world.question())
        for said in (
            Said("vda", "request.answered", sealed=Reply("Because."), about=(asked.id,)),
            Said("nrl-x", "request.followed-up", sealed=Reply("And?"), about=(asked.id,)),
            Said("vda", "request.answered", sealed=Reply("Therefore."), about=(asked.id,)),
            Said("nrl-x", "request.closed", sealed=Closing(), about=(asked.id,)),
        ):
            world.do(said)


def fill_up(world: World) -> None:
    """Admit members until there are 70."""
    members = len(world.review.members)
    for number in range(MEMBERS - members):
        by = ("vda", "nrl", "tsr")[number % 3]
        if number < 54:
            name = f"expert{number}"
            world.enrol(name, Role.EXPERT, world.actors[by].state, by)
            world.do(world.nomination(by, name))
            circles = (PARTIES,) if by == "vda" else (PARTIES, REVIEWERS)
            world.do(world.admission("officer", name, circles))
        else:
            name = f"officer{number}"
            world.enrol(name, Role.OFFICER, "", "officer")
            world.do(world.nomination("officer", name))
            world.do(world.admission("nrl", name, (PARTIES, REVIEWERS)))
    for by in ("vda", "nrl", "tsr"):
        circle = delegation(world.actors[by].state)
        lacking = [
            member.device
            for member in world.review.members.values()
            if member.state == world.actors[by].state and member.device not in world.review.circles[circle].devices
        ]
        entries, carried = world.granted(world.review, {circle: lacking})
        world.do(Said(by, "keys.granted", GrantedClear(entries, digest(carried)), carried=carried))


async def _measure(root: Path, world: World, url: str) -> list[Figure]:
    cold, warm, one, two = [], [], [], []
    for number in range(ROUNDS):
        single, double = _bare(world)
        one.append(single)
        two.append(double)
        home = _home(root / f"home{number}", url, world)
        cold.append(await _opened(home, world))
        warm.append(await _opened(home, world))
    counts = [EVENTS / seconds for seconds in cold]
    verifying = {"one_thread_per_s": rounded(one), "two_threads_per_s": rounded(two)}
    figures = [
        Figure(
            name="replay_vs_verify",
            ratio=median_ratio(counts, one),
            target=0.60,
            what="a review of 10,000 events fetched, verified and admitted",
            over="bare PyNaCl verifications of the same envelopes",
            measured={"events_per_s": rounded(counts), **verifying, "over_two_threads": median_ratio(counts, two)},
            note="over one thread; over two threads it is the smaller number among those measured",
        ),
        Figure(
            name="replay_warm",
            ratio=median_ratio(cold, warm),
            target=20,
            what="the same review opened again from verified memory",
            over="opening it cold",
            measured={"cold_s": rounded(cold), "warm_s": rounded(warm)},
        ),
        await _removal(home, world),
    ]
    shutil.rmtree(root / "home0", ignore_errors=True)
    return figures


def _bare(world: World) -> tuple[float, float]:
    """Verifications per second on one thread and on two."""
    key = {actor.device: actor.identity.recipient.signing for actor in world.actors.values()}
    work = []
    for envelope, _ in world.records[world.review.id]:
        signed = SignedEvent.parse(envelope)
        message = envelope[-64:] + Label.EVENT.value + envelope[:-64]
        work.append((message, key[signed.claimed_author]))

    def check(run: list[tuple[bytes, bytes]]) -> None:
        for message, public in run:
            nacl.bindings.crypto_sign_open(message, public)

    began = time.perf_counter()
    check(work)
    single = len(work) / (time.perf_counter() - began)
    runs = [work[i : i + RUN] for i in range(0, len(work), RUN)]
    began = time.perf_counter()
    with ThreadPoolExecutor(VERIFIERS) as pool:
        list(pool.map(check, runs))
    return single, len(work) / (time.perf_counter() - began)


def _home(path: Path, url: str, world: World) -> Home:
    for name in (JOURNAL, SPOOL):
        (path / name).mkdir(parents=True)
    (path / SETTINGS).write_bytes(msgspec.json.encode(HomeSettings(url, world.register.id.hex())))
    return Home(path)


async def _opened(home: Home, world: World) -> float:
    """Seconds to open the review; the register is known beforehand."""
    async with Client(home, _identity(world), stage.now) as client:
        await client.register()
        began = time.perf_counter()
        review = await client.review(world.review.id)
        spent = time.perf_counter() - began
    if not isinstance(review, Review) or review.head != world.review.head:
        raise RuntimeError("the review was not opened")
    return spent


async def _removal(home: Home, world: World) -> Figure:
    """One member of seventy removed: one event, and no paper touched."""
    gone = world.actors["nrl-x"].device
    async with Client(home, _identity(world), stage.now) as client:
        before = await client.review(world.review.id)
        membership = Membership(client)
        await client.keyring.current(before, PARTIES)
        began = time.perf_counter()
        sent = await client.send(before.id, ("remove",), lambda review: membership.remove(review, gone))
        spent = time.perf_counter() - began
        after = await client.review(world.review.id)
        carried = len(await client.carried(after.id, sent.seq))
    if after.seq != before.seq + 1 or gone in after.circles[PARTIES].devices:
        raise RuntimeError("the removal took more than one event, or did not remove")
    sealed = carried // 1168
    recipient = Recipient(world.actors["officer"].identity.recipient.signing, Identity.generate().recipient.sealing)
    began = time.perf_counter()
    for _ in range(sealed):
        recipient.seal(Label.EPOCH_GRANT, bytes(32), b"context")
    bare = time.perf_counter() - began
    return Figure(
        name="rotate",
        ratio=spent / bare,
        target=20,
        least=False,
        what=f"a member of {MEMBERS} removed with {EVENTS:,} events behind, in one event, nothing sealed again",
        over=f"the {sealed} bare HPKE seals it needs",
        measured={
            "events": after.seq - before.seq,
            "keys_sealed": sealed,
            "bytes": carried,
            "ms": round(spent * 1000, 1),
        },
        note="no paper is read or written; the target guards against work that grows with history",
    )


def _identity(world: World) -> Identity:
    return world.actors["officer"].identity
