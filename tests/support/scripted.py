"""A witness that answers whatever a test wants, over real HTTP, with a real key."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from events.checkpoint import cosign, witness_key
from events.notes import Note
from events.witnessing import AddCheckpoint
from keys.notes import NoteKey

Answer = Callable[[Note], tuple[int, str]]


class ScriptedWitness:
    """Cosigns what it is shown at the times of `times` (seconds), or answers what `answer` makes of it."""

    def __init__(self, name: str, *times: int, answer: Answer | None = None) -> None:
        self.name = name
        self.key = NoteKey.generate()
        self.times = times
        self.answer = answer
        self.asked = 0
        self.url = ""

    @property
    def line(self) -> str:
        """Its line of a policy."""
        return f"witness {self.name} {witness_key(self.name, self.key).text()} {self.url}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/add-checkpoint", self._add)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _add(self, request: web.Request) -> web.Response:
        self.asked += 1
        note = AddCheckpoint.parse(await request.read()).note
        if self.answer is not None:
            status, text = self.answer(note)
            return web.Response(status=status, text=text)
        return web.Response(text="".join(cosign(self.name, self.key, note.text, time).line() for time in self.times))
