"""Sealed files: stored once under their digest, whole or not at all; uploads resumed, bounded, their owner's."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.blobs import BlobRef
from storage.blobs.directory import DirectoryStore
from storage.errors import (
    BlobMissing,
    Damaged,
    DigestMismatch,
    OffsetMismatch,
    StorageUnavailable,
    TooLarge,
    TooManyUploads,
    UploadBusy,
    UploadGone,
)
from storage.uploads import Uploads

ME, OTHER = bytes([1] * 32), bytes([2] * 32)
DATA = secrets.token_bytes(3_000_000)
DIGEST = hashlib.sha256(DATA).digest()


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


async def whole(store: DirectoryStore, ref: BlobRef, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([block async for block in store.open(ref, start, end)])


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "files")


@pytest.fixture
def uploads(tmp_path: Path, store: DirectoryStore) -> Uploads:
    return Uploads(tmp_path / "uploads", store, max_size=10_000_000, max_pending=3, lifetime_s=100)


# -- the store


async def test_put_open_stat_list_delete(store: DirectoryStore) -> None:
    ref = await store.put(pieces(DATA[:1000], DATA[1000:]), 10_000_000)
    assert ref == BlobRef(DIGEST, len(DATA))
    assert await whole(store, ref) == DATA
    assert await whole(store, ref, 5, 2_000_005) == DATA[5:2_000_005]
    assert await store.stat(DIGEST) == ref
    assert [found async for found in store.list()] == [ref]
    assert await store.put(pieces(DATA), 10_000_000) == ref
    await store.delete(DIGEST)
    await store.delete(DIGEST)
    assert await store.stat(DIGEST) is None
    with pytest.raises(BlobMissing):
        await whole(store, ref)


async def test_too_much_leaves_nothing(store: DirectoryStore, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        await store.put(pieces(DATA), 1000)
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


async def test_a_broken_stream_leaves_nothing(store: DirectoryStore, tmp_path: Path) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield DATA
        raise ConnectionResetError

    with pytest.raises((ConnectionResetError, StorageUnavailable)):
        await store.put(breaking(), 10_000_000)
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


async def test_a_stored_file_is_not_writable_and_a_cut_one_is_noticed(store: DirectoryStore, tmp_path: Path) -> None:
    ref = await store.put(pieces(DATA), 10_000_000)
    path = next(path for path in (tmp_path / "files").rglob("*") if path.is_file())
    assert path.stat().st_mode & 0o222 == 0
    path.chmod(0o600)
    os.truncate(path, 100)
    with pytest.raises(Damaged):
        await whole(store, ref)


async def test_health(store: DirectoryStore, tmp_path: Path) -> None:
    await store.health()
    (tmp_path / "files" / "tmp").rmdir()
    with pytest.raises(StorageUnavailable):
        await store.health()


# -- uploads


async def test_an_upload_in_pieces_across_a_restart(uploads: Uploads, store: DirectoryStore, tmp_path: Path) -> None:
    name = await uploads.begin(ME, len(DATA), 0)
    assert await uploads.write(ME, name, 0, pieces(DATA[:7], DATA[7:1_500_000])) == 1_500_000
    again = Uploads(tmp_path / "uploads", store, max_size=10_000_000)
    assert await again.offset(ME, name) == (1_500_000, len(DATA))
    await again.write(ME, name, 1_500_000, pieces(DATA[1_500_000:]))
    ref = await again.finish(ME, name, DIGEST)
    assert await whole(store, ref) == DATA
    assert await again.finish(ME, name, DIGEST) == ref
    assert await again.offset(ME, name) == (len(DATA), len(DATA))


async def test_what_came_before_a_break_is_kept(uploads: Uploads) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield DATA[:2_000_000]
        raise ConnectionResetError

    name = await uploads.begin(ME, len(DATA), 0)
    with pytest.raises(ConnectionResetError):
        await uploads.write(ME, name, 0, breaking())
    assert (await uploads.offset(ME, name))[0] == 2_000_000
    await uploads.write(ME, name, 2_000_000, pieces(DATA[2_000_000:]))
    assert (await uploads.finish(ME, name, DIGEST)).size == len(DATA)


async def test_thousands_of_tiny_pieces(uploads: Uploads) -> None:
    name = await uploads.begin(ME, 5000, 0)
    await uploads.write(ME, name, 0, pieces(*(DATA[i : i + 1] for i in range(5000))))
    assert (await uploads.finish(ME, name, hashlib.sha256(DATA[:5000]).digest())).size == 5000


async def test_more_than_announced_is_refused(uploads: Uploads) -> None:
    name = await uploads.begin(ME, 100, 0)
    with pytest.raises(TooLarge):
        await uploads.write(ME, name, 0, pieces(DATA[:101]))


async def test_an_unfinished_or_wrong_upload_is_not_stored(uploads: Uploads, store: DirectoryStore) -> None:
    name = await uploads.begin(ME, len(DATA), 0)
    await uploads.write(ME, name, 0, pieces(DATA[:-1]))
    with pytest.raises(OffsetMismatch):
        await uploads.finish(ME, name, DIGEST)
    await uploads.write(ME, name, len(DATA) - 1, pieces(b"x"))
    with pytest.raises(DigestMismatch):
        await uploads.finish(ME, name, DIGEST)
    with pytest.raises(UploadGone):
        await uploads.offset(ME, name)
    assert await store.stat(DIGEST) is None


async def test_an_upload_is_its_owners(uploads: Uploads) -> None:
    name = await uploads.begin(ME, 100, 0)
    for call in (uploads.offset(OTHER, name), uploads.abandon(OTHER, name), uploads.finish(OTHER, name, DIGEST)):
        with pytest.raises(UploadGone):
            await call
    for strange in ("../../etc/passwd", "x" * 32, "", "0" * 31):
        with pytest.raises(UploadGone):
            await uploads.offset(ME, strange)


async def test_one_connection_at_a_time(uploads: Uploads) -> None:
    name = await uploads.begin(ME, len(DATA), 0)

    async def meddling() -> AsyncIterator[bytes]:
        yield DATA[:1_000_000]
        with pytest.raises(UploadBusy):
            await uploads.write(ME, name, (await uploads.offset(ME, name))[0], pieces(b"x"))
        yield DATA[1_000_000:]

    await uploads.write(ME, name, 0, meddling())
    assert (await uploads.finish(ME, name, DIGEST)).size == len(DATA)


async def test_limits_and_sweeping(uploads: Uploads) -> None:
    with pytest.raises(TooLarge):
        await uploads.begin(ME, 10_000_001, 0)
    names = [await uploads.begin(ME, 100, 0) for _ in range(3)]
    with pytest.raises(TooManyUploads):
        await uploads.begin(ME, 100, 0)
    await uploads.begin(OTHER, 100, 50)
    assert await uploads.sweep(99) == 0
    assert await uploads.sweep(120) == 3
    with pytest.raises(UploadGone):
        await uploads.offset(ME, names[0])


FULL = """
import asyncio, hashlib, os, resource, signal, sys
from pathlib import Path
from storage.blobs.directory import DirectoryStore
from storage.errors import StorageFull
from storage.uploads import Uploads

