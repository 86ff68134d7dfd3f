"""Sealing and opening whole files: chunks in parallel, memory bounded, the digest taken on the way."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from keys import sealing
from keys.errors import CannotOpen
from keys.sealing import CHUNK, LENGTH_SIZE, SEALED_CHUNK, ObjectKey

RUN = 16
WORKERS = 2
AHEAD = 6

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing a file produced: SHA-256 and size in bytes of the ciphertext."""

    digest: bytes
    size: int


def seal_file(key: ObjectKey, source: int, size: int) -> Iterator[bytes]:
    """Yield the sealed object for `size` bytes of the open file descriptor `source`, about 1 MiB at a time.

    Raises OSError if the file ends early: what is read must be what was announced.
    """
    padded = sealing.padded_size(size)
    step = RUN * CHUNK

    def seal_run(start: int) -> bytes:
        end = min(start + step, padded)
        plain = _padded_slice(source, size, start, end)
        return key.seal_chunks(start // CHUNK, plain, last=end == padded)

    return _in_order(seal_run, range(0, padded, step))


def write_sealed(
    key: ObjectKey, source: int, size: int, target: int, written: Callable[[int], None] = lambda _size: None
) -> Sealed:
    """Seal a file into another open one, flushed to disk; returns the ciphertext's digest and size.

    `written` is told how many bytes of the target are there.
    """
    digest, total = hashlib.sha256(), 0
    for block in seal_file(key, source, size):
        _write_all(target, block)
        total += len(block)
        written(total)
        digest.update(block)
    os.fsync(target)
    return Sealed(digest.digest(), total)


def open_file(key: ObjectKey, blocks: Iterable[bytes], size: int, digest: bytes) -> Iterator[bytes]:
    """Yield the data of a sealed object of `size` bytes given as blocks of any length; raises CannotOpen.

    Every chunk is authenticated before its data is yielded; the digest, the end and the padding are known only
    after the last one, so the caller keeps what it wrote aside until this iterator is exhausted.
    """
    count = sealing.sealed_chunk_count(size)
    runs = _cut(_hashed(blocks, size, digest), RUN * SEALED_CHUNK)

    def open_run(numbered: tuple[int, bytes]) -> bytes:
        number, run = numbered
        first = number * RUN
        here = -(-len(run) // SEALED_CHUNK)
        return key.open_chunks(first, run, last=first + here == count)

    return _unpadded(_in_order(open_run, enumerate(runs)), size - count * (SEALED_CHUNK - CHUNK))


def _in_order(work: Callable[[T], bytes], items: Iterable[T]) -> Iterator[bytes]:
    """Do the work on two threads (libsodium releases the GIL) and yield its results in order, a few ahead."""
    waiting: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _padded_slice(source: int, size: int, start: int, end: int) -> bytes:
    """The bytes [start, end) of the padded plaintext of the file."""
    head = size.to_bytes(LENGTH_SIZE, "big") if start == 0 else b""
    offset = max(start - LENGTH_SIZE, 0)
    want = max(min(end - LENGTH_SIZE, size) - offset, 0)
    data = os.pread(source, want, offset)
    while len(data) < want:
        more = os.pread(source, want - len(data), offset + len(data))
        if not more:
            raise OSError(f"the file ended early: expected {size} bytes, got {offset + len(data)}")
        data += more
    return (head + data).ljust(end - start, b"\x00")


def _write_all(target: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(target, view) :]


def _hashed(blocks: Iterable[bytes], size: int, digest: bytes) -> Iterator[bytes]:
    """Pass blocks through and fail at the end unless size and digest are the announced ones."""
    seen, got = hashlib.sha256(), 0
    for block in blocks:
        got += len(block)
        if got > size:
            raise CannotOpen
        seen.update(block)
        yield block
    if got != size or seen.digest() != digest:
        raise CannotOpen


def _cut(blocks: Iterable[bytes], length: int) -> Iterator[bytes]:
    """Re-cut a byte stream into runs of `length`, the last one shorter."""
    rest = bytearray()
    for block in blocks:
        rest += block
        while len(rest) >= length:
            yield bytes(rest[:length])
            del rest[:length]
    if rest:
        yield bytes(rest)


def _unpadded(runs: Iterator[bytes], padded: int) -> Iterator[bytes]:
    """Strip length and padding from the opened runs, checking both."""
    first = next(runs, b"")
    size = int.from_bytes(first[:LENGTH_SIZE], "big")
    if len(first) < LENGTH_SIZE or sealing.padded_size(size) != padded:
        raise CannotOpen
    left = size
    run = first[LENGTH_SIZE:]
    while True:
        data, zeros = run[:left], run[left:]
        if zeros.strip(b"\x00"):
            raise CannotOpen
        left -= len(data)
        if data:
            yield data
        try:
            run = next(runs)
        except StopIteration:
            break
    if left:
        raise CannotOpen
