"""Tracing over real HTTP: every version one can open and nothing else, remembered under seal, long files by their bytes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events import canonical
from events.entries import EntryType
from events.kinds.desk_review import Message
from events.kinds.response import Paper, Response
from events.rule import FileInfo
from exchange.client.client import Client
from exchange.client.copies import fetch_copy
from exchange.client.errors import ServerLied
from exchange.client.formats.bounds import MAX_FILE
from exchange.client.home import CACHE
from exchange.client.leaks import Leak, search
from exchange.client.reads import reads_of
from tests.client.test_client import inform
from tests.support.live import Live
from tests.support.malicious import MaliciousServer
from tests.support.world import Said, World

UDHR = Path(__file__).parents[1] / "data" / "udhr" / "es Declaración universal.txt"
NOTE = "We reviewers should ask why the figures of the second year differ from all the others."


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World().to_dialogue()) as live:
        await live.push()
        yield live


def attached(live: Live, data: bytes) -> bytes:
    body = Paper("Annex", "", (FileInfo("annex.txt", "Annex", "text/plain", len(data)),))
    return live.world.do(Said("vda", "information.provided", sealed=body, files=(data,))).id


def fetches(liar: MaliciousServer) -> int:
    return sum(path.endswith("/files") for _, path, _, _ in liar.requests)


async def test_the_version_is_told_from_the_one_that_followed(live: Live) -> None:
    world, text = live.world, UDHR.read_text()
    first = world.do(
        Said(
            "vda",
            "response.submitted",
            sealed=Response("R", text[:4000]),
            about=(world.review.response,),
            revises=world.last["response.submitted"].header.objects[0].id,
        )
    )
    second = world.do(
        Said(
            "vda",
            "response.submitted",
            sealed=Response("R", text[:4000].replace("derecho", "título")),
            about=(first.id,),
            revises=first.header.objects[0].id,
        )
    )
    await live.push()
    found = await search(await live.client("nrl"), Leak.of(text[:4000].encode(), ""))
    assert [(t.holding.entry.id, t.holding.version) for t in found.traces] == [(first.id, 2), (second.id, 3)]
    assert found.traces[0].match.how == "exact"
    assert found.traces[0].holding.review.superseded(first.id)


async def test_only_what_one_can_open_is_compared(live: Live) -> None:
    note = live.world.do(Said("nrl-x", "reviewers.noted", sealed=Message("Figures", NOTE))).id
    await live.push()
    leak = Leak.of(NOTE.encode(), "")
    found = await search(await live.client("tsr"), leak)
    assert [trace.holding.entry.id for trace in found.traces] == [note]
    closed = await search(await live.client("vda"), leak)
    assert closed.traces == ()
    assert closed.compared == found.compared - 1
    assert (await search(await live.client("oversight"), leak)).compared == 0


async def test_a_document_is_fetched_once_and_an_altered_memory_is_not_believed(live: Live) -> None:
    event = attached(live, UDHR.read_bytes())
    await live.push()
    async with MaliciousServer(live) as liar:
        client = await live.client("tsr", liar.url)
        leak = Leak.of(UDHR.read_bytes()[3000:4000], "")
        for _ in range(3):
            found = await search(client, leak)
            assert [trace.holding.entry.id for trace in found.traces] == [event]
        before = fetches(liar)
        assert before == 2
        with sqlite3.connect(client.home.path / CACHE) as memory:
            rows = memory.execute("SELECT event, object, sealed FROM fingerprints").fetchall()
            for (_, _, sealed), (place, number, _) in zip(rows, rows[1:] + rows[:1], strict=True):
                memory.execute("UPDATE fingerprints SET sealed=? WHERE event=? AND object=?", (sealed, place, number))
        again = await search(client, leak)
        assert [trace.holding.entry.id for trace in again.traces] == [event]
        assert fetches(liar) == 2 * before


async def test_who_fetched_it_is_read_from_signed_statements_only(live: Live, tmp_path: Path) -> None:
    event = attached(live, UDHR.read_bytes())
    await live.push()
    reader = await live.client("nrl-x")
    review = await reader.review(live.world.review.id)
    await reader.fetch(review, reader.entry(review, event), 1, tmp_path / "copy.txt")
    officer = await live.client("officer")
    review = await officer.review(review.id)
    for _ in range(50):
        mine = [read for read in await reads_of(officer, review) if (read.event, read.object) == (event, 1)]
        if all(read.sent is not None for read in mine):
            break
        await asyncio.sleep(0.05)
    assert [(read.reader, read.start) for read in mine] == [(live.world.actors["nrl-x"].device, 0)]
    assert mine[0].sent == reader.entry(review, event).header.objects[1].size
    live.world.do(live.world.disclosure("vda", live.world.last["information.provided"], "oth"))
    await live.push()
    stranger = await live.client("oth")
    assert await reads_of(stranger, await stranger.review(review.id)) is None
    page = await officer.remote.accesses(review.id, -1)
    forged = [(kind, data[:-1] + bytes([data[-1] ^ 1]) if kind == EntryType.STATEMENT else data) for kind, data in page]
    unbegun = [(kind, data) for kind, data in page if kind == EntryType.COMPLETION]
    async with MaliciousServer(live) as liar:
        for lie in (forged, unbegun, page):
            # Whatever is asked for, this server answers the same: a record without end is found by its repetition.
            shown = canonical.encode([list(one) for one in lie])
            liar.serve(f"/v1/streams/{review.id.hex()}/access", lambda _path, shown=shown: shown)
            deceived = await live.client("vda", liar.url)
            with pytest.raises(ServerLied):
                await reads_of(deceived, await deceived.review(review.id))
            liar._served.clear()


async def test_what_does_not_come_is_counted_and_the_rest_compared(live: Live) -> None:
    event = attached(live, UDHR.read_bytes())
    await live.push()
    (live.root / "server" / "files").rename(live.root / "server" / "gone")
    client = await live.client("tsr")
    found = await search(client, Leak.of(b"words", ""))
    assert found.missing
    assert event not in {trace.holding.entry.id for trace in found.traces}


async def test_a_long_file_is_never_marked_and_is_found_by_its_bytes(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
        file.write(b"not all zeros")
    sender: Client = await live.client("vda")
    event = await inform(sender, live, path)
    reader = await live.client("nrl")
    review = await reader.review(live.world.review.id)
    target = tmp_path / "copy.txt"
    assert (
        await fetch_copy(reader, review, reader.entry(review, event), 1, target, path.name, lambda _d, _t: None) == ""
    )
    assert Leak.read(target).fingerprint == Leak.read(path).fingerprint
    found = await search(reader, Leak.read(target))
    assert [(trace.holding.entry.id, trace.match.how) for trace in found.traces] == [(event, "exact")]
    unlike = await search(await live.client("tsr"), Leak.of(b"short", ""))
    assert unlike.traces == ()
