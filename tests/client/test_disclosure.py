"""Disclosure over real HTTP: the reader sees exactly what was logged, and nothing else of the review opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events import canonical
from events.envelope import Event
from events.kinds.response import Paper
from events.register import Person
from events.rule import FileInfo
from exchange.client import disclosing
from exchange.client.client import Client
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, NoKey, NotFound, ServerLied, ServerRefused
from keys.errors import CannotOpen
from keys.labels import Label, frame
from keys.sealing import ObjectKey
from tests.support.live import Live
from tests.support.malicious import MaliciousServer
from tests.support.world import Said, World, digest

SHUT = (NoKey, NotFound, ServerRefused)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World().to_dialogue()) as live:
        await live.push()
        yield live


@pytest.fixture
async def liar(live: Live) -> AsyncIterator[MaliciousServer]:
    async with MaliciousServer(live) as liar:
        yield liar


def person(client: Client, live: Live, who: str) -> Person:
    return client.replay.history.latest.active(live.world.actors[who].device)


async def disclose(live: Live, by: str, event: bytes, to: str, number: int = 0) -> bytes:
    client = await live.client(by)
    review = await client.review(live.world.review.id)
    entry = client.entry(review, event)

    async def build(newest: Any) -> Draft:
        return await disclosing.disclose(client, newest, entry, number, person(client, live, to), "For you.")

    return (await client.send(review.id, ("disclose", event, to, number), build)).event


async def all_but(client: Client, stream: bytes, event: bytes, *numbers: int) -> None:
    """Nothing of a review opens to a client but these objects of one event."""
    review = await client.review(stream)
    for entry in client.entries(stream):
        for number in range(len(entry.header.objects)):
            if entry.id != event or number not in numbers:
                with pytest.raises(SHUT):
                    await client.object_key(review, entry, number)
                with pytest.raises(SHUT):
                    await client.fetched(review, entry, number, b"".join)


# -- who it is for


@pytest.mark.parametrize("reader", ["oversight", "oth"])
async def test_a_reader_outside_the_review_opens_what_was_disclosed_and_nothing_else(live: Live, reader: str) -> None:
    response = live.world.last["response.submitted"].id
    stranger = await live.client("oth")
    assert await stranger.reviews() == []
    made = await disclose(live, "vda", response, reader)
    client = await live.client(reader)
    (review,) = await client.reviews()
    entry = client.entry(review, response)
    assert (await client.open(review, entry)).body.text == "words"
    (shown,) = disclosing.disclosed_to(review, client.identity.fingerprint, response)
    assert (shown.by, shown.seq) == (live.world.actors["vda"].device, review.known[made].seq)
    assert await disclosing.file_names(client, review, entry) == {}
    await all_but(client, review.id, response, 0)


async def test_a_file_alone_is_disclosed_without_the_words_it_came_with(live: Live, tmp_path: Path) -> None:
    response = live.world.last["response.submitted"].id
    await disclose(live, "vda", response, "oth", 1)
    client = await live.client("oth")
    (review,) = await client.reviews()
    entry = client.entry(review, response)
    assert await disclosing.file_names(client, review, entry) == {1: "a.txt"}
    told = await disclosing.shown_or_told(client, review, entry)
    assert "a.txt" in told["disclosed"]
    assert "words" not in str(told)
    await client.fetch(review, entry, 1, tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"abc"
    await all_but(client, review.id, response, 1)


async def test_the_server_gives_a_reader_nothing_else_whatever_it_asks(live: Live) -> None:
    response = live.world.last["response.submitted"]
    await disclose(live, "vda", response.id, "oth")
    client, remote = await live.client("oth"), await live.remote("oth")
    review = await client.review(live.world.review.id)
    for entry in client.entries(review.id):
        if entry.id == response.id or not (entry.rule.carries or entry.header.objects):
            continue
        named = entry.header.kind == "object.disclosed"
        if not named:
            with pytest.raises(ServerRefused):
                await remote.bodies(review.id, [entry.id])
    with pytest.raises(ServerRefused):
        await anext(remote.file(review.id, response.id, 1, 0))


async def test_only_one_disclosure_by_each_author_and_another_readers_stays_shut(live: Live) -> None:
    response = live.world.last["response.submitted"].id
    await disclose(live, "vda", response, "oth")
    with pytest.raises(Exception, match="did not disclose it yet"):
        await disclose(live, "vda", response, "oth")
    other = await live.client("oth-x")
    assert await other.reviews() == []
    with pytest.raises(ServerRefused):
        await other.review(live.world.review.id)


# -- a disclosure made for something else


def sealed(live: Live, secret: bytes, **place: Any) -> bytes:
    """A disclosure's bytes, bound to a place; what is left out is where it belongs."""
    source: Event = live.world.last["response.submitted"]
    at = {"review": live.world.review.id, "source": source.id, "number": 0, "lang": "", "reader": "oth", **place}
    reader = live.world.actors[at["reader"]]
    told = {"source": secret, "slots": [], "title": "t", "name": None, "media": None, "note": ""}
    context = frame(at["review"], at["source"], at["number"].to_bytes(2, "big"), at["lang"].encode(), reader.device)
    return reader.identity.recipient.seal(Label.DISCLOSURE, canonical.encode(told), context)


