"""The seam to the eventsourcing library: its recorder, with the author's bytes verbatim and forks impossible.

The library keeps (stream, number, topic, state). Ours adds hash, prev and author, so that the database itself
refuses a second event after the same predecessor, and a second table for sealed bodies, written in the same
transaction but not read when only envelopes are wanted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import Mapper, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteFactory

from storage.rows import Row

TOPIC_RECORDER = "storage.recorders:EnvelopeRecorder"
TOPIC_MAPPER = "storage.recorders:VerbatimMapper"


class RowEvent(StoredEvent):
    """A stored event that still knows the row it came from."""

    row: Row

    def __init__(self, row: Row) -> None:
        super().__init__(row.originator_id, row.seq, row.kind, row.envelope)
        object.__setattr__(self, "row", row)


class VerbatimMapper(Mapper[str]):
    """Stores the author's bytes as they are; there is nothing to transcode."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Wrap a row; other events go the library's way."""
        return RowEvent(domain_event) if isinstance(domain_event, Row) else super().to_stored_event(domain_event)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Hand back the stored event: its `state` is the envelope."""
        return stored_event if stored_event.topic.count(":") == 0 else super().to_domain_event(stored_event)


class EnvelopeRecorder(SQLiteApplicationRecorder):
    """The library's SQLite recorder with side columns and a table of bodies."""

    def __init__(self, datastore: Any, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name)
        self.bodies_table_name = f"{events_table_name}_bodies"
        self.insert_events_statement = f"INSERT INTO {events_table_name} VALUES (?,?,?,?,?,?,?)"
        self.select_events_statement = (
            f"SELECT originator_id, originator_version, topic, state FROM {events_table_name} WHERE originator_id=? "
        )

    def construct_create_table_statements(self) -> list[str]:
        """The events with their chain, and the bodies."""
        table = self.events_table_name
        return [
            f"""CREATE TABLE IF NOT EXISTS {table} (
                originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,
                hash BLOB UNIQUE, prev BLOB, author BLOB,
                PRIMARY KEY (originator_id, originator_version), UNIQUE (originator_id, prev))""",
            f"""CREATE TABLE IF NOT EXISTS {table}_bodies (
                originator_id TEXT, originator_version INTEGER, body BLOB NOT NULL,
                PRIMARY KEY (originator_id, originator_version)) WITHOUT ROWID""",
        ]

    def _insert_events(self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        return [self._insert(c, event) for event in stored_events]

    def _insert(self, c: SQLiteCursor, event: StoredEvent) -> int:
        row = event.row if isinstance(event, RowEvent) else None
        side = (row.hash, row.prev, row.author) if row else (None, None, None)
        name = event.originator_id if isinstance(event.originator_id, str) else event.originator_id.hex
        c.execute(self.insert_events_statement, (name, event.originator_version, event.topic, event.state, *side))
        position: int = c.lastrowid
        if row is not None and row.body is not None:
            c.execute(
                f"INSERT INTO {self.bodies_table_name} VALUES (?,?,?)",
                (name, event.originator_version, row.body),
            )
        return position

    def select_bodies(self, name: str, versions: Sequence[int]) -> dict[int, bytes]:
        """Sealed bodies by number."""
        marks = ",".join("?" * len(versions))
        statement = (
            f"SELECT originator_version, body FROM {self.bodies_table_name}"
            f" WHERE originator_id=? AND originator_version IN ({marks})"
        )
        with self.datastore.transaction(commit=False) as c:
            c.execute(statement, [name, *versions])
            return {row[0]: row[1] for row in c.fetchall()}

    def select_place(self, hash_: bytes) -> tuple[str, int, int] | None:
        """Stream, number and position of an envelope by its hash."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                f"SELECT originator_id, originator_version, rowid FROM {self.events_table_name} WHERE hash=?",
                (hash_,),
            )
            row: sqlite3.Row | None = c.fetchone()
            return None if row is None else (row[0], row[1], row[2])

    def select_head(self, name: str) -> tuple[int, bytes] | None:
        """Number and hash of a stream's newest envelope."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                f"SELECT originator_version, hash FROM {self.events_table_name}"
                " WHERE originator_id=? ORDER BY originator_version DESC LIMIT 1",
                (name,),
            )
            row: sqlite3.Row | None = c.fetchone()
            return None if row is None else (row[0], row[1])

    def select_streams(self) -> list[str]:
        """The ids of all streams, by their genesis, oldest first."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(f"SELECT originator_id FROM {self.events_table_name} WHERE originator_version=0 ORDER BY rowid")
            return [row[0] for row in c.fetchall()]


class EnvelopeFactory(SQLiteFactory):
    """The library's factory making our recorder."""

    application_recorder_class = EnvelopeRecorder


Factory = EnvelopeFactory
