"""The log's tree, kept as tiles (C2SP tlog-tiles): a projection of the events database in a file of its own.

Leaf number n is the n-th row of the events database, whatever gaps its positions have. What is lost here is made
again from there, to the same root: a crash needs no repair, and only a tree that knows rows the database lacks is
wrong.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from events import merkle
from events.entries import ENTRY_SIZE
from events.errors import NotProved
from events.merkle import HASH_SIZE, parents
from events.tiles import HEIGHT, WIDTH
from storage.errors import BlobMissing, Damaged, StorageUnavailable

CACHED_TILES = 4096
_TABLES = """
CREATE TABLE IF NOT EXISTS tiles
  (level INTEGER, number INTEGER, hashes BLOB, PRIMARY KEY (level, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bundles (number INTEGER PRIMARY KEY, first INTEGER, entries BLOB);
CREATE INDEX IF NOT EXISTS bundles_first ON bundles (first);
CREATE TABLE IF NOT EXISTS edge (only INTEGER PRIMARY KEY CHECK (only = 0), size INTEGER, position INTEGER);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, note BLOB);
"""


class Tree:
    """All tiles and entry bundles of one log. Not for several threads at once."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
            row = self._db.execute("SELECT size, position FROM edge").fetchone()
        except sqlite3.Error as error:
            raise StorageUnavailable(f"the log's tree cannot be opened: {error}") from None
        self.size: int = row[0] if row else 0
        self.position: int = row[1] if row else 0
        self._full_tile = lru_cache(CACHED_TILES)(self._read_tile)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def append(self, entries: Sequence[bytes], positions: Sequence[int]) -> None:
        """Add the entries of further rows, in one transaction; positions only ever rise."""
        if not entries:
            return
        if positions[0] <= self.position:
            raise Damaged(f"expected rows after position {self.position}, got {positions[0]}")
        size = self.size + len(entries)
        with self._db:
            self._db.execute("BEGIN")
            self._put_entries(entries, positions)
            sha = hashlib.sha256
            self._put_hashes([sha(b"\x00" + entry).digest() for entry in entries])
            self._db.execute("INSERT OR REPLACE INTO edge VALUES (0, ?, ?)", (size, positions[-1]))
        self.size, self.position = size, positions[-1]

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves, or of all."""
        return merkle.root(self.size if size is None else size, self.node)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf `index` is under the root of `size` leaves; raises NotProved."""
        self._check_size(size)
        return merkle.inclusion_proof(index, size, self.node)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree only grew; raises NotProved."""
        self._check_size(new)
        return merkle.consistency_proof(old, new, self.node)

    def index_of(self, position: int, entry: bytes) -> int:
        """The number of the leaf made from the row at a position; raises BlobMissing if it is not in the tree yet."""
        row = self._db.execute(
            "SELECT number, entries FROM bundles WHERE first<=? ORDER BY first DESC LIMIT 1", (position,)
        ).fetchone()
        found = [i for i in range(0, len(row[1]), ENTRY_SIZE) if row[1][i : i + ENTRY_SIZE] == entry] if row else []
        if not found or position > self.position:
            raise BlobMissing("this record is not in the log's tree yet")
        # The same record may stand there twice; whichever is proved proves it.
        return int(row[0]) * WIDTH + found[0] // ENTRY_SIZE

    def tile(self, level: int, number: int, width: int) -> bytes:
        """The first `width` hashes of a tile; raises BlobMissing."""
        return self._prefix(self._hashes(level, number), width * HASH_SIZE)

    def bundle(self, number: int, width: int) -> bytes:
        """The first `width` entries of a bundle, one after the other; raises BlobMissing."""
        row = self._db.execute("SELECT entries FROM bundles WHERE number=?", (number,)).fetchone()
        return self._prefix(row[0] if row else b"", width * ENTRY_SIZE)

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree of 2**level leaves that is number `index` on its level."""
        tile_level, above = divmod(level, HEIGHT)
        number, start = divmod(index << above, WIDTH)
        hashes = self._hashes(tile_level, number)
        row = [
            hashes[i : i + HASH_SIZE] for i in range(start * HASH_SIZE, (start + (1 << above)) * HASH_SIZE, HASH_SIZE)
        ]
        while len(row) > 1:
            row = parents(row)
        if not row or len(row[0]) != HASH_SIZE:
            raise Damaged("a tile of the log's tree is missing")
        return row[0]

    def note(self, name: str) -> bytes | None:
        """A kept note."""
        row = self._db.execute("SELECT note FROM notes WHERE name=?", (name,)).fetchone()
        return row[0] if row else None

    def keep_note(self, name: str, note: bytes) -> None:
        """Keep a note in place of the one before."""
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO notes VALUES (?,?)", (name, note))

    def last_entry(self) -> bytes | None:
        """The newest entry; None in an empty tree."""
        if not self.size:
            return None
        number, width = divmod(self.size - 1, WIDTH)
        return self.bundle(number, width + 1)[-ENTRY_SIZE:]

    # -- parts

    def _check_size(self, size: int) -> None:
        if size > self.size:
            raise NotProved(f"expected a size of at most {self.size}, got {size}")

    def _hashes(self, level: int, number: int) -> bytes:
        """The hashes of a tile; only tiles that can no longer change are kept in memory."""
        if (number + 1) << HEIGHT * (level + 1) <= self.size:
            return self._full_tile(level, number)
        return self._read_tile(level, number)

    def _read_tile(self, level: int, number: int) -> bytes:
        row = self._db.execute("SELECT hashes FROM tiles WHERE level=? AND number=?", (level, number)).fetchone()
        return row[0] if row else b""

    @staticmethod
    def _prefix(data: bytes, length: int) -> bytes:
        if not length or len(data) < length:
            raise BlobMissing("the log has no such tile, or not of this width")
        return data[:length]

    def _put_entries(self, entries: Sequence[bytes], positions: Sequence[int]) -> None:
        number, width = divmod(self.size, WIDTH)
        row = self._db.execute("SELECT first, entries FROM bundles WHERE number=?", (number,)).fetchone()
        first, before = row if row and width else (positions[0], b"")
        self._db.executemany(
            "INSERT OR REPLACE INTO bundles VALUES (?,?,?)", _bundles(number, first, before, entries, positions)
        )

    def _put_hashes(self, hashes: list[bytes]) -> None:
        """Extend the rightmost tiles level by level: a full tile gives the level above one hash."""
        level, size = 0, self.size
        while hashes:
            number, width = divmod(size, WIDTH)
            before = self._read_tile(level, number) if width else b""
            data = before + b"".join(hashes)
            tiles = [data[i : i + WIDTH * HASH_SIZE] for i in range(0, len(data), WIDTH * HASH_SIZE)]
            rows = ((level, number + i, tile) for i, tile in enumerate(tiles))
            self._db.executemany("INSERT OR REPLACE INTO tiles VALUES (?,?,?)", rows)
            hashes = [_root_of(tile) for tile in tiles if len(tile) == WIDTH * HASH_SIZE]
            level, size = level + 1, size >> HEIGHT


def _bundles(
    number: int, first: int, before: bytes, entries: Sequence[bytes], positions: Sequence[int]
) -> Iterable[tuple[int, int, bytes]]:
    """The bundles that further entries fill, each with the position of its first row."""
    room = WIDTH - len(before) // ENTRY_SIZE
    yield number, first, before + b"".join(entries[:room])
    for start in range(room, len(entries), WIDTH):
        number += 1
        yield number, positions[start], b"".join(entries[start : start + WIDTH])


def _root_of(hashes: bytes) -> bytes:
    """The root over a power of two of hashes."""
    row = [hashes[i : i + HASH_SIZE] for i in range(0, len(hashes), HASH_SIZE)]
    while len(row) > 1:
        row = parents(row)
    return row[0]
