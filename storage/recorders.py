"""The seam to the eventsourcing library: its recorder, with the author's bytes verbatim and forks impossible.

The library keeps (stream, number, topic, state) and refuses a second event at the same place of a stream, which
is a second event after the same predecessor. Ours adds the envelope's hash and what travels with it, in the same
row: the body stands last, so that reading envelopes alone does not read long bodies.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from eventsourcing import sqlite
from eventsourcing.persistence import Mapper, StoredEvent

from storage.rows import ACCESS_KINDS, Row

ROWS = 200


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


class EnvelopeRecorder(sqlite.SQLiteApplicationRecorder):
    """The library's SQLite recorder with side columns and a table of bodies."""

    def __init__(self, datastore: Any, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name)
        self.select_events_statement = (
            f"SELECT originator_id, originator_version, topic, state FROM {events_table_name} WHERE originator_id=? "
        )

    def construct_create_table_statements(self) -> list[str]:
        """The library's table with our columns; every further index would cost each append."""
        return [
            f"""CREATE TABLE IF NOT EXISTS {self.events_table_name} (
                originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB, hash BLOB, body BLOB,
                PRIMARY KEY (originator_id, originator_version))"""
        ]

    def _insert_events(
        self, c: sqlite.SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int] | None:
        positions: list[int] = []
        for start in range(0, len(stored_events), ROWS):
            positions += self._insert(c, stored_events[start : start + ROWS])
        return positions

    def _insert(self, c: sqlite.SQLiteCursor, events: Sequence[StoredEvent]) -> Sequence[int]:
        """Insert many rows by one statement: each statement is a fight for the interpreter with the event loop."""
        marks = ",".join(("(?,?,?,?,?,?)",) * len(events))
        values = [value for event in events for value in _values(event)]
        c.execute(f"INSERT INTO {self.events_table_name} VALUES {marks}", values)
        # Rows inserted by one statement have consecutive numbers.
        last: int = c.lastrowid
        return range(last - len(events) + 1, last + 1)

    def select_rows(self, name: str, versions: Sequence[int]) -> dict[int, tuple[bytes, bytes | None]]:
        """Envelopes and bodies by number."""
        marks = ",".join("?" * len(versions))
        statement = (
            f"SELECT originator_version, state, body FROM {self.events_table_name}"
            f" WHERE originator_id=? AND originator_version IN ({marks})"
        )
        with self.datastore.transaction(commit=False) as c:
            c.execute(statement, [name, *versions])
            return {row[0]: (row[1], row[2]) for row in c.fetchall()}

    def select_hashes(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        """Position, kind and hash of the rows after a position."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                f"SELECT rowid, topic, hash FROM {self.events_table_name} WHERE rowid>? ORDER BY rowid LIMIT ?",
                (after, limit),
            )
            return [(row[0], row[1], row[2]) for row in c.fetchall()]

    def select_place(self, name: str, version: int) -> tuple[bytes, int, str] | None:
        """Hash, position and kind of what stands at a place of a stream."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                f"SELECT hash, rowid, topic FROM {self.events_table_name}"
                " WHERE originator_id=? AND originator_version=?",
                (name, version),
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

    def select_newest(self, names: Sequence[str]) -> dict[str, int]:
        """The numbers of the newest rows of several streams; unknown ones are left out."""
        statement = f"SELECT MAX(originator_version) FROM {self.events_table_name} WHERE originator_id=?"
        found: dict[str, int] = {}
        with self.datastore.transaction(commit=False) as c:
            for name in names:
                c.execute(statement, (name,))
                (newest,) = c.fetchone()
                if newest is not None:
                    found[name] = newest
        return found

    def select_streams(self) -> list[str]:
        """The ids of all streams of events, by their genesis, oldest first; records of reading are none."""
        marks = ",".join("?" * len(ACCESS_KINDS))
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                f"SELECT originator_id FROM {self.events_table_name}"
                f" WHERE originator_version=0 AND topic NOT IN ({marks}) ORDER BY rowid",
                ACCESS_KINDS,
            )
            return [row[0] for row in c.fetchall()]


def _values(event: StoredEvent) -> tuple[Any, ...]:
    name = event.originator_id if isinstance(event.originator_id, str) else event.originator_id.hex
    side = (event.row.hash, event.row.body) if isinstance(event, RowEvent) else (None, None)
    return (name, event.originator_version, event.topic, event.state, *side)


class EnvelopeFactory(sqlite.SQLiteFactory):
    """The library's factory making our recorder."""

    application_recorder_class = EnvelopeRecorder
