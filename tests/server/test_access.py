"""Reading on record: nothing sealed leaves without its reader's statement, and what was read is told truly."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

import aiohttp
import pytest

from events.access import Completion, SignedStatement, Statement, Want, access_stream
from events.entries import EntryType
from events.envelope import Event
from events.kinds.desk_review import Message
from events.kinds.response import Paper
from exchange import wire
from exchange.client.errors import ClockFarOff, ServerRefused
from exchange.server import readings
from keys.labels import Label
from storage.log import EventLog
from tests.support.live import Live
from tests.support.world import Said


def statement(live: Live, who: str, wants: Sequence[Want], **changes: object) -> bytes:
    identity = live.world.actors[who].identity
    fields = {
        "v": 1,
        "stream": live.world.review.id,
        "reader": identity.fingerprint,
        "time": live.world.time,
        "nonce": secrets.token_bytes(16),
        "wants": tuple(wants),
    }
    signed = Statement(**{**fields, **changes}).encode()
    return signed + identity.sign(Label.ACCESS, signed)


def altered(record: bytes) -> bytes:
    return record[:-10] + bytes([record[-10] ^ 1]) + record[-9:]


async def post(live: Live, who: str, what: str, data: bytes) -> tuple[int, str, bytes]:
    authority = await (await live.remote(who))._authority()
    async with live.http() as http:
        path = f"/v1/streams/{live.world.review.id.hex()}/{what}"
        async with http.post(path, data=data, headers=authority) as answer:
            raw = await answer.read()
            code = (await answer.json(content_type=None))["code"] if answer.status >= 400 else ""
            return answer.status, code, raw


async def records(live: Live, who: str = "oversight") -> list[SignedStatement | Completion]:
    """What the server tells of who read what, when it has had the time to write it down."""
    remote = await live.remote(who)
    for _ in range(50):
        found = [
            SignedStatement.parse(record) if kind == EntryType.STATEMENT else Completion.parse(record)
            for kind, record in await remote.accesses(live.world.review.id, -1)
        ]
        if sum(isinstance(one, Completion) for one in found) * 2 == len(found):
            return found
        await asyncio.sleep(0.02)
    return found


def source(live: Live) -> Event:
    return live.world.last["response.submitted"]


async def test_a_body_is_read_against_a_statement_that_everybody_responsible_can_verify(live: Live) -> None:
    event, remote = source(live), await live.remote("nrl-x")
    before = len(await records(live))
    body = (await remote.bodies(live.world.review.id, [event.id]))[0]
    for who in ("oversight", "vda", "nrl-x", "officer"):
        stated, completed = (await records(live, who))[before:]
        access = stated.verify(live.world.actors["nrl-x"].identity.recipient)
        assert access.statement.wants == (Want(event.id, 0, 0),)
        assert (completed.statement, completed.sent) == (access.id, len(body))
    with pytest.raises(ServerRefused):
        await records(live, "oth")


async def test_a_file_is_read_from_where_the_statement_says(live: Live) -> None:
    event = source(live)
    whole = live.world.blobs[event.header.objects[1].digest]
    for start in (0, 10, len(whole) - 1):
        status, _, raw = await post(live, "nrl", "files", statement(live, "nrl", [Want(event.id, 1, start)]))
        assert (status, raw) == (200, whole[start:])
        stated, completed = (await records(live))[-2:]
        assert stated._statement.wants[0].start == start
        assert completed.sent == len(whole) - start


async def test_what_is_refused_leaves_nothing_and_is_not_on_record(live: Live) -> None:
    event, world = source(live), live.world
    note = world.do(Said("nrl-x", "reviewers.noted", sealed=Message("t", "x")))
    await live.push()
    size = event.header.objects[1].size
    before = len(await records(live))
    fine = [Want(event.id, 0, 0)]
    cases = [
        ("vda", "bodies", statement(live, "vda", [Want(note.id, 0, 0)]), 404, "not-found"),
        ("vda", "bodies", statement(live, "vda", [Want(bytes(32), 0, 0)]), 404, "not-found"),
        ("vda", "files", statement(live, "vda", [Want(event.id, 9, 0)]), 404, "not-found"),
        ("vda", "files", statement(live, "vda", [Want(event.id, 1, size)]), 400, "bad-request"),
        ("oversight", "bodies", statement(live, "oversight", fine), 404, "not-found"),
        ("oth", "bodies", statement(live, "oth", fine), 404, "not-found"),
        ("vda", "bodies", statement(live, "nrl", fine), 403, "bad-signature"),
        ("vda", "bodies", statement(live, "vda", fine, stream=bytes(32)), 400, "malformed"),
        ("vda", "bodies", statement(live, "vda", fine, time=world.time - 3_600_000), 422, "clock-off"),
        ("vda", "bodies", altered(statement(live, "vda", fine)), 403, "bad-signature"),
        ("vda", "bodies", b"", 400, "malformed"),
        ("vda", "bodies", b"\x00" * 17_000, 413, "too-large"),
    ]
    for who, what, data, status, code in cases:
        got = await post(live, who, what, data)
        assert got[:2] == (status, code), (who, what, got)
    assert len(await records(live)) == before


async def test_a_statement_is_taken_once(live: Live) -> None:
    once = statement(live, "vda", [Want(source(live).id, 0, 0)])
    assert (await post(live, "vda", "bodies", once))[0] == 200
    assert (await post(live, "vda", "bodies", once))[:2] == (400, "bad-request")
    assert sum(isinstance(one, SignedStatement) and one.record == once for one in await records(live)) == 1


async def test_a_statement_is_taken_once_whatever_restarts_in_between(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice in the log, it would be an honest server's fault."""
    monkeypatch.setattr(readings, "PAGE", 2)
    fine = [Want(source(live).id, 0, 0)]
    sent = [statement(live, "vda", fine, time=live.world.time + change * 1000) for change in (-590, 590, 0, 1, 2)]
    for one in sent:
        assert (await post(live, "vda", "bodies", one))[0] == 200
    before = await records(live)
    await live.stop()
    await live.start()
    for one in sent:
        assert (await post(live, "vda", "bodies", one))[:2] == (400, "bad-request")
    assert await records(live) == before