async def pieces(data):
    for i in range(0, len(data), 65536):
        yield data[i : i + 65536]

async def main():
    root = Path(sys.argv[1])
    store = DirectoryStore(root / "files")
    uploads = Uploads(root / "uploads", store, max_size=10**8)
    data, me = os.urandom(6_000_000), bytes(32)
    name = await uploads.begin(me, len(data), 0)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, resource.RLIM_INFINITY))
    try:
        await uploads.write(me, name, 0, pieces(data))
    except StorageFull as full:
        print("full", full)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    have, _ = await uploads.offset(me, name)
    await uploads.write(me, name, have, pieces(data[have:]))
    ref = await uploads.finish(me, name, hashlib.sha256(data).digest())
    print("went on from", have, ref.size)
    uploads.close()

asyncio.run(main())
"""


def test_a_full_disk_is_said_and_the_upload_goes_on_where_it_was(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("full the disk is full")
    assert "went on from 2500000 6000000" in done.stdout


@pytest.mark.parametrize("cut", [0, 10])
async def test_a_crash_while_finishing_loses_no_upload(uploads: Uploads, tmp_path: Path, cut: int) -> None:
    """The note that an upload is done is replaced as a whole: half of a new one is never taken for it."""
    name = await uploads.begin(ME, len(DATA), 0)
    await uploads.write(ME, name, 0, pieces(DATA))
    (tmp_path / "uploads" / f"{name}.new").write_bytes(b'{"owner":"'[:cut])
    again = Uploads(tmp_path / "uploads", DirectoryStore(tmp_path / "files"), max_size=10_000_000)
    assert (await again.finish(ME, name, DIGEST)).size == len(DATA)
