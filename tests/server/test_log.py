"""The log over HTTP: what anybody can fetch holds together, and it is of everything the database holds."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3

import pytest

from events import merkle
from events.access import access_stream
from events.checkpoint import Checkpoint
from events.entries import EntryType, entry
from events.envelope import SignedEvent
from events.merkle import Frontier
from events.notes import Note, Vkey
from events.tiles import ENTRIES, WIDTH, Tile, new_tiles, read_bundle
from storage.errors import Damaged
from tests.support.live import Live


async def get(live: Live, path: str, who: str = "") -> tuple[int, bytes]:
    headers = await (await live.remote(who))._authority() if who else {}
    async with live.http() as http, http.get(f"/v1/{path}", headers=headers) as answer:
        return answer.status, await answer.read()


async def checkpoint(live: Live) -> Checkpoint:
    key = Vkey.parse((await (await live.remote("vda")).service()).log)
    status, data = await get(live, "log/checkpoint")
    assert status == 200
    return Checkpoint.verify(Note.parse(data), [key])


async def entries(live: Live, size: int) -> list[bytes]:
    found = []
    for number in range(-(-size // WIDTH)):
        tile = Tile(ENTRIES, number, min(size - number * WIDTH, WIDTH))
        status, data = await get(live, f"log/{tile.path()}")
        assert status == 200
        found += read_bundle(data, tile.width)
    return found


async def test_a_checkpoint_covers_everything_that_was_taken_before_it(live: Live) -> None:
    world = live.world
    body = world.last["response.submitted"]
    await (await live.remote("nrl")).bodies(world.review.id, [body.id])
    accesses = await (await live.remote("oversight")).accesses(world.review.id, -1)
    head = (await checkpoint(live)).head
    logged = await entries(live, head.size)
    assert Frontier().extended(merkle.leaf_hash(one) for one in logged).root == head.root
    envelopes = [hashlib.sha256(e).digest() for records in world.records.values() for e, _ in records]
    assert {entry(EntryType.ENVELOPE, digest) for digest in envelopes} <= set(logged)
    assert {entry(EntryType(kind), hashlib.sha256(one).digest()) for kind, one in accesses} <= set(logged)
    assert head.size >= len(envelopes) + 1


async def test_tiles_are_the_tree(live: Live) -> None:
    head = (await checkpoint(live)).head
    leaves = [merkle.leaf_hash(one) for one in await entries(live, head.size)]
    for tile in new_tiles(0, head.size):
        assert (await get(live, f"log/{tile.path()}"))[0] == 200
    _, data = await get(live, f"log/{Tile(0, 0, min(head.size, WIDTH)).path()}")
    assert data == b"".join(leaves[:WIDTH])
    for path in (
        "tile/0/999",
        "tile/0/000.p/0",
        "tile/64/000",
        "tile/0/1",
        "tile/entries/x000/000",
    ):
        assert (await get(live, f"log/{path}"))[0] in (400, 404)


async def test_every_record_is_proved_to_whoever_may_see_it(live: Live) -> None:
    world, stream = live.world, live.world.review.id
    await (await live.remote("nrl")).bodies(stream, [world.last["response.submitted"].id])
    head = (await checkpoint(live)).head
    remote = await live.remote("vda")
    for seq, (envelope, _) in enumerate(world.records[stream]):
        proof = await remote.inclusion(stream, seq, head.size)
        leaf = merkle.leaf_hash(entry(EntryType.ENVELOPE, SignedEvent.parse(envelope).id))
        merkle.verify_inclusion(leaf, proof.index, head.size, [bytes.fromhex(one) for one in proof.hashes], head.root)
    path = f"streams/{stream.hex()}/events/1/inclusion?size={head.size}"
    assert (await get(live, path))[0] == 401
    assert (await get(live, path, "oth"))[0] == 404
    assert (await get(live, path.replace("events/1", "access/0"), "vda"))[0] == 200
    assert (await get(live, f"streams/{stream.hex()}/events/1/inclusion?size={head.size + 1000}", "vda"))[0] == 400
    assert (await get(live, f"streams/{stream.hex()}/events/99999/inclusion?size=1", "vda"))[0] == 404


async def test_the_log_only_grows_and_proves_it(live: Live) -> None:
    old = (await checkpoint(live)).head
    remote = await live.remote("nrl")
    for _ in range(3):
        await remote.bodies(live.world.review.id, [live.world.last["response.submitted"].id])
        new = (await checkpoint(live)).head
        assert new.size > old.size
        hashes = await remote.consistency(old.size, new.size)
        merkle.verify_consistency(old.size, old.root, new.size, new.root, hashes)
        old = new
    for sizes in ("old=0&new=5", "old=7&new=5", f"old=1&new={old.size + 100}", "old=-1&new=5"):
        assert (await get(live, f"log/consistency?{sizes}"))[0] == 400


async def test_it_is_the_same_log_after_a_restart_and_after_its_tree_was_lost(live: Live) -> None:
    before = (await checkpoint(live)).head
    await live.stop()
    await live.start()
    again = await checkpoint(live)
    assert again.head == before
    await live.stop()
    for suffix in ("", "-wal", "-shm"):
        (live.root / "server" / f"log.sqlite{suffix}").unlink(missing_ok=True)
    await live.start()
    assert (await checkpoint(live)).head == before


async def test_a_database_older_than_its_log_is_not_served(live: Live) -> None:
    await checkpoint(live)
    await live.stop()
    with sqlite3.connect(live.root / "server" / "events.sqlite") as db:
        db.execute("DELETE FROM stored_events WHERE rowid = (SELECT max(rowid) FROM stored_events)")
    with pytest.raises(Damaged, match="older than its log"):
        await live.start()
    live._task = None


async def test_many_at_once_and_the_log_loses_none(live: Live) -> None:
    remotes = [await live.remote(who) for who in ("vda", "nrl", "tsr-x", "officer")]
    event = live.world.last["response.submitted"].id
    await asyncio.gather(*(remote.bodies(live.world.review.id, [event]) for remote in remotes for _ in range(25)))
    await asyncio.sleep(0.2)
    head = (await checkpoint(live)).head
    logged = await entries(live, head.size)
    with sqlite3.connect(live.root / "server" / "events.sqlite") as db:
        rows = db.execute("SELECT topic, hash, originator_id FROM stored_events ORDER BY rowid").fetchall()
    kinds = {"access.stated": EntryType.STATEMENT, "access.completed": EntryType.COMPLETION}
    assert logged == [entry(kinds.get(topic, EntryType.ENVELOPE), digest) for topic, digest, _ in rows]
    assert access_stream(live.world.review.id).hex() in {name for _, _, name in rows}