async def test_what_is_not_there_is_not_read(live: Live) -> None:
    """An event can carry keys and carry none: a statement about nothing would be an honest server's fault."""
    world = live.world
    empty = next(
        event
        for event, known in world.review.known.items()
        if known.kind == "member.nominated" and world.records[world.review.id][known.seq][1] is None
    )
    before = await records(live)
    got = await post(live, "vda", "bodies", statement(live, "vda", [Want(empty, 0, 0)]))
    assert got[:2] == (404, "not-found")
    assert await records(live) == before


async def test_a_reading_that_breaks_off_is_on_record_with_what_was_sent(live: Live) -> None:
    world = live.world
    long = (secrets.token_bytes(8_000_000),)
    event = world.do(Said("vda", "information.provided", sealed=Paper(title="t"), files=long))
    await live.push()
    authority = await (await live.remote("nrl"))._authority()
    http = aiohttp.ClientSession(live.url, read_bufsize=1024)
    path = f"/v1/streams/{world.review.id.hex()}/files"
    answer = await http.post(path, data=statement(live, "nrl", [Want(event.id, 1, 0)]), headers=authority)
    await answer.content.read(1000)
    answer.close()
    await http.close()
    stated, completed = (await records(live))[-2:]
    assert stated._statement.wants == (Want(event.id, 1, 0),)
    assert 0 <= completed.sent < event.header.objects[1].size


async def test_readers_at_the_same_time_are_all_on_record_once(live: Live) -> None:
    event, before = source(live), len(await records(live))
    remotes = [await live.remote(who) for who in ("vda", "nrl", "tsr-x", "officer")]
    await asyncio.gather(*(remote.bodies(live.world.review.id, [event.id]) for remote in remotes for _ in range(20)))
    stated = [one for one in (await records(live))[before:] if isinstance(one, SignedStatement)]
    assert len(stated) == len({one.id for one in stated}) == 80


async def test_records_survive_a_restart_and_go_on(live: Live) -> None:
    event = source(live)
    await (await live.remote("vda")).bodies(live.world.review.id, [event.id])
    before = await records(live)
    await live.stop()
    await live.start()
    assert await records(live) == before
    await (await live.remote("vda", live.url)).bodies(live.world.review.id, [event.id])
    assert len(await records(live)) == len(before) + 2
    await live.stop()
    log = await EventLog.open(live.root / "server" / "events.sqlite")
    assert await log.streams() == [live.world.register.id, live.world.review.id]
    assert len(await log.records(access_stream(live.world.review.id))) == len(before) + 2
    await log.close()


async def test_a_clock_far_off_is_said_and_nothing_is_read(live: Live) -> None:
    remote = await live.remote("vda")
    await remote._authority()
    remote._clock = lambda: live.world.time + 2 * wire.CLOCK_TOLERANCE_MS
    with pytest.raises(ClockFarOff):
        await remote.bodies(live.world.review.id, [source(live).id])
