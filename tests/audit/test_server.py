"""An audit of a real server over HTTP, by the oversight person of the world, and what others are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.checkpoint import Head, cosign
from events.notes import Note
from events.policy import Policy
from exchange.audit.engine import audit
from exchange.audit.finding import Check
from exchange.audit.memory import Memory
from exchange.audit.remote import Server
from exchange.audit.report import Report
from exchange.audit.text import text
from exchange.client import forks
from tests.audit.test_engine import KEY, faults, found_by
from tests.hostile.test_log import CHECKPOINT, WITNESS, WITNESSED, announce, forged
from tests.hostile.test_rules import ask
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
        await live.read_whole()
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


# -- a log that was announced, and clients who verify it


@pytest.fixture
async def announced(live: Live) -> Live:
    await announce(live)
    return live


async def test_what_clients_saw_of_the_log_is_this_log(announced: Live) -> None:
    memory = Memory(":memory:", KEY)
    for who in ("nrl-x", "tsr-x"):
        await ask(await announced.client(who), announced, who)
    report = await audited(announced, memory)
    assert not faults(report)
    assert report.log
    assert any("asks for none" in line for line in report.unchecked)
    await ask(await announced.client("nrl-x"), announced, "again")
    assert not faults(await audited(announced, memory))


async def test_a_server_that_signs_two_histories(announced: Live) -> None:
    """The operator holds the log's key and shows the auditor a shorter log, another one, and one of another key."""
    memory = Memory(":memory:", KEY)
    await audited(announced, memory)
    size = Head.parse(Note.parse(await (await announced.remote("oversight")).checkpoint()).text).size
    async with MaliciousServer(announced) as liar:
        for note, found in (
            (forged(announced, size - 1), Check.ROLLBACK),
            (forged(announced, size), Check.FORK),
            (Head("other", size, bytes(32)).signed(WITNESS), Check.CHECKPOINT),
        ):
            liar.raw[CHECKPOINT] = note.encode()
            report = await audited(announced, memory, liar.url)
            assert found in found_by(report)
            if found is Check.FORK:
                policy = Policy.parse(announced.world.register.log)
                notes = [Note.parse(one.encode()) for one in (report.contradicting, report.checkpoint)]
                remote = await announced.remote("oversight", liar.url)
                assert (await forks.between(remote, policy, *notes)).verify(policy)
    assert not faults(await audited(announced, memory))


async def test_a_quorum_that_did_not_witness(live: Live) -> None:
    await announce(live, "w")
    assert found_by(await audited(live)) == {Check.WITNESSES}
    note = Note.parse(await (await live.remote("oversight")).checkpoint())
    async with MaliciousServer(live) as liar:
        witnessed = note.signed(cosign("w.example", WITNESS, note.text, live.world.time // 1000 - 3600))
        liar.raw[WITNESSED] = witnessed.encode()
        report = await audited(live, url=liar.url)
        assert not faults(report)
        assert list(report.witnesses) == ["w"]
        assert "60 minutes" in text(report)
        other = forged(live, 5)
        liar.raw[WITNESSED] = other.signed(cosign("w.example", WITNESS, other.text, live.world.time // 1000)).encode()
        assert found_by(await audited(live, url=liar.url)) == {Check.FORK}
