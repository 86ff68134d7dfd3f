"""Work in groups: whatever waits while a thread is busy is its next piece of work, so that many share one round."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
GROUP = 200
LEISURE_S = 0.05


class Closed(Exception):
    """No more work is taken."""


class Groups(Generic[T, R]):
    """Gives items, in their order and up to 200 at a time, to a function on a thread of its own.

    The function returns an outcome for each item; an exception among them is raised to whoever waits for it. Items
    without hurry go with the next that has some, or after 50 ms: a round is not begun for them alone.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R | Exception]], name: str) -> None:
        self._work = work
        self._pool = ThreadPoolExecutor(1, name)
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._hurried = False
        self._closing = False

    def submit(self, item: T, *, hurried: bool = True) -> asyncio.Future[R]:
        """Put an item in its place now; the future has its outcome, or what became of it. Raises Closed."""
        if self._closing:
            raise Closed
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, answer))
        if hurried:
            self._begin()
        elif self._later is None:
            self._later = loop.call_later(LEISURE_S, self._begin)
        return answer

    async def close(self) -> None:
        """Finish what waits, then end the thread."""
        self._closing = True
        self._begin()
        if self._task is not None:
            await self._task
        self._pool.shutdown()

    def _begin(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._hurried = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._hurried and self._waiting:
            group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
            self._hurried = bool(self._waiting)
            outcomes = await loop.run_in_executor(self._pool, self._work, [item for item, _ in group])
            for (_, answer), outcome in zip(group, outcomes, strict=True):
                _tell(answer, outcome)


def _tell(answer: asyncio.Future[R], outcome: R | Exception) -> None:
    if answer.cancelled():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
