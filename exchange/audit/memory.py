"""What an auditor remembers between audits: how far the log was walked, and every stream's state there.

One SQLite file. An authenticated head holds the digests of all other rows, so that an altered one is noticed when it
is used; envelopes are their own proof. An audit is one transaction: interrupted, it leaves the memory as it was.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from exchange.audit.finding import Finding

FORMAT = 1
RUN = 64
T = TypeVar("T")
_TABLES = """
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), data BLOB, mac BLOB);
CREATE TABLE IF NOT EXISTS summaries (stream BLOB PRIMARY KEY, data BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS details (stream BLOB PRIMARY KEY, data BLOB);
CREATE TABLE IF NOT EXISTS envelopes (stream BLOB, first INTEGER, run BLOB, PRIMARY KEY (stream, first));
"""


class Altered(Exception):
    """The memory is not what this device wrote."""


class Summary(msgspec.Struct):
    """A stream in short: how far its lists were taken in, what was counted, why it is judged no further.

    `light` is the folded review without what grows; its timetable can be asked for at any time.
    """

    events: int = 0
    accesses: int = 0
    admitted: int = 0
    statements: int = 0
    completions: int = 0
    unfinished: int = 0
    broken: str = ""
    light: bytes = b""
    remarks: tuple[Finding, ...] = ()


class Detail(msgspec.Struct):
    """A stream in full: the folded review, and its statements, by their ids, with the most bytes each can bring.

    `state` may be of an earlier event than the newest, whose hash is `head`: what follows it is folded again.
    """

    state: bytes = b""
    head: bytes = b""
    open: dict[bytes, int] = {}
    done: list[bytes] = []


class Head(msgspec.Struct):
    """How far the log was walked, by whom it was seen how far, what was found; `rows` are the digests of the rest.

    `note` is the checkpoint that ended the walk.
    """

    size: int = 0
    note: bytes = b""
    peaks: tuple[bytes, ...] = ()
    time: int = 0
    seen: dict[bytes, int] = {}
    findings: tuple[Finding, ...] = ()
    unsaid: int = 0
    rows: dict[bytes, tuple[bytes, bytes]] = {}


class Memory:
    """The file; `path` may be `:memory:`. One audit at a time."""

    def __init__(self, path: Path | str, key: bytes) -> None:
        self._key = key
        # Folding has a thread of its own; only one of them is at work at any time.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        if isinstance(path, Path):
            path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)
        self.head = Head()

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._db.close()

    def begin(self) -> None:
        """Begin an audit; raises Altered if the memory is not one's own."""
        self._db.execute("BEGIN IMMEDIATE")
        self.head = self._read_head()

    def forget(self) -> None:
        """Go on as if nothing were remembered."""
        for table in ("head", "summaries", "details", "envelopes"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608
        self.head = Head()

    def abandon(self) -> None:
        """End an audit and leave the memory as it was."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def commit(self, head: Head, summaries: Mapping[bytes, Summary], details: Mapping[bytes, Detail]) -> None:
        """End an audit and remember it; `summaries` and `details` are those that changed."""
        rows = dict(self.head.rows)
        for stream, summary in summaries.items():
            short, long = _encode(summary), _encode(details[stream]) if stream in details else None
            _, before = rows.get(stream, (b"", b""))
            rows[stream] = (_digest(short), before if long is None else _digest(long))
            self._db.execute("INSERT OR REPLACE INTO summaries VALUES (?,?)", (stream, short))
            if long is not None:
                self._db.execute("INSERT OR REPLACE INTO details VALUES (?,?)", (stream, long))
        self.head = msgspec.structs.replace(head, rows=rows)
        data = _encode(self.head)
        self._db.execute("INSERT OR REPLACE INTO head VALUES (1,?,?)", (data, self._mac(data)))
        self._db.execute("COMMIT")

    def summaries(self) -> dict[bytes, Summary]:
        """Every stream in short; raises Altered."""
        found = dict(self._db.execute("SELECT stream, data FROM summaries"))
        if found.keys() != self.head.rows.keys():
            raise Altered
        return {stream: _decode(data, Summary, self.head.rows[stream][0]) for stream, data in found.items()}

    def detail(self, stream: bytes) -> Detail:
        """One stream in full; raises Altered."""
        if stream not in self.head.rows:
            return Detail()
        row = self._db.execute("SELECT data FROM details WHERE stream=?", (stream,)).fetchone()
        return _decode(row[0] if row else b"", Detail, self.head.rows[stream][1])

    def keep(self, stream: bytes, first: int, run: Sequence[bytes]) -> None:
        """Keep a run of admitted envelopes of a stream, by the number of the first."""
        for at in range(0, len(run), RUN):
            part = msgspec.msgpack.encode(run[at : at + RUN])
            self._db.execute("INSERT INTO envelopes VALUES (?,?,?)", (stream, first + at, part))

    def envelope(self, stream: bytes, seq: int) -> bytes | None:
        """One admitted envelope; the caller compares its hash."""
        row = self._db.execute(
            "SELECT first, run FROM envelopes WHERE stream=? AND first<=? ORDER BY first DESC LIMIT 1", (stream, seq)
        ).fetchone()
        run = _run(row[1]) if row else []
        return run[seq - row[0]] if row and seq - row[0] < len(run) else None

    def envelopes(self, stream: bytes, after: int = -1) -> Iterator[bytes]:
        """The admitted envelopes of a stream after a number, in order."""
        rows = self._db.execute(
            "SELECT first, run FROM envelopes WHERE stream=? AND first+? > ? ORDER BY first", (stream, RUN, after)
        )
        for first, data in rows:
            yield from _run(data)[max(0, after + 1 - first) :]

    def _read_head(self) -> Head:
        row = self._db.execute("SELECT data, mac FROM head").fetchone()
        if row is None:
            return Head()
        if not hmac.compare_digest(self._mac(row[0]), row[1]):
            raise Altered
        return _decode(row[0], Head, _digest(row[0]))

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _run(data: bytes) -> list[bytes]:
    try:
        return msgspec.msgpack.decode(data, type=list[bytes])
    except msgspec.DecodeError:
        raise Altered from None


def _encode(value: Head | Summary | Detail) -> bytes:
    return bytes([FORMAT]) + msgspec.msgpack.encode(value)


def _decode(data: bytes, shape: type[T], digest: bytes) -> T:
    if _digest(data) != digest or not data or data[0] != FORMAT:
        raise Altered
    try:
        return msgspec.msgpack.decode(data[1:], type=shape)
    except msgspec.DecodeError:
        raise Altered from None
