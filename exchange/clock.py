"""Now, in milliseconds since 1970: the system's clock or, in an exercise, what a file says."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], int]
EXERCISE_CLOCK = "COLLOQUY_EXERCISE_CLOCK"


def clock_of(file: Path | None) -> Clock:
    """The system's clock, or that of an exercise's file, read anew each time."""
    if file is None:
        return lambda: time.time_ns() // 1_000_000
    return lambda: exercise_time(file.read_text("ascii"))


def exercise_time(text: str) -> int:
    """Read an exercise's clock: an ISO 8601 time (UTC unless it says otherwise) or milliseconds."""
    text = text.strip()
    if text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
