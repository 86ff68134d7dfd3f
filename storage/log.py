"""The log of envelopes: appended in groups, so that many authors share one flush to disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from eventsourcing.persistence import EventStore as Store
from eventsourcing.persistence import (
    IntegrityError,
    JSONTranscoder,
    OperationalError,
    PersistenceError,
)
from eventsourcing.utils import Environment

from storage.errors import Conflict, StorageFull, StorageUnavailable
from storage.groups import Closed, Groups
from storage.recorders import EnvelopeFactory, EnvelopeRecorder, VerbatimMapper
from storage.rows import Appended, Row

T = TypeVar("T")
READERS = 4
LOCK_SECONDS = "30"


class EventLog:
    """Append and read envelopes; every append is on disk when it returns."""

    def __init__(self, factory: EnvelopeFactory) -> None:
        self._factory = factory
        recorder = factory.application_recorder()
        if not isinstance(recorder, EnvelopeRecorder):
            raise TypeError(type(recorder).__name__)
        self._recorder = recorder
        self._store: Store[Any] = Store(VerbatimMapper(JSONTranscoder()), recorder)
        self._readers = ThreadPoolExecutor(READERS, "log-reader")
        self._writer: Groups[Row, Appended] = Groups(self._append_group, "log-writer")

    @classmethod
    async def open(cls, path: Path) -> EventLog:
        """Open the database at `path`, making it if there is none."""
        settings = Environment(
            env={"SQLITE_DBNAME": str(path), "ORIGINATOR_ID_TYPE": "text", "SQLITE_LOCK_TIMEOUT": LOCK_SECONDS}
        )
        try:
            return cls(EnvelopeFactory(settings))
        except (PersistenceError, sqlite3.Error, OSError) as error:
            raise StorageUnavailable(f"the database cannot be opened: {error}") from None

    async def append(self, row: Row) -> Appended:
        """Append one row and return when it is flushed; the same row again is success.

        Raises Conflict, StorageFull or StorageUnavailable; then nothing of the row is stored.
        """
        return await self.enqueue(row)

    def enqueue(self, row: Row, *, hurried: bool = True) -> asyncio.Future[Appended]:
        """Take a row's place among all rows at once; it is flushed when the future is done, as after `append`.

        One for which nobody waits need not be hurried: it shares the next one's flush.
        """
        try:
            return self._writer.submit(row, hurried=hurried)
        except Closed:
            raise StorageUnavailable("the log is closing") from None

    async def read(self, stream: bytes, *, after: int = -1, limit: int = 500) -> list[bytes]:
        """Envelopes of a stream with numbers above `after`, in order."""
        events = await self._reading(lambda: self._recorder.select_events(stream.hex(), gt=after, limit=limit))
        return [event.state for event in events]

    async def rows(self, stream: bytes, seqs: Sequence[int]) -> dict[int, tuple[bytes, bytes | None]]:
        """Envelopes of a stream by number, each with what travels with it; unknown numbers are left out."""
        return await self._reading(lambda: self._recorder.select_rows(stream.hex(), seqs))

    async def records(self, stream: bytes, *, after: int = -1, limit: int = 500) -> list[tuple[str, bytes]]:
        """Kind and bytes of a stream's records with numbers above `after`, in order."""
        events = await self._reading(lambda: self._recorder.select_events(stream.hex(), gt=after, limit=limit))
        return [(event.topic, event.state) for event in events]

    async def place(self, stream: bytes, seq: int) -> tuple[bytes, int, str] | None:
        """Hash, position and kind of one row; None if there is none."""
        return await self._reading(lambda: self._recorder.select_place(stream.hex(), seq))

    async def hashes(self, *, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        """Position, kind and hash of what was appended to any stream after a position, in order."""
        return await self._reading(lambda: self._recorder.select_hashes(after, limit))

    async def head(self, stream: bytes) -> tuple[int, bytes] | None:
        """Number and hash of a stream's newest envelope; None for an unknown stream."""
        return await self._reading(lambda: self._recorder.select_head(stream.hex()))

    async def newest_of(self, streams: Sequence[bytes]) -> dict[bytes, int]:
        """The numbers of the newest rows of several streams; unknown ones are left out."""
        found = await self._reading(lambda: self._recorder.select_newest([stream.hex() for stream in streams]))
        return {bytes.fromhex(name): number for name, number in found.items()}

    async def streams(self) -> list[bytes]:
        """The ids of all streams, oldest first."""
        return [bytes.fromhex(name) for name in await self._reading(self._recorder.select_streams)]

    async def notifications(self, *, after: int, limit: int = 500) -> list[tuple[int, bytes, int, str]]:
        """Position, stream, number and kind of what was appended after a position."""
        found = await self._reading(lambda: self._recorder.select_notifications(after, limit, inclusive_of_start=False))
        return [(n.id, bytes.fromhex(str(n.originator_id)), n.originator_version, n.topic) for n in found]

    async def newest(self) -> int:
        """The position of the newest row, 0 if there is none."""
        return await self._reading(self._recorder.max_notification_id) or 0

    async def ready(self) -> None:
        """Return if the database answers; raises StorageUnavailable."""
        await self.newest()

    async def close(self) -> None:
        """Write what waits, then close."""
        await self._writer.close()
        self._readers.shutdown()
        self._factory.close()

    async def _reading(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, work)
        except (PersistenceError, sqlite3.Error) as error:
            raise StorageUnavailable(f"the database does not answer: {type(error).__name__}") from None

    def _append_group(self, rows: Sequence[Row]) -> Sequence[Appended | Exception]:
        try:
            return self._put(rows)
        except Exception:  # noqa: BLE001  (each row is tried alone and gets its own answer)
            return [self._append_alone(row) for row in rows]

    def _append_alone(self, row: Row) -> Appended | Exception:
        try:
            return self._put([row])[0]
        except IntegrityError:
            return self._stored_or_conflict(row)
        except (PersistenceError, sqlite3.Error) as error:
            return _translated(error)
        except Exception as error:  # noqa: BLE001  (the writer must outlive every row)
            return StorageUnavailable(f"the row was not stored: {type(error).__name__}")

    def _stored_or_conflict(self, row: Row) -> Appended | Exception:
        """A retry after a lost answer meets its own row: that is success."""
        try:
            found = self._recorder.select_place(row.originator_id, row.seq)
        except (PersistenceError, sqlite3.Error) as error:
            return _translated(error)
        if found is not None and found[0] == row.hash:
            return Appended(row.stream, row.seq, row.hash, found[1])
        return Conflict(f"another event took place {row.seq} of stream {row.stream.hex()[:16]}")

    def _put(self, rows: Sequence[Row]) -> list[Appended]:
        try:
            positions = self._store.put(rows)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(str(error)) from None
        return [
            Appended(row.stream, row.seq, row.hash, recording.notification.id)
            for row, recording in zip(rows, positions or (), strict=True)
        ]


def _translated(error: Exception) -> Exception:
    text = str(error).lower()
    if isinstance(error, (OperationalError, sqlite3.OperationalError)) and ("full" in text or "disk i/o" in text):
        return StorageFull("the database's disk is full; nothing was stored")
    return StorageUnavailable(f"the database does not answer: {type(error).__name__}")
