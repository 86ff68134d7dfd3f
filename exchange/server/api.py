"""The handlers of the HTTP API: parse, ask the right part, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import web
from aiohttp_sse import sse_response

from events import canonical
from events.access import access_stream
from events.envelope import MAX_BODY, MAX_ENVELOPE
from events.notes import Vkey
from events.reading import may_read_accesses, may_read_envelopes
from events.register import Person, Register
from events.review import Review
from exchange import wire
from exchange.server.accept import Acceptance
from exchange.server.auth import Sessions
from exchange.server.log_api import LogApi
from exchange.server.news import Newsroom
from exchange.server.problems import NotFound
from exchange.server.reading_api import ReadingApi
from exchange.server.requests import ABSENT, PERSON, bounded, number, read, shaped, stream_of
from exchange.server.states import States
from exchange.server.upload_api import UploadApi
from storage.blobs import BlobStore
from storage.log import EventLog

VERSION = "1"
HEARTBEAT_S = 15.0


class Api:
    """Everything a handler needs."""

    def __init__(
        self,
        log: EventLog,
        blobs: BlobStore,
        states: States,
        acceptance: Acceptance,
        sessions: Sessions,
        newsroom: Newsroom,
        clock: Callable[[], int],
        max_file: int,
        *,
        uploads: UploadApi,
        reading: ReadingApi,
        chronicle: LogApi,
        log_key: Vkey,
    ) -> None:
        self._log = log
        self._blobs = blobs
        self._states = states
        self._acceptance = acceptance
        self._sessions = sessions
        self._newsroom = newsroom
        self.clock = clock
        self.uploads = uploads
        self.reading = reading
        self.chronicle = chronicle
        self._log_key = log_key.text()
        self._max_file = max_file
        self.closing = asyncio.Event()

    # -- what anyone may ask

    async def service(self, _request: web.Request) -> web.StreamResponse:
        """What this server is, its register, its clock and its limits."""
        known = len(self._states.history) > 0
        limits = wire.Limits(MAX_ENVELOPE, MAX_BODY, self._max_file)
        exercise = known and self._states.register.exercise
        return shaped(
            wire.Service(self._states.register_id.hex(), exercise, self.clock(), VERSION, limits, self._log_key)
        )

    async def healthy(self, _request: web.Request) -> web.StreamResponse:
        """The process lives."""
        return web.Response(text="ok\n")

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """The database and the store answer."""
        await self._log.ready()
        await self._blobs.health()
        return web.Response(text="ready\n")

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Start a session by a signed statement."""
        return shaped(self._sessions.open(await read(request, wire.SessionRequest)))

    # -- events

    async def found_stream(self, request: web.Request) -> web.StreamResponse:
        """Hand in the genesis of a stream."""
        return _receipt(await self._acceptance.accept(await bounded(request, wire.MAX_POST), b""))

    async def append(self, request: web.Request) -> web.StreamResponse:
        """Hand in the next event of a stream; the same event again is answered like the first time."""
        return _receipt(await self._acceptance.accept(await bounded(request, wire.MAX_POST), stream_of(request)))

    async def streams(self, request: web.Request) -> web.StreamResponse:
        """The streams that the asking device may read."""
        person = request[PERSON]
        register = self._states.register
        shown: list[Register | Review] = [register]
        for stream in self._states.reviews:
            review = await self._states.of(stream)
            if isinstance(review, Review) and may_read_envelopes(review, person):
                shown.append(review)
        watched = [state.id for state in shown if isinstance(state, Register) or may_read_accesses(state, person)]
        newest = await self._log.newest_of([access_stream(stream) for stream in watched])
        accesses = {stream: newest.get(access_stream(stream), -1) for stream in watched}
        found = tuple(_info(state, accesses.get(state.id)) for state in shown)
        return shaped(wire.StreamList(found))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Envelopes of a stream after a number, verbatim and in order."""
        state, _ = await self.readable(request)
        after, limit = number(request, "after", -1), number(request, "limit", 500)
        page = await self._log.read(state.id, after=after, limit=min(max(limit, 1), wire.MAX_PAGE))
        return web.Response(body=canonical.encode(page), content_type=wire.EVENTS_MEDIA)

    async def news(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: a stream and a number whenever something is new."""
        person = request[PERSON]
        listener = self._newsroom.join()
        try:
            async with sse_response(request) as response:
                while not self.closing.is_set():
                    news = await _next(listener.queue, self.closing)
                    if news is not None and await self._may_hear(person, bytes.fromhex(news.stream)):
                        await response.send(msgspec.json.encode(news).decode())
        finally:
            self._newsroom.leave(listener)
        return response

    # -- parts

    def signed_in(self, request: web.Request) -> Person:
        """The person whose session a request belongs to; raises NotSignedIn."""
        return self._sessions.person(request.headers.get("Authorization", ""))

    async def readable(self, request: web.Request) -> tuple[Register | Review, Person]:
        """The stream of the path, if the asking person may read its envelopes."""
        person = request[PERSON]
        state = await self._states.of(stream_of(request))
        if isinstance(state, Review) and not may_read_envelopes(state, person):
            raise NotFound(ABSENT)
        return state, person

    async def _may_hear(self, person: Person, stream: bytes) -> bool:
        """Asked for each piece of news: a connection outlives a session and a membership."""
        now = self._states.register.by_device(person.device)
        if now is None or not now.active:
            return False
        state = await self._states.of(stream)
        return not isinstance(state, Review) or may_read_envelopes(state, person)


async def _next(queue: asyncio.Queue[wire.News], closing: asyncio.Event) -> wire.News | None:
    """The next piece of news, or None when the server closes or nothing came for a while."""
    waiting, ending = asyncio.create_task(queue.get()), asyncio.create_task(closing.wait())
    done, pending = await asyncio.wait((waiting, ending), timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return waiting.result() if waiting in done else None


def _info(state: Register | Review, accesses: int | None) -> wire.StreamInfo:
    return wire.StreamInfo(state.id.hex(), "register" if isinstance(state, Register) else "review", state.seq, accesses)


def _receipt(receipt: wire.Receipt) -> web.Response:
    return shaped(receipt, 200 if receipt.repeated else 201)
