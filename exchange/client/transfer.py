"""Files on their way: sealed into the spool and sent while they are sealed; received sealed, then opened."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from events.envelope import ObjectRef, object_context
from events.review import Slot
from exchange.client.errors import ClientError, DiskFull, Offline, ServerLied, ServerRefused
from exchange.client.journal import Journal, Spooled
from exchange.client.remote import Remote
from keys import files
from keys.epoch import EpochKey
from keys.errors import CannotOpen
from keys.files import Sealed
from keys.sealing import ObjectKey, SlotKey, new_salt, sealed_size

BLOCK = 1024 * 1024
ATTEMPTS = 8
BEGINNINGS = 3
Progress = Callable[[int, int], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of this machine that is to be sealed and sent."""

    path: Path
    size: int
    stamp: int

    @classmethod
    def of(cls, path: Path) -> Attachment:
        """Look at a file; raises ClientError if it is none."""
        try:
            facts = path.stat()
        except OSError as error:
            raise ClientError(f"{path} cannot be read: {error.strerror}; nothing was sent") from None
        if not path.is_file():
            raise ClientError(f"{path} is no file; nothing was sent")
        return cls(path, facts.st_size, facts.st_mtime_ns)


@dataclass(slots=True)
class _Growing:
    """A spool file that is still being written: how far, or why it ended."""

    written: int = 0
    failure: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file will stand in its event, and the key that only this sealing of it uses."""

    id: bytes
    salt: bytes
    key: ObjectKey
    circle: str
    epoch: int


def new_place(key: EpochKey, circle: str) -> Place:
    """A place of one's own in a circle's current epoch."""
    object_id, salt = secrets.token_bytes(16), new_salt()
    return Place(object_id, salt, ObjectKey.derive(key, object_context(object_id, 1), salt), circle, key.epoch)


def in_slot(slot: Slot, key: SlotKey, circle: str, epoch: int) -> Place:
    """A place made ready for a translator."""
    salt = new_salt()
    return Place(slot.id, salt, key.object(salt), circle, epoch)


async def seal_and_send(
    remote: Remote, journal: Journal, place: Place, source: Attachment, progress: Progress
) -> Spooled:
    """Seal a file into the spool, sending it at the same time; every byte is sealed once and only once."""
    name, total = secrets.token_hex(16), sealed_size(source.size)
    growing = _Growing()
    sealing = asyncio.create_task(asyncio.to_thread(_seal, journal, name, place.key, source, growing))
    try:
        sealed = await _send_whole(remote, journal.spooled(name), total, growing, sealing, progress)
    except BaseException:
        growing.failure = growing.failure or InterruptedError()
        await asyncio.gather(sealing, return_exceptions=True)
        raise
    return Spooled(
        name=name,
        id=place.id,
        salt=place.salt,
        commitment=place.key.commitment,
        digest=sealed.digest,
        size=total,
        circle=place.circle,
        epoch=place.epoch,
    )


async def _send_whole(
    remote: Remote, path: Path, total: int, growing: _Growing, sealing: asyncio.Task[Sealed], progress: Progress
) -> Sealed:
    """Send a file while it is sealed; if the server lost the upload, what is sealed is sent again from the spool."""
    for beginning in range(1, BEGINNINGS + 1):
        upload = await remote.begin_upload(total)
        try:
            await _send(remote, path, upload.id, total, growing, progress)
            sealed = await sealing
            await remote.finish_upload(upload.id, sealed.digest)
        except ServerRefused as error:
            if error.problem.code != "upload-gone" or beginning == BEGINNINGS:
                raise
        else:
            return sealed
    raise AssertionError("unreachable")


def reference(file: Spooled) -> ObjectRef:
    """How an event refers to a sealed file."""
    return ObjectRef(file.id, 1, file.salt, file.digest, file.size, file.commitment)


async def receive(
    remote: Remote, spool: Path, stream: bytes, event: bytes, index: int, ref: ObjectRef, progress: Progress
) -> Path:
    """Fetch a sealed file into the spool, going on where an earlier attempt stopped."""
    path = spool / f"{ref.digest.hex()}.sealed"
    have = path.stat().st_size if path.exists() else 0
    for attempt in range(ATTEMPTS):
        try:
            with path.open("ab") as file:
                async for block in remote.file(stream, event, index, have) if have < ref.size else _nothing():
                    _write(file.fileno(), block)
                    have += len(block)
                    if have > ref.size:
                        break
                    progress(have, ref.size)
        except Offline:
            if attempt + 1 == ATTEMPTS:
                raise
            await asyncio.sleep(0.1 * 2**attempt)
            continue
        if have >= ref.size:
            break
    if have != ref.size:
        path.unlink(missing_ok=True)
        raise ServerLied(11, f"the server's file has {have} bytes; its event says {ref.size}")
    return path


def opened(key: ObjectKey, sealed: Path, ref: ObjectRef, use: Callable[[Iterator[bytes]], T]) -> T:
    """Open a sealed file for `use`, which owes to keep nothing before the last piece is proved; raises CannotOpen."""
    try:
        return use(files.open_file(key, _blocks(sealed), ref.size, ref.digest))
    except CannotOpen:
        sealed.unlink(missing_ok=True)
        raise


def keep(pieces: Iterable[bytes], target: Path) -> None:
    """Write a file beside its target and move it there after the last piece; only its owner can read it."""
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=0), files.Flusher(descriptor) as flusher:
            written = 0
            for data in pieces:
                _write(descriptor, data)
                written += len(data)
                flusher.passed(written)
        part.replace(target)
    except OSError as error:
        raise _disk(error, target) from error
    finally:
        part.unlink(missing_ok=True)


def _seal(journal: Journal, name: str, key: ObjectKey, source: Attachment, growing: _Growing) -> Sealed:
    try:
        with source.path.open("rb") as plain:
            target = journal.open_spool(name)
            try:
                return files.write_sealed(key, plain.fileno(), source.size, target, _step(growing))
            finally:
                os.close(target)
    except OSError as error:
        growing.failure = _disk(error, source.path)
        raise growing.failure from error
    except BaseException as error:
        growing.failure = error
        raise


def _step(growing: _Growing) -> Callable[[int], None]:
    def step(written: int) -> None:
        if growing.failure is not None:
            raise InterruptedError
        growing.written = written

    return step


async def _send(remote: Remote, path: Path, upload: str, total: int, growing: _Growing, progress: Progress) -> None:
    """Send the spool file as it grows, asking how far it came whenever the line breaks."""
    offset = 0
    for attempt in range(ATTEMPTS):
        try:
            await remote.write(upload, offset, _grow(path, offset, total, growing, progress), total - offset)
            return
        except Offline:
            if attempt + 1 == ATTEMPTS or growing.failure is not None:
                raise growing.failure or Offline("the line broke too often") from None
            await asyncio.sleep(0.1 * 2**attempt)
            offset = (await remote.upload(upload)).offset


async def _grow(path: Path, start: int, total: int, growing: _Growing, progress: Progress) -> AsyncIterator[bytes]:
    """Blocks of a file that is still being written, as far as it is written."""
    while not growing.written and growing.failure is None:  # noqa: ASYNC110  (a thread writes it)
        await asyncio.sleep(0.001)
    if growing.failure is not None:
        raise growing.failure
    with path.open("rb") as file:
        file.seek(start)
        at = start
        while at < total:
            if growing.failure is not None:
                raise growing.failure
            ready = min(growing.written - at, BLOCK)
            if ready < BLOCK and growing.written < total:
                await asyncio.sleep(0.002)
                continue
            block = file.read(ready)
            at += len(block)
            yield block
            progress(at, total)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _write(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise _disk(error, None) from error


def _disk(error: OSError, path: Path | None) -> ClientError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull("this machine's disk is full; nothing was lost. Make room and repeat the command.")
    place = f" ({path.name})" if path else ""
    return ClientError(f"a file could not be read or written{place}: {error.strerror or error}")
