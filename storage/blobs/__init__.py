"""Sealed files by the SHA-256 of their ciphertext: what every store promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A sealed file that is stored: SHA-256 (32 bytes) and size in bytes."""

    sha256: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store really does, so that nobody has to guess."""

    create_once: bool
    retention_lock: bool


class BlobStore(Protocol):
    """Keeps sealed files; a name is never written twice with different bytes."""

    async def put(self, chunks: AsyncIterator[bytes], max_size: int) -> BlobRef:
        """Store a stream of bytes under its digest; raises TooLarge, StorageFull."""
        ...

    async def adopt(self, path: Path, ref: BlobRef) -> None:
        """Take over a finished, flushed file whose digest was verified; storing it again is harmless."""
        ...

    def open(self, ref: BlobRef, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes [start, end) in bounded pieces; raises BlobMissing, Damaged."""
        ...

    async def stat(self, sha256: bytes) -> BlobRef | None:
        """The stored file of this digest, or None."""
        ...

    async def delete(self, sha256: bytes) -> None:
        """Remove a file; removing what is not there is harmless."""
        ...

    def list(self) -> AsyncIterator[BlobRef]:
        """All stored files."""
        ...

    def capabilities(self) -> Capabilities:
        """What this store really does."""
        ...

    async def health(self) -> None:
        """Return if the store answers; raises StorageUnavailable."""
        ...
