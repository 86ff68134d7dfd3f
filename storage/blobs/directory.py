"""Sealed files in a directory: written aside, flushed, linked to their name, never written again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from storage.blobs import BlobRef, Capabilities
from storage.disk import flush_directory, storage_error, write_all
from storage.errors import BlobMissing, Damaged, StorageUnavailable, TooLarge

BLOCK = 1024 * 1024


class DirectoryStore:
    """`aa/bb/<sha256>` under one root; `tmp/` holds what is being written."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._temporary = root / "tmp"
        self._temporary.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def put(self, chunks: AsyncIterator[bytes], max_size: int) -> BlobRef:
        """Store a stream of bytes under its digest; raises TooLarge, StorageFull."""
        path = self._temporary / secrets.token_hex(16)
        digest, size = hashlib.sha256(), 0
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > max_size:
                        raise TooLarge(f"at most {max_size} bytes", size)
                    digest.update(chunk)
                    await asyncio.to_thread(write_all, file.fileno(), chunk)
                await asyncio.to_thread(os.fsync, file.fileno())
            ref = BlobRef(digest.digest(), size)
            await self.adopt(path, ref)
        except OSError as error:
            raise storage_error(error) from None
        finally:
            path.unlink(missing_ok=True)
        return ref

    async def adopt(self, path: Path, ref: BlobRef) -> None:
        """Take over a finished, flushed file whose digest was verified; storing it again is harmless."""
        try:
            await asyncio.to_thread(self._link, path, ref)
        except OSError as error:
            raise storage_error(error) from None

    async def open(self, ref: BlobRef, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes [start, end) in bounded pieces; raises BlobMissing, Damaged."""
        try:
            file = self._path(ref.sha256).open("rb", buffering=0)
        except FileNotFoundError:
            raise BlobMissing(f"there is no file {ref.sha256.hex()[:16]}") from None
        with file:
            if os.fstat(file.fileno()).st_size != ref.size:
                raise Damaged(f"the file {ref.sha256.hex()[:16]} has another size than it had")
            at, stop = start, ref.size if end is None else min(end, ref.size)
            while at < stop:
                block = await asyncio.to_thread(os.pread, file.fileno(), min(BLOCK, stop - at), at)
                if not block:
                    raise Damaged(f"the file {ref.sha256.hex()[:16]} ended early")
                at += len(block)
                yield block

    async def stat(self, sha256: bytes) -> BlobRef | None:
        """The stored file of this digest, or None."""
        try:
            return BlobRef(sha256, self._path(sha256).stat().st_size)
        except FileNotFoundError:
            return None

    async def delete(self, sha256: bytes) -> None:
        """Remove a file; removing what is not there is harmless."""
        await asyncio.to_thread(self._path(sha256).unlink, missing_ok=True)

    async def list(self) -> AsyncIterator[BlobRef]:
        """All stored files."""
        for path in await asyncio.to_thread(lambda: sorted(self._root.glob("??/??/*"))):
            yield BlobRef(bytes.fromhex(path.name), path.stat().st_size)

    def capabilities(self) -> Capabilities:
        """Links are create-once; an operator with a shell can still delete."""
        return Capabilities(create_once=True, retention_lock=False)

    async def health(self) -> None:
        """Return if the directory can be written; raises StorageUnavailable."""
        if not os.access(self._temporary, os.W_OK):
            raise StorageUnavailable("the directory of sealed files cannot be written")

    def _path(self, sha256: bytes) -> Path:
        name = sha256.hex()
        return self._root / name[:2] / name[2:4] / name

    def _link(self, path: Path, ref: BlobRef) -> None:
        target = self._path(ref.sha256)
        for parent in (target.parent.parent, target.parent):
            if not parent.exists():
                parent.mkdir(mode=0o700, exist_ok=True)
                # A new directory is lost with the power unless its parent is flushed too.
                flush_directory(parent.parent)
        path.chmod(0o400)
        try:
            os.link(path, target)
        except FileExistsError:
            return
        flush_directory(target.parent)
