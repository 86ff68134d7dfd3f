"""What stands in the log for a record: one byte for its type and the record's SHA-256, 33 bytes in all.

So the log can be shown to anybody without showing who did what, and whoever holds a record knows its entry.
"""

from __future__ import annotations

from enum import IntEnum

from events.merkle import HASH_SIZE

ENTRY_SIZE = 1 + HASH_SIZE


class EntryType(IntEnum):
    """What a record is."""

    ENVELOPE = 0
    STATEMENT = 1
    COMPLETION = 2


def entry(kind: EntryType, digest: bytes) -> bytes:
    """The entry of a record, by the SHA-256 of its exact bytes (of an envelope: the event's id)."""
    return bytes((kind,)) + digest
