"""What a client remembers between commands: verified envelopes, sealed bodies, folded states.

Nothing in it is plain: envelopes and bodies are what the server holds too, a folded state has no words in it, and
the fingerprints of opened documents are sealed by whoever keeps them here.
A stream's remembered state is authenticated with a key of this device, so that a changed file is noticed.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS envelopes (stream BLOB, seq INTEGER, envelope BLOB, PRIMARY KEY (stream, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bodies (stream BLOB, seq INTEGER, body BLOB, PRIMARY KEY (stream, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fingerprints (stream BLOB, event BLOB, object INTEGER, sealed BLOB,
    PRIMARY KEY (stream, event, object)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS states (stream BLOB PRIMARY KEY, seq INTEGER, head BLOB, state BLOB, mac BLOB);
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A stream as far as it was verified: number and hash of its newest event, and the folded state."""

    seq: int
    head: bytes
    state: bytes


class Cache:
    """The client's memory in one SQLite file."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._key = key
        self._db = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def remembered(self, stream: bytes) -> Remembered | None:
        """What was verified of a stream; None if nothing was, or if the memory was altered."""
        row = self._db.execute("SELECT seq, head, state, mac FROM states WHERE stream=?", (stream,)).fetchone()
        if row is None:
            return None
        found = Remembered(row[0], row[1], row[2])
        return found if hmac.compare_digest(self._mac(stream, found), row[3]) else None

    def remember(self, stream: bytes, new: Sequence[tuple[int, bytes]], state: Remembered) -> None:
        """Keep newly verified envelopes and the state after them, in one transaction."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT OR REPLACE INTO envelopes VALUES (?,?,?)", [(stream, seq, data) for seq, data in new]
            )
            self._db.execute(
                "INSERT OR REPLACE INTO states VALUES (?,?,?,?,?)",
                (stream, state.seq, state.head, state.state, self._mac(stream, state)),
            )

    def forget(self, stream: bytes) -> None:
        """Drop everything about a stream, to be fetched and verified anew."""
        with self._db:
            self._db.execute("BEGIN")
            for table in ("envelopes", "bodies", "fingerprints", "states"):
                self._db.execute(f"DELETE FROM {table} WHERE stream=?", (stream,))  # noqa: S608

    def envelopes(self, stream: bytes) -> Iterable[bytes]:
        """All remembered envelopes of a stream, in order."""
        rows = self._db.execute("SELECT envelope FROM envelopes WHERE stream=? ORDER BY seq", (stream,))
        return (row[0] for row in rows)

    def envelope(self, stream: bytes, seq: int) -> bytes | None:
        """One remembered envelope."""
        row = self._db.execute("SELECT envelope FROM envelopes WHERE stream=? AND seq=?", (stream, seq)).fetchone()
        return row[0] if row else None

    def body(self, stream: bytes, seq: int) -> bytes | None:
        """One remembered sealed body; the caller checks its digest."""
        row = self._db.execute("SELECT body FROM bodies WHERE stream=? AND seq=?", (stream, seq)).fetchone()
        return row[0] if row else None

    def keep_body(self, stream: bytes, seq: int, body: bytes) -> None:
        """Remember a sealed body."""
        self._db.execute("INSERT OR REPLACE INTO bodies VALUES (?,?,?)", (stream, seq, body))

    def fingerprint(self, stream: bytes, event: bytes, number: int) -> bytes | None:
        """The remembered, sealed fingerprint of one object of an event."""
        query = "SELECT sealed FROM fingerprints WHERE stream=? AND event=? AND object=?"
        row = self._db.execute(query, (stream, event, number)).fetchone()
        return row[0] if row else None

    def keep_fingerprint(self, stream: bytes, event: bytes, number: int, sealed: bytes) -> None:
        """Remember a sealed fingerprint."""
        self._db.execute("INSERT OR REPLACE INTO fingerprints VALUES (?,?,?,?)", (stream, event, number, sealed))

    def _mac(self, stream: bytes, known: Remembered) -> bytes:
        text = stream + known.seq.to_bytes(8, "big") + known.head + hashlib.sha256(known.state).digest()
        return hmac.digest(self._key, text, "sha256")
