"""How much of a file is read, and the name of the property that holds a mark."""

from __future__ import annotations

MAX_FILE = 64 * 1024 * 1024
MAX_TEXT = 2_000_000
MAX_MARKS = 1000
PROPERTY = "ColloquyReader"
