"""An audit of a real server over HTTP, by the oversight person of the world, and what others are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.audit.engine import audit
from exchange.audit.finding import Check
from exchange.audit.memory import Memory
from exchange.audit.remote import Server
from exchange.audit.report import Report
from tests.audit.test_engine import KEY, faults, found_by
from tests.support.live import Live
from tests.support.malicious import MaliciousServer
from tests.support.world import World


@pytest.fixture
async def live(tmp_path: Path):
    async with Live(tmp_path, World().to_dialogue()) as live:
        await live.push()
        world = live.world
        for who in ("vda", "nrl", "tsr-x"):
            await (await live.remote(who)).bodies(world.review.id, [world.last["response.submitted"].id])
        await (await live.remote("nrl")).bodies(world.register.id, [world.last["person.registered"].id])
        yield live


async def audited(live: Live, memory: Memory | None = None, url: str = "", who: str = "oversight") -> Report:
    source = Server(await live.remote(who, url))
    memory = memory or Memory(":memory:", KEY)
    return await audit(source, memory, live.world.register.id, live.world.time, pause=0)


async def test_a_real_server_is_sound(live: Live) -> None:
    memory = Memory(":memory:", KEY)
    report = await audited(live, memory)
    assert not faults(report)
    lines = {line.name: line for line in report.streams}
    assert lines["VDA-2026"].events == live.world.review.seq + 1
    assert (lines["VDA-2026"].statements, lines["register"].statements) == (3, 1)
    assert report.size == sum(line.events + line.statements + line.completions for line in report.streams)
    assert any("announces no log" in line for line in report.unchecked)
    live.world.do(live.world.question())
    await live.push()
    later = await audited(live, memory)
    assert (later.sound, later.before, later.size) == (True, report.size, report.size + 1)


async def test_a_server_that_shows_an_event_it_did_not_log(live: Live) -> None:
    async with MaliciousServer(live) as liar:
        liar.collude(live.world.question())
        liar.change_answers(
            lambda path, value: (
                {"streams": [{**one, "seq": one["seq"] + (one["kind"] == "review")} for one in value["streams"]]}
                if path.endswith("/streams")
                else value
            )
        )
        assert found_by(await audited(live, url=liar.url)) == {Check.LOGGED}


async def test_a_server_that_leaves_an_event_out(live: Live) -> None:
    async with MaliciousServer(live) as liar:
        liar.change(live.world.review.id, lambda envelopes: envelopes[:-1])
        assert found_by(await audited(live, url=liar.url)) == {Check.SHOWN}
