"""The log of envelopes: verbatim, in order, once, flushed, in groups."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.errors import Conflict, StorageUnavailable
from storage.log import EventLog
from storage.rows import Row


def row(stream: bytes, seq: int, body: bytes | None = b"body") -> Row:
    envelope = secrets.token_bytes(300)
    return Row(stream, seq, "request.made", hashlib.sha256(envelope).digest(), envelope, body)


A, B = bytes([1] * 32), bytes([2] * 32)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EventLog]:
    log = await EventLog.open(tmp_path / "events.sqlite")
    yield log
    await log.close()


async def test_what_is_appended_is_read_back_byte_for_byte(log: EventLog) -> None:
    rows = [row(A, 0), row(B, 0, None), row(A, 1, secrets.token_bytes(500_000))]
    appended = [await log.append(one) for one in rows]
    assert await log.read(A) == [rows[0].envelope, rows[2].envelope]
    assert await log.read(A, after=0) == [rows[2].envelope]
    assert await log.read(A, limit=1) == [rows[0].envelope]
    assert await log.rows(A, [0, 1, 7]) == {seq: (one.envelope, one.body) for seq, one in ((0, rows[0]), (1, rows[2]))}
    assert await log.rows(B, [0]) == {0: (rows[1].envelope, None)}
    assert await log.records(A) == [("request.made", rows[0].envelope), ("request.made", rows[2].envelope)]
    assert await log.place(A, 1) == (rows[2].hash, appended[2].position, "request.made")
    assert await log.place(A, 2) is None
    assert await log.hashes(after=appended[0].position, limit=10) == [
        (appended[1].position, "request.made", rows[1].hash),
        (appended[2].position, "request.made", rows[2].hash),
    ]
    assert await log.head(A) == (1, rows[2].hash)
    assert await log.head(bytes(32)) is None
    assert await log.streams() == [A, B]
    assert [one.position for one in appended] == sorted({one.position for one in appended})
    assert await log.notifications(after=appended[0].position) == [
        (appended[1].position, B, 0, "request.made"),
        (appended[2].position, A, 1, "request.made"),
    ]


async def test_a_place_is_taken_once(log: EventLog) -> None:
    first = row(A, 0)
    done = await log.append(first)
    with pytest.raises(Conflict):
        await log.append(row(A, 0))
    assert await log.append(first) == done
    assert await log.read(A) == [first.envelope]


async def test_one_bad_row_does_not_spoil_its_group(log: EventLog) -> None:
    taken = row(A, 0)
    await log.append(taken)
    rows = [row(B, 0), row(A, 0), row(A, 1), taken, row(B, 1)]
    results = await asyncio.gather(*(log.append(one) for one in rows), return_exceptions=True)
    assert [isinstance(one, Conflict) for one in results] == [False, True, False, False, False]
    assert await log.read(A) == [taken.envelope, rows[2].envelope]
    assert await log.read(B) == [rows[0].envelope, rows[4].envelope]


async def test_many_writers_lose_and_double_nothing(log: EventLog) -> None:
    streams = [secrets.token_bytes(32) for _ in range(40)]

    async def write(stream: bytes) -> list[int]:
        return [(await log.append(row(stream, seq))).position for seq in range(30)]

    positions = await asyncio.gather(*(write(stream) for stream in streams))
    for stream, mine in zip(streams, positions, strict=True):
        assert mine == sorted(mine)
        assert len(await log.read(stream, limit=1000)) == 30
    every = [position for mine in positions for position in mine]
    assert len(set(every)) == len(every) == 1200
    told = await log.notifications(after=0, limit=10_000)
    assert [one[0] for one in told] == sorted(every)


async def test_a_row_without_hurry_keeps_its_place_and_shares_the_next_flush(log: EventLog) -> None:
    rows = [row(A, 0), row(A, 1), row(B, 0)]
    relaxed = log.enqueue(rows[0], hurried=False)
    await log.append(rows[1])
    assert relaxed.done()
    assert await log.read(A) == [rows[0].envelope, rows[1].envelope]
    alone = log.enqueue(rows[2], hurried=False)
    await asyncio.wait_for(alone, 5)
    assert await log.read(B) == [rows[2].envelope]


async def test_a_row_without_hurry_is_written_when_the_log_closes(tmp_path: Path) -> None:
    log = await EventLog.open(tmp_path / "closed.sqlite")
    late = row(A, 0)
    log.enqueue(late, hurried=False)
    await log.close()
    log = await EventLog.open(tmp_path / "closed.sqlite")
    assert await log.read(A) == [late.envelope]
    await log.close()


async def test_it_is_all_there_when_opened_again(tmp_path: Path) -> None:
    log = await EventLog.open(tmp_path / "events.sqlite")
    rows = [row(A, seq) for seq in range(5)]
    for one in rows:
        await log.append(one)
    await log.close()
    with pytest.raises(StorageUnavailable):
        await log.append(row(A, 5))
    again = await EventLog.open(tmp_path / "events.sqlite")
    assert await again.read(A) == [one.envelope for one in rows]
    await again.close()


async def test_a_database_that_is_none_says_so(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(StorageUnavailable):
        await EventLog.open(path)


async def test_a_database_that_is_locked_is_waited_for(log: EventLog, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "events.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(log.append(row(A, 0)))
    await asyncio.sleep(0.3)
    assert not writing.done()
    other.execute("ROLLBACK")
    assert (await writing).seq == 0
    other.close()


FULL = """
import asyncio, hashlib, os, resource, signal, sys
from pathlib import Path
from storage.errors import StorageFull
from storage.log import EventLog
from storage.rows import Row

async def main():
    log = await EventLog.open(Path(sys.argv[1]))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    seq = 0
    try:
        while seq < 1000:
            envelope = os.urandom(300)
            await log.append(Row(bytes(32), seq, "request.made", hashlib.sha256(envelope).digest(), envelope, os.urandom(60_000)))
            seq += 1
    except StorageFull as full:
        print("full", seq, full)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    envelope = os.urandom(300)
    await log.append(Row(bytes(32), seq, "request.made", hashlib.sha256(envelope).digest(), envelope))
    print("went on", len(await log.read(bytes(32), limit=5000)))
    await log.close()

asyncio.run(main())
"""


def test_a_full_disk_is_said_and_gone_over(tmp_path: Path) -> None:
    """No room (a limit on the size of files stands for it): nothing half-written, and on it goes when there is."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "events.sqlite")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    full, count = done.stdout.splitlines()
    assert full.startswith("full ")
    assert "nothing was stored" in full
    assert count == f"went on {int(full.split()[1]) + 1}"
