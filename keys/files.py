"""Sealing and opening whole files: chunks in parallel, memory bounded, the digest taken on the way."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self, TypeVar

from keys import sealing
from keys.errors import CannotOpen
from keys.sealing import CHUNK, LENGTH_SIZE, SEALED_CHUNK, ObjectKey

RUN = 32
WORKERS = 2
AHEAD = 4
FLUSH = 128 * 1024 * 1024

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing a file produced: SHA-256 and size in bytes of the ciphertext."""

    digest: bytes
    size: int


def write_sealed(
    key: ObjectKey, source: int, size: int, target: int, written: Callable[[int], None] = lambda _size: None
) -> Sealed:
    """Seal `size` bytes of one open file into another; returns the ciphertext's digest and size.

    `written` is told how many bytes of the target are there. Raises OSError if the file ends early: what is read
    must be what was announced.
    """
    padded = sealing.padded_size(size)
    chunks = sealing.chunk_count(padded)

    def seal_run(first: int) -> list[bytes]:
        numbers = range(first, min(first + RUN, chunks))
        return [
            key.seal_chunk(number, _padded_chunk(source, size, padded, number), last=number == chunks - 1)
            for number in numbers
        ]

    digest, total = hashlib.sha256(), 0
    with ThreadPoolExecutor(1) as hasher:
        hashing: Future[None] | None = None
        for run in _in_order(seal_run, range(0, chunks, RUN)):
            if hashing is not None:
                hashing.result()
            hashing = hasher.submit(_hash, digest, run)
            _write_all(target, run)
            total += sum(map(len, run))
            written(total)
    return Sealed(digest.digest(), total)


def _hash(digest: hashlib._Hash, run: list[bytes]) -> None:
    for chunk in run:
        digest.update(chunk)


class Flusher:
    """Flushes a growing file to disk beside the work on it, and wholly at the end; a failed flush is raised there."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._next = FLUSH
        self._pool = ThreadPoolExecutor(1)
        self._flushes: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown()
        if kind is None:
            for flush in self._flushes:
                flush.result()
            os.fsync(self._target)

    def passed(self, total: int) -> None:
        """Take note that the file has grown to `total` bytes."""
        if total >= self._next:
            self._next = total + FLUSH
            self._flushes.append(self._pool.submit(os.fdatasync, self._target))


def open_file(key: ObjectKey, blocks: Iterable[bytes], size: int, digest: bytes) -> Iterator[bytes]:
    """Yield the data of a sealed object of `size` bytes given as blocks of any length; raises CannotOpen.

    Every chunk is authenticated before its data is yielded; the digest, the end and the padding are known only
    after the last one, so the caller keeps what it wrote aside until this iterator is exhausted.
    """
    count = sealing.sealed_chunk_count(size)
    runs = _cut(_hashed(blocks, size, digest), RUN * SEALED_CHUNK)

    def open_run(numbered: tuple[int, bytes]) -> list[bytes]:
        number, run = numbered
        pieces = [run[i : i + SEALED_CHUNK] for i in range(0, len(run), SEALED_CHUNK)]
        numbers = range(number * RUN, number * RUN + len(pieces))
        return [key.open_chunk(n, piece, last=n == count - 1) for n, piece in zip(numbers, pieces, strict=True)]

    opened = (chunk for run in _in_order(open_run, enumerate(runs)) for chunk in run)
    return _unpadded(opened, size - count * (SEALED_CHUNK - CHUNK))


def _in_order(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Do the work on two threads (libsodium releases the GIL) and yield its results in order, a few ahead."""
    waiting: deque[Future[R]] = deque()
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


def _padded_chunk(source: int, size: int, padded: int, number: int) -> bytes:
    """One chunk of the padded plaintext of the file."""
    start, end = number * CHUNK, min((number + 1) * CHUNK, padded)
    head = size.to_bytes(LENGTH_SIZE, "big") if number == 0 else b""
    offset = max(start - LENGTH_SIZE, 0)
    data = _read_all(source, max(min(end - LENGTH_SIZE, size) - offset, 0), offset)
    # A chunk from the middle of the file is passed on as it was read.
    return data if len(data) == end - start else (head + data).ljust(end - start, b"\x00")


def _read_all(source: int, want: int, offset: int) -> bytes:
    data = os.pread(source, want, offset)
    while len(data) < want:
        more = os.pread(source, want - len(data), offset + len(data))
        if not more:
            raise OSError(f"the file ended early: {want - len(data)} bytes are missing")
        data += more
    return data


def _write_all(target: int, chunks: list[bytes]) -> None:
    done = os.writev(target, chunks)
    for chunk in chunks:
        view = memoryview(chunk)[done:]
        done = max(done - len(chunk), 0)
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


def _unpadded(chunks: Iterator[bytes], padded: int) -> Iterator[bytes]:
    """Strip length and padding from the opened chunks, checking both."""
    first = next(chunks, b"")
    size = int.from_bytes(first[:LENGTH_SIZE], "big")
    if len(first) < LENGTH_SIZE or sealing.padded_size(size) != padded:
        raise CannotOpen
    left = size
    chunk = first[LENGTH_SIZE:]
    while True:
        data, zeros = chunk[:left], chunk[left:]
        if zeros.strip(b"\x00"):
            raise CannotOpen
        left -= len(data)
        if data:
            yield data
        try:
            chunk = next(chunks)
        except StopIteration:
            break
    if left:
        raise CannotOpen
