"""The client over real HTTP: conflicts it settles itself, memory it does not trust, keys it reaches and those it does not."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events.errors import OtherRevision, WrongPhase
from events.kinds.report import Agreement
from events.kinds.response import Draft as DraftPaper
from events.kinds.translation import Translated
from events.stream import PARTIES, delegation
from exchange.client import snapshot, translations
from exchange.client.client import Client
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, HomeError, NoKey, Offline
from exchange.client.home import CACHE
from exchange.client.membership import Membership
from exchange.client.transfer import Attachment
from tests.hostile.test_rules import ask, inform
from tests.support.live import Live
from tests.support.world import Said, World


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World().to_dialogue()) as live:
        await live.push()
        yield live


async def test_many_authors_at_once_all_get_in(live: Live) -> None:
    """Conflicts are settled by the clients themselves: nobody is asked to try again."""
    clients = [await live.client(who) for who in ("nrl", "nrl-x", "tsr", "tsr-x")]
    events = await asyncio.gather(*(ask(c, live, f"{i} {n}") for i, c in enumerate(clients) for n in range(6)))
    review = await (await live.client("vda")).review(live.world.review.id)
    assert set(events) <= set(review.requests)
    assert sorted(review.requests[event].number for event in events) == list(range(1, 25))


async def test_a_document_arrives_as_it_was_sent(live: Live, tmp_path: Path) -> None:
    for size in (0, 1, 65_536, 2_000_000):
        path = tmp_path / f"{size}.bin"
        path.write_bytes(secrets.token_bytes(size))
        client = await live.client("vda")
        event = await inform(client, live, path)
        client.reported()
        reader = await live.client("tsr-x")
        review = await reader.review(live.world.review.id)
        target = tmp_path / f"{size}.out"
        await reader.fetch(review, reader.entry(review, event), 1, target)
        assert target.read_bytes() == path.read_bytes()
        assert not list((client.home.path / "spool").iterdir())


async def test_what_was_verified_is_remembered_and_not_trusted_blindly(live: Live) -> None:
    client = await live.client("vda")
    review = await client.review(live.world.review.id)
    again = await live.client("vda", home=client.home)
    assert await again.review(live.world.review.id) == review
    with sqlite3.connect(client.home.path / CACHE) as memory:
        state = bytearray(snapshot.dump(review))
        state[-1] ^= 1
        memory.execute("UPDATE states SET state=? WHERE stream=?", (bytes(state), review.id))
    third = await live.client("vda", home=client.home)
    assert await third.review(live.world.review.id) == review


async def test_altered_memory_is_not_shown(live: Live) -> None:
    client = await live.client("vda")
    review = await client.review(live.world.review.id)
    records = live.world.records[review.id]
    with sqlite3.connect(client.home.path / CACHE) as memory:
        memory.execute("UPDATE envelopes SET envelope=? WHERE stream=? AND seq=5", (records[6][0], review.id))
    with pytest.raises(HomeError, match="altered"):
        client.entries(review.id)


async def test_what_the_rules_refuse_never_leaves_this_machine(live: Live) -> None:
    client = await live.client("vda")

    async def build(_state: object) -> Draft:
        return Draft("report.agreed", Agreement(bytes(32)), about=(live.world.review.head,))

    with pytest.raises((WrongPhase, OtherRevision)):
        await client.send(live.world.review.id, ("agree",), build)
    review = await client.review(live.world.review.id)
    assert review.head == live.world.review.head


async def test_a_newcomer_reads_the_history_and_whoever_left_reads_no_further(live: Live) -> None:
    world = live.world
    nrl, leaver = await live.client("nrl"), await live.client("nrl-x")
    before = await ask(leaver, live, "before")
    await leaver.review(world.review.id)
    device = world.actors["nrl-x"].device
    await nrl.send(world.review.id, ("remove",), lambda review: Membership(nrl).remove(review, device))
    after = await ask(nrl, live, "after")
    reader = await live.client("tsr")
    review = await reader.review(world.review.id)
    assert (await reader.open(review, reader.entry(review, after))).body.text == "after"
    assert review.circles[PARTIES].epoch == 2
    assert (await reader.open(review, reader.entry(review, before))).body.text == "before"
    assert device not in review.circles[PARTIES].devices
    assert device not in review.circles[delegation("NRL")].readers(2)
    with pytest.raises(ClientError):
        await ask(leaver, live, "once more")


async def test_only_its_translator_opens_a_disclosed_document(live: Live) -> None:
    world = live.world
    officer, translator = await live.client("officer"), await live.client("translator")
    review = await officer.review(world.review.id)
    source = officer.entry(review, review.response)
    person = officer.replay.history.latest.by_device(world.actors["translator"].device)

    async def assign(newest: object) -> Draft:
        return await translations.assign(officer, newest, source, 0, "fr", person, "soon please")

    assigned = await officer.send(review.id, ("assign",), assign)
    review = await translator.review(world.review.id)
    entry = review.translations[assigned.event]
    assert (await translator.open(review, translator.entry(review, source.id))).body.title == "Response"
    for other in translator.entries(review.id):
        if other.header.objects and other.id != source.id:
            with pytest.raises(NoKey):
                await translator.open(review, other)

    async def submit(newest: object) -> Draft:
        return await translations.submit(translator, newest, entry, Translated(fields={"title": "Réponse"}))

    sent = await translator.send(review.id, ("submit",), submit, circle=entry.circle)
    for who in ("vda", "nrl-x", "translator"):
        reader = await live.client(who)
        review = await reader.review(world.review.id)
        assert (await reader.open(review, reader.entry(review, sent.event))).body.fields == {"title": "Réponse"}


async def test_a_draft_stays_in_its_delegation(live: Live) -> None:
    world = live.world
    draft = world.do(Said("nrl-x", "draft.shared", sealed=DraftPaper("d", "not yet cleared")))
    await live.push()
    mine = await live.client("nrl")
    review = await mine.review(world.review.id)
    assert (await mine.open(review, mine.entry(review, draft.id))).body.text == "not yet cleared"
    for who in ("vda", "tsr", "officer", "oversight"):
        other = await live.client(who)
        review = await other.review(world.review.id)
        with pytest.raises(NoKey):
            await other.open(review, other.entry(review, draft.id))


async def test_a_server_that_stops_in_the_middle_of_a_document(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "annex.bin"
    path.write_bytes(secrets.token_bytes(8_000_000))
    client = await live.client("vda")
    stopped = asyncio.Event()

    def progress(done: int, _total: int) -> None:
        if done > 2_000_000:
            stopped.set()

    async def send(on: Client) -> bytes:
        from events.kinds.response import Paper
        from events.rule import FileInfo, rule_of

        info = FileInfo(path.name, "Annex", "application/octet-stream", path.stat().st_size)

        async def build(_state: object) -> Draft:
            return Draft(
                "information.provided",
                rule_of("information.provided").clear(),
                (),
                "en",
                Paper("t", files=(info,)),
                PARTIES,
            )

        found = [Attachment.of(path)]
        sent = await on.send(
            live.world.review.id, ("annex",), build, circle=PARTIES, attachments=found, progress=progress
        )
        return sent.event

    sending = asyncio.create_task(send(client))
    await stopped.wait()
    await live.stop()
    with pytest.raises((Offline, ClientError)):
        await sending
    await live.start()
    (client.home.path / "home.json").write_text(
        (client.home.path / "home.json").read_text().replace(client.home.settings.server, live.url)
    )
    again = await live.client("vda", home=client.home)
    event = await send(again)
    reader = await live.client("nrl")
    review = await reader.review(live.world.review.id)
    await reader.fetch(review, reader.entry(review, event), 1, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == path.read_bytes()


async def test_an_upload_the_server_lost_is_sent_again(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "annex.bin"
    path.write_bytes(secrets.token_bytes(3_000_000))
    client = await live.client("vda")
    finish, lost = client.remote.finish_upload, []

    async def losing(upload: str, digest: bytes) -> object:
        if not lost:
            lost.append(upload)
            for left in (live.root / "server" / "files" / "uploads").glob(f"{upload}*"):
                left.unlink()
        return await finish(upload, digest)

    client.remote.finish_upload = losing
    event = await inform(client, live, path)
    assert lost
    reader = await live.client("nrl")
    review = await reader.review(live.world.review.id)
    await reader.fetch(review, reader.entry(review, event), 1, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == path.read_bytes()


async def test_a_profile_that_does_not_open_takes_nobody_elses_name(live: Live) -> None:
    from events.kinds.desk_review import Message

    live.world.do(Said("nrl-x", "person.profiled", sealed=Message("not a profile", "x")))
    await live.push()
    client = await live.client("vda")
    found = await client.profiles(await client.register())
    assert live.world.actors["vda"].person in found