def secret(live: Live, number: int = 0) -> bytes:
    header = live.world.last["response.submitted"].header
    epochs = live.world.keys[live.world.review.id, header.circle]
    key = next(key for key in epochs if key.epoch == header.epoch)
    ref = header.objects[number]
    return ObjectKey.derive(key, ref.context(), ref.salt).secret


ELSEWHERE = {
    "another object": {"number": 1},
    "another event": {"source": bytes(32)},
    "another review": {"review": bytes(32)},
    "another reader": {"reader": "oversight"},
    "another language": {"lang": "fr"},
}


@pytest.mark.parametrize("how", [*ELSEWHERE, "another key", "no key", "nonsense"])
async def test_a_disclosure_made_for_something_else_does_not_open(live: Live, how: str) -> None:
    world = live.world
    source = world.last["response.submitted"]
    wrong = {"another key": secret(live, 1), "no key": bytes(32)}.get(how, secret(live))
    carried = b"\x00" * 2000 if how == "nonsense" else sealed(live, wrong, **ELSEWHERE.get(how, {}))
    said = world.disclosure("vda", source, "oth")
    clear = msgspec.structs.replace(said.clear, carried=digest(carried))
    world.do(replace(said, clear=clear, carried=carried))
    await live.push()
    client = await live.client("oth")
    (review,) = await client.reviews()
    with pytest.raises(CannotOpen):
        await client.open(review, client.entry(review, source.id))


async def test_a_useless_disclosure_does_not_stand_in_the_way_of_a_good_one(live: Live) -> None:
    world = live.world
    source = world.last["response.submitted"]
    world.do(world.disclosure("vda", source, "oversight"))
    said = world.disclosure("officer", source, "oversight")
    world.do(replace(said, clear=msgspec.structs.replace(said.clear, carried=digest(b"useless")), carried=b"useless"))
    await live.push()
    client = await live.client("oversight")
    (review,) = await client.reviews()
    assert (await client.open(review, client.entry(review, source.id))).body.text == "words"


# -- a server that changes it


async def test_a_server_that_swaps_what_travels_is_found(live: Live, liar: MaliciousServer, tmp_path: Path) -> None:
    world = live.world
    source = world.last["response.submitted"]
    made = world.do(world.disclosure("vda", source, "oth"))
    file = world.do(world.disclosure("vda", source, "oth", 1))
    await live.push()
    records = world.records[world.review.id]
    for seq, other in ((made.header.seq, file.header.seq), (source.header.seq, made.header.seq)):
        liar.give_body(world.review.id, seq, records[other][1])
        client = await live.client("oth", liar.url)
        (review,) = await client.reviews()
        with pytest.raises(ServerLied):
            await client.open(review, client.entry(review, source.id))
        liar.give_body(world.review.id, seq, records[seq][1])
    liar.change_files(lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    client = await live.client("oth", liar.url)
    (review,) = await client.reviews()
    with pytest.raises((CannotOpen, ClientError)):
        await client.fetch(review, client.entry(review, source.id), 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# -- copies of one's own


async def test_the_copy_of_a_disclosed_text_is_marked_for_its_reader(live: Live, tmp_path: Path) -> None:
    from exchange.client.copies import fetch_copy
    from exchange.client.leaks import Leak, search

    world = live.world
    words = "The statistical office keeps the figures of the year.\nNobody else keeps any figures of that kind.\n"
    body = Paper("Figures", "", (FileInfo("f.txt", "F", "text/plain", 1), FileInfo("f.csv", "F", "text/csv", 1)))
    files = (words.encode(), b"a,b\n1,2\n")
    paper = world.do(Said("vda", "information.provided", sealed=body, files=files))
    for number in (0, 1, 2):
        world.do(world.disclosure("vda", paper, "oth", number))
    await live.push()
    client = await live.client("oth")
    (review,) = await client.reviews()
    entry, quiet = client.entry(review, paper.id), lambda _done, _total: None
    assert "invisible" in await fetch_copy(client, review, entry, 1, tmp_path / "f.txt", "f.txt", quiet)
    assert await fetch_copy(client, review, entry, 2, tmp_path / "f.csv", "f.csv", quiet) == ""
    assert (tmp_path / "f.csv").read_bytes() == files[1]
    found = await search(await live.client("tsr"), Leak.read(tmp_path / "f.txt"))
    assert [(t.holding.entry.id, t.holding.number, t.marked) for t in found.traces] == [
        (paper.id, 1, (world.actors["oth"].device,))
    ]
    assert found.traces[0].match.how == "same text"
    assert found.unknown == 0
