"""Marks written out: as the value of a property, which says what it is wherever it turns up."""

from __future__ import annotations

import re
from itertools import islice

from exchange.client.formats.bounds import MAX_MARKS
from keys.marks import MARK_SIZE

_PREFIX = "colloquy-reader:"
_WRITTEN = re.compile(rf"{_PREFIX}([0-9a-f]{{{2 * MARK_SIZE}}})".encode())


def written(mark: bytes) -> str:
    """A mark as a property's value."""
    return _PREFIX + mark.hex()


def written_in(data: bytes) -> set[bytes]:
    """The first MAX_MARKS marks written in bytes."""
    return {bytes.fromhex(match[1].decode()) for match in islice(_WRITTEN.finditer(data), MAX_MARKS)}
