"""What is new, told to whoever listens: stream and number, never content."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from exchange import wire

WAITING = 256


@dataclass(eq=False, slots=True)
class Listener:
    """One connection that wants news; if it falls behind, the oldest news are dropped and it fetches anyway."""

    queue: asyncio.Queue[wire.News] = field(default_factory=lambda: asyncio.Queue(WAITING))


class Newsroom:
    """All listeners."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def join(self) -> Listener:
        """Begin to listen."""
        listener = Listener()
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Stop listening."""
        self._listeners.discard(listener)

    def publish(self, stream: bytes, seq: int) -> None:
        """Tell every listener."""
        if not self._listeners:
            return
        news = wire.News(stream.hex(), seq)
        for listener in self._listeners:
            if listener.queue.full():
                listener.queue.get_nowait()
            listener.queue.put_nowait(news)
