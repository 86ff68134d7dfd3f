"""A real server with real witnesses: a quorum is gathered, one that is gone holds up nobody, one that forgot is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from events.checkpoint import Witnessed
from events.errors import BadNote
from events.notes import Note
from events.policy import Policy
from tests.support.live import Live
from tests.support.witnesses import WitnessProcess
from tests.support.world import World

STATES = ("NRL", "TSR", "VDA")
PATIENCE_S = 20


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World(experts=False)) as live:
        await live.push()
        yield live


@pytest.fixture
def started() -> Iterator[list[WitnessProcess]]:
    started: list[WitnessProcess] = []
    yield started
    for witness in started:
        witness.kill()


async def announced(live: Live, started: list[WitnessProcess], root: Path) -> Policy:
    """Three witnesses run and announced with a quorum of two."""
    log = (await (await live.remote("officer")).service()).log
    for state in STATES:
        (root / state).mkdir()
        witness = WitnessProcess(root / state, log, name=f"witness.example/{state}")
        witness.set_clock(live.world.time // 1000)
        witness.start()
        started.append(witness)
    lines = [f"witness {state} {one.vkey.text()} {one.url}" for state, one in zip(STATES, started, strict=True)]
    text = "\n".join([f"log {log}", *lines, f"group two 2 {' '.join(STATES)}", "quorum two", ""])
    live.world.do(live.world.announcement(text))
    await live.push()
    return Policy.parse(text)


async def witnessed(live: Live, policy: Policy, size: int) -> Witnessed:
    """The first checkpoint of at least this size that a quorum cosigned."""
    for _ in range(PATIENCE_S * 10):
        async with live.http() as http, http.get("/v1/log/witnessed") as answer:
            if answer.status == 200:
                found = policy.witnessed(Note.parse(await answer.read()))
                if found.head.size >= size:
                    return found
        await asyncio.sleep(0.1)
    raise AssertionError("no quorum")


async def test_a_quorum_is_gathered_while_a_witness_is_gone(
    live: Live, started: list[WitnessProcess], tmp_path: Path
) -> None:
    policy = await announced(live, started, tmp_path)
    size = len(live.world.records[live.world.register.id])
    first = await witnessed(live, policy, size)
    assert len(first.cosigned) >= 2
    assert {one.time for one in first.cosigned} == {int(started[0].clock.read_text()) // 1000}
    # One is killed: the two others go on, and so does everybody.
    started[0].kill()
    live.world.do(live.world.announcement(policy.text))
    await live.push()
    second = await witnessed(live, policy, size + 1)
    assert {one.witness for one in second.cosigned} == {"TSR", "VDA"}
    # It comes back as it was and continues from where it had stopped.
    started[0].start()
    started[1].kill()
    live.world.do(live.world.announcement(policy.text))
    await live.push()
    third = await witnessed(live, policy, size + 2)
    assert {one.witness for one in third.cosigned} == {"NRL", "VDA"}
    assert not any(witness.forks() for witness in started)
    started[1].start()


async def test_one_of_three_is_no_quorum(live: Live, started: list[WitnessProcess], tmp_path: Path) -> None:
    policy = await announced(live, started, tmp_path)
    first = await witnessed(live, policy, 1)
    for witness in started[:2]:
        witness.kill()
    live.world.do(live.world.announcement(policy.text))
    await live.push()
    await asyncio.sleep(2)
    still = await witnessed(live, policy, 1)
    assert still.head.size < len(live.world.records[live.world.register.id])
    alone = Note(still.checkpoint.note.text, still.checkpoint.note.signatures[:2])
    with pytest.raises(BadNote, match="missing"):
        policy.witnessed(alone)
    assert first.head.size <= still.head.size
    for witness in started[:2]:
        witness.start()
