"""Uploads: announced, sent in pieces, resumed after a break, stored only when whole and of the announced digest.

An upload lives in a spool directory as `<id>` (the bytes so far) and `<id>.json` (owner, size, beginning), so it
survives a restart: its offset is the size of its file. Offsets given to a client are what is written; only
`finish` promises that it is flushed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from storage.blobs import BlobRef, BlobStore
from storage.disk import storage_error, write_all
from storage.errors import DigestMismatch, OffsetMismatch, TooLarge, TooManyUploads, UploadBusy, UploadGone

LIFETIME_S = 7 * 24 * 3600
PIECE = 1024 * 1024
MANY = 512
FLUSH = 64 * 1024 * 1024
REREAD = 4 * 1024 * 1024


class _Facts(msgspec.Struct, frozen=True):
    owner: str
    size: int
    begun: float
    done: str = ""


@dataclass(slots=True)
class _Open:
    """An upload this process works on: the running digest and how far it covers the file."""

    digest: Any
    hashed: int
    busy: bool = False


class _Work:
    """Hashing and writing of one piece, and flushing of those before, while the next piece is received."""

    def __init__(self, hashers: Executor, writers: Executor, descriptor: int, state: _Open) -> None:
        self._hashers = hashers
        self._writers = writers
        self._descriptor = descriptor
        self._state = state
        self._now: list[asyncio.Future[None]] = []
        self._flushes: list[asyncio.Future[None]] = []
        self._unflushed = 0

    async def next(self, piece: list[bytes], size: int) -> None:
        """Begin with a piece when the one before is done; raises OSError."""
        await self._finish(self._now)
        loop = asyncio.get_running_loop()
        self._now = [
            loop.run_in_executor(self._hashers, _hash, self._state, piece, size),
            loop.run_in_executor(self._writers, _write, self._descriptor, piece),
        ]
        self._unflushed += size
        if self._unflushed >= FLUSH:
            self._unflushed = 0
            self._flushes.append(loop.run_in_executor(self._writers, os.fdatasync, self._descriptor))

    async def done(self) -> None:
        """Return when everything begun is done; raises OSError."""
        await self._finish([*self._now, *self._flushes])

    async def settled(self) -> bool:
        """Wait until no thread works any more; returns whether all went well."""
        begun = [*self._now, *self._flushes]
        if begun:
            await asyncio.wait(begun)
        return not any(future.cancelled() or future.exception() for future in begun)

    @staticmethod
    async def _finish(futures: list[asyncio.Future[None]]) -> None:
        if futures:
            await asyncio.shield(asyncio.gather(*futures))


def _hash(state: _Open, piece: list[bytes], size: int) -> None:
    for chunk in piece:
        state.digest.update(chunk)
    state.hashed += size


def _write(descriptor: int, piece: list[bytes]) -> None:
    done = os.writev(descriptor, piece)
    for chunk in piece:
        write_all(descriptor, memoryview(chunk)[done:])
        done = max(done - len(chunk), 0)


class Uploads:
    """The uploads under way."""

    def __init__(
        self, directory: Path, store: BlobStore, *, max_size: int, max_pending: int = 64, lifetime_s: float = LIFETIME_S
    ) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._store = store
        self._max_size = max_size
        self._max_pending = max_pending
        self._lifetime = lifetime_s
        self._open: dict[str, _Open] = {}
        self._hashers = ThreadPoolExecutor(2, "upload-hash")
        self._writers = ThreadPoolExecutor(4, "upload-write")

    async def begin(self, owner: bytes, size: int, now: float) -> str:
        """Announce an upload of `size` bytes; returns its id. Raises TooLarge, TooManyUploads, StorageFull."""
        if size > self._max_size:
            raise TooLarge(f"at most {self._max_size} bytes", size)
        mine = [facts for _, facts in self._all() if facts.owner == owner.hex() and not facts.done]
        if len(mine) >= self._max_pending:
            raise TooManyUploads(f"at most {self._max_pending} uploads under way for one person")
        name = secrets.token_hex(16)
        try:
            self._keep(name, _Facts(owner.hex(), size, now))
            os.close(os.open(self._path(name), os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, 0o600))
        except OSError as error:
            self._remove(name)
            raise storage_error(error) from None
        self._open[name] = _Open(hashlib.sha256(), 0)
        return name

    async def offset(self, owner: bytes, name: str) -> tuple[int, int]:
        """How many bytes are there, and how many there will be; raises UploadGone."""
        facts = self._facts(owner, name)
        if facts.done:
            return facts.size, facts.size
        return self._path(name).stat().st_size, facts.size

    async def write(self, owner: bytes, name: str, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Append pieces from an offset on; returns the new offset. What arrived before a break is kept.

        Raises UploadGone, UploadBusy, OffsetMismatch, TooLarge, StorageFull.
        """
        facts = self._facts(owner, name)
        have, _ = await self.offset(owner, name)
        if offset != have:
            raise OffsetMismatch(have, offset)
        state = self._open.setdefault(name, _Open(hashlib.sha256(), 0))
        if state.busy:
            raise UploadBusy("another connection is sending this file")
        state.busy = True
        try:
            await self._catch_up(name, state)
            return await self._append(name, facts, state, have, chunks)
        finally:
            state.busy = False

    async def finish(self, owner: bytes, name: str, sha256: bytes) -> BlobRef:
        """Store the file if it is whole and has this digest; repeating is harmless.

        Raises UploadGone, UploadBusy, OffsetMismatch, StorageFull, and DigestMismatch after discarding the upload.
        """
        facts = self._facts(owner, name)
        if facts.done:
            return self._finished(facts, sha256)
        have, _ = await self.offset(owner, name)
        if have != facts.size:
            raise OffsetMismatch(facts.size, have)
        state = self._open.setdefault(name, _Open(hashlib.sha256(), 0))
        if state.busy:
            raise UploadBusy("another connection is sending this file")
        await self._catch_up(name, state)
        if state.digest.digest() != sha256:
            self._remove(name)
            raise DigestMismatch(sha256.hex(), state.digest.hexdigest())
        ref = BlobRef(sha256, facts.size)
        try:
            await asyncio.get_running_loop().run_in_executor(self._writers, self._flush, name)
            await self._store.adopt(self._path(name), ref)
            self._keep(name, msgspec.structs.replace(facts, done=sha256.hex()))
        except OSError as error:
            raise storage_error(error) from None
        self._path(name).unlink(missing_ok=True)
        self._open.pop(name, None)
        return ref

    async def abandon(self, owner: bytes, name: str) -> None:
        """Discard an upload; raises UploadGone."""
        self._facts(owner, name)
        self._remove(name)

    async def sweep(self, now: float) -> int:
        """Discard uploads older than their lifetime; returns how many."""
        old = [name for name, facts in self._all() if facts.begun + self._lifetime < now]
        for name in old:
            if not (name in self._open and self._open[name].busy):
                self._remove(name)
        return len(old)

    def close(self) -> None:
        """End the threads."""
        self._hashers.shutdown()
        self._writers.shutdown()

    async def _append(self, name: str, facts: _Facts, state: _Open, have: int, chunks: AsyncIterator[bytes]) -> int:
        descriptor = os.open(self._path(name), os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        work = _Work(self._hashers, self._writers, descriptor, state)
        try:
            async for piece in _pieces(chunks):
                size = sum(map(len, piece))
                if have + size > facts.size:
                    raise TooLarge(f"{facts.size} bytes as announced", have + size)
                await work.next(piece, size)
                have += size
            await work.done()
        except (ConnectionError, TimeoutError):
            await work.done()
            raise
        except OSError as error:
            raise storage_error(error) from None
        finally:
            if not await work.settled():
                # What is on disk may be shorter than what was hashed: count again from the file.
                self._open.pop(name, None)
            os.close(descriptor)
        return have

    async def _catch_up(self, name: str, state: _Open) -> None:
        """After a restart the digest is computed again from what is there."""
        have = self._path(name).stat().st_size
        if state.hashed == have:
            return
        state.digest, state.hashed = hashlib.sha256(), 0
        await asyncio.get_running_loop().run_in_executor(self._hashers, self._rehash, name, state)

    def _rehash(self, name: str, state: _Open) -> None:
        with self._path(name).open("rb") as file:
            while block := file.read(REREAD):
                state.digest.update(block)
                state.hashed += len(block)

    def _flush(self, name: str) -> None:
        descriptor = os.open(self._path(name), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @staticmethod
    def _finished(facts: _Facts, sha256: bytes) -> BlobRef:
        if facts.done != sha256.hex():
            raise DigestMismatch(sha256.hex(), facts.done)
        return BlobRef(sha256, facts.size)

    def _facts(self, owner: bytes, name: str) -> _Facts:
        """The facts of one's own upload; an unknown one and another's look the same."""
        facts = self._read_facts(name) if len(name) == 32 and name.isalnum() else None
        if facts is None or facts.owner != owner.hex():
            raise UploadGone("there is no such upload")
        if not facts.done and not self._path(name).exists():
            raise UploadGone("there is no such upload")
        return facts

    def _keep(self, name: str, facts: _Facts) -> None:
        """Replace the facts as a whole: a crash in between leaves the old ones."""
        new = self._directory / f"{name}.new"
        new.write_bytes(msgspec.json.encode(facts))
        new.replace(self._facts_path(name))

    def _read_facts(self, name: str) -> _Facts | None:
        try:
            return msgspec.json.decode(self._facts_path(name).read_bytes(), type=_Facts)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _all(self) -> list[tuple[str, _Facts]]:
        found = [(path.stem, self._read_facts(path.stem)) for path in self._directory.glob("*.json")]
        return [(name, facts) for name, facts in found if facts is not None]

    def _remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)
        self._facts_path(name).unlink(missing_ok=True)
        self._open.pop(name, None)

    def _path(self, name: str) -> Path:
        return self._directory / name

    def _facts_path(self, name: str) -> Path:
        return self._directory / f"{name}.json"


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Gather small chunks into pieces worth a thread's while; a break still yields what came before it."""
    held: list[bytes] = []
    size = 0
    try:
        async for chunk in chunks:
            held.append(chunk)
            size += len(chunk)
            if size >= PIECE or len(held) >= MANY:
                yield held
                held, size = [], 0
    except (ConnectionError, TimeoutError):
        if held:
            yield held
        raise
    if held:
        yield held
