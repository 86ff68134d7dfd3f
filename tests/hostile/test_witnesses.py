"""Witnesses that lie, or are gone for long: one of them keeps nobody from a quorum of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events.checkpoint import Witnessed
from events.errors import BadNote
from events.notes import Note
from events.policy import Policy
from exchange.server import witnesses
from tests.support.live import Live
from tests.support.scripted import ScriptedWitness
from tests.support.world import World

PATIENCE_S = 20


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World(experts=False)) as live:
        await live.push()
        yield live


async def announced(live: Live, quorum: str, *asked: ScriptedWitness) -> Policy:
    log = (await (await live.remote("officer")).service()).log
    lines = [f"log {log}", *(one.line for one in asked), f"quorum {quorum}", ""]
    live.world.do(live.world.announcement("\n".join(lines)))
    await live.push()
    return Policy.parse("\n".join(lines))


async def witnessed(live: Live, policy: Policy, since: int = 0) -> Witnessed:
    """The first checkpoint that a quorum cosigned, at this time (seconds) or later."""
    for _ in range(PATIENCE_S * 20):
        async with live.http() as http, http.get("/v1/log/witnessed") as answer:
            data = await answer.read()
        try:
            found = policy.witnessed(Note.parse(data))
        except BadNote:
            found = None
        if found is not None and max((one.time for one in found.cosigned), default=0) >= since:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("no quorum")


async def test_a_witness_that_signs_again_and_again_leaves_room_for_the_others(live: Live) -> None:
    """Sixty-four lines of one witness fill a note, and the other's would not fit any more."""
    now = live.world.time // 1000
    async with (
        ScriptedWitness("loud.example", *range(now - 63, now + 1)) as loud,
        ScriptedWitness("w.example", now) as honest,
    ):
        policy = await announced(live, "w.example", loud, honest)
        found = await witnessed(live, policy)
        assert {one.witness for one in found.cosigned} >= {"w.example"}
        assert len(found.checkpoint.note.signatures) <= 3


async def test_a_cosignature_from_the_future_is_none_and_does_not_keep_the_others_from_being_renewed(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnesses, "RENEWAL_MS", 30 * 1000)
    now = live.world.time // 1000
    async with (
        ScriptedWitness("tomorrow.example", now + 10**9) as ahead,
        ScriptedWitness("w.example", now) as honest,
    ):
        policy = await announced(live, "w.example", ahead, honest)
        now = live.world.time // 1000
        honest.times = (now,)
        found = await witnessed(live, policy, now)
        assert {one.witness for one in found.cosigned} == {"w.example"}
        # Nothing happens in the log, but time goes by.
        live.set_clock(live.world.time + 60 * 1000)
        honest.times = (now + 60,)
        assert (await witnessed(live, policy, now + 60)).head == found.head


async def test_a_witness_that_was_gone_for_long_is_asked_again(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seventeen hours of a minute between any two attempts are 1024 of them."""
    monkeypatch.setattr(witnesses, "LONGEST_BACKOFF_S", 0.0)
    monkeypatch.setattr(witnesses, "ROUND_S", 0.0)
    async with ScriptedWitness("w.example", live.world.time // 1000, answer=lambda _note: (503, "")) as gone:
        policy = await announced(live, "w.example", gone)
        while gone.asked < 1100:
            before = gone.asked
            await asyncio.sleep(1)
            assert gone.asked > before, f"nobody asks any more after {before} attempts"
        gone.answer = None
        assert await witnessed(live, policy)


async def test_a_policy_that_asks_for_nobody_is_followed_by_one_that_does(live: Live) -> None:
    async with ScriptedWitness("w.example", live.world.time // 1000, answer=lambda _note: (503, "")) as gone:
        await announced(live, "none", gone)
        await asyncio.sleep(2)
        gone.answer = None
        policy = await announced(live, "w.example", gone)
        assert await witnessed(live, policy)
