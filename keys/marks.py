"""Marks of readers: 8 bytes that stand for one reader of one object, for those who hold its key."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from keys.sealing import ObjectKey

MARK_SIZE = 8


def mark(object_key: ObjectKey, reader: bytes) -> bytes:
    """The mark of a reader (fingerprint, 32 bytes) in an object: 8 bytes, random to whoever lacks the object's key."""
    return object_key.mark(reader)[:MARK_SIZE]


def readers(object_key: ObjectKey, found: Collection[bytes], candidates: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those of the candidates (fingerprints) whose marks in this object are among the marks found.

    A candidate is named by chance once in 2^64 marks; but whoever holds the object's key can write anybody's mark.
    """
    return tuple(reader for reader in candidates if mark(object_key, reader) in found)
