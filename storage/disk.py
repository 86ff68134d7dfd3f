"""Small truths about disks: short writes, directory flushes, and what an errno means here."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from storage.errors import StorageError, StorageFull, StorageUnavailable

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of it; a single write may be short."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def flush_directory(path: Path) -> None:
    """Flush a directory's entries to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_error(error: OSError) -> StorageError:
    """What a failed file operation means."""
    if error.errno in FULL:
        return StorageFull("the disk is full; nothing was half-written")
    return StorageUnavailable(f"the disk does not answer: {error.strerror}")
