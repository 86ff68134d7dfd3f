"""What a witness has cosigned: the last checkpoint of each log, on disk before anybody is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from events.checkpoint import Head
from events.notes import Note
from exchange.witness.errors import BookUnavailable
from storage.disk import flush_directory

WAIT_S = 10.0
TABLE = "CREATE TABLE IF NOT EXISTS cosigned (origin TEXT PRIMARY KEY, note BLOB NOT NULL, time INTEGER NOT NULL)"
SELECT = "SELECT note, time FROM cosigned WHERE origin = ?"
UPSERT = (
    "INSERT INTO cosigned (origin, note, time) VALUES (?, ?, ?) "
    "ON CONFLICT (origin) DO UPDATE SET note = excluded.note, time = excluded.time"
)


@dataclass(frozen=True, slots=True)
class Last:
    """The last checkpoint cosigned of a log, and the time (seconds) that was signed with it."""

    note: Note
    time: int

    @property
    def head(self) -> Head:
        """What was cosigned."""
        return Head.parse(self.note.text)


class Book:
    """One SQLite file; every step is decided and written in one transaction, flushed before it returns."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(TABLE)
        # A new file that a power cut took away would be a book without memory.
        flush_directory(path.parent)

    def last(self, origin: str) -> Last | None:
        """The last checkpoint cosigned of a log, None if there is none."""
        row = self._connection.execute(SELECT, (origin,)).fetchone()
        return None if row is None else Last(Note.parse(row[0]), row[1])

    def step(self, origin: str, decide: Callable[[Last | None], Last]) -> Last:
        """Replace the last checkpoint of a log by what `decide` makes of it; whatever it raises changes nothing."""
        try:
            # Immediate: between reading and writing nobody else, of this process or another, can step in.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                new = decide(self.last(origin))
                self._connection.execute(UPSERT, (origin, new.note.encode(), new.time))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise BookUnavailable(f"the book does not answer: {type(error).__name__}") from None
        return new

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
