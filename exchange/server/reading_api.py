"""Handlers of reading: sealed content against a signed statement, and the record of who read what."""

from __future__ import annotations

from aiohttp import web

from events import canonical
from events.access import MAX_STATEMENT, access_stream
from events.entries import EntryType
from events.reading import may_read_accesses
from events.register import Register
from exchange import wire
from exchange.server.problems import BadRequest, NotFound
from exchange.server.readings import Item, Readings, Recorded
from exchange.server.requests import ABSENT, PERSON, bounded, number, stream_of
from exchange.server.states import States
from storage.blobs import BlobRef, BlobStore
from storage.log import EventLog
from storage.rows import COMPLETED, STATED

TYPES = {STATED: EntryType.STATEMENT, COMPLETED: EntryType.COMPLETION}


class ReadingApi:
    """What is sealed, on its way out."""

    def __init__(self, log: EventLog, blobs: BlobStore, states: States, readings: Readings) -> None:
        self._log = log
        self._blobs = blobs
        self._states = states
        self._readings = readings

    async def bodies(self, request: web.Request) -> web.StreamResponse:
        """What travels with events, in the order the reader's statement wants it: sealed bodies, keys, letters."""
        recorded = await self._record(request)
        sent = 0
        try:
            if any(item.want.object or item.want.start for item in recorded.items):
                raise BadRequest("expected a statement that wants bodies alone, each from its start")
            answer = canonical.encode([item.body for item in recorded.items])
            sent = sum(len(item.body or b"") for item in recorded.items)
        finally:
            self._readings.complete(recorded, sent)
        return web.Response(body=answer, content_type=wire.BODIES_MEDIA)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A sealed file of an event, from the byte on that the reader's statement names."""
        recorded = await self._record(request)
        item = recorded.items[0]
        if len(recorded.items) != 1 or not item.want.object:
            self._readings.complete(recorded, 0)
            raise BadRequest("expected a statement that wants one file")
        return await self._stream(request, recorded, item)

    async def accesses(self, request: web.Request) -> web.StreamResponse:
        """Who read what: statements and completions after a number, for those who answer for the review."""
        state, person = await self._states.of(stream_of(request)), request[PERSON]
        allowed = isinstance(state, Register) or may_read_accesses(state, person)
        if not allowed:
            raise NotFound(ABSENT)
        after, limit = number(request, "after", -1), number(request, "limit", 500)
        limit = min(max(limit, 1), wire.MAX_PAGE)
        found = await self._log.records(access_stream(state.id), after=after, limit=limit)
        page = [[TYPES[kind].value, record] for kind, record in found]
        return web.Response(body=canonical.encode(page), content_type=wire.ACCESSES_MEDIA)

    async def _record(self, request: web.Request) -> Recorded:
        posted = await bounded(request, MAX_STATEMENT)
        return await self._readings.record(posted, stream_of(request), request[PERSON])

    async def _stream(self, request: web.Request, recorded: Recorded, item: Item) -> web.StreamResponse:
        """Send a file; whatever becomes of the line, how much was sent goes on record."""
        ref = BlobRef(item.header.objects[item.want.object].digest, item.header.objects[item.want.object].size)
        sent = 0
        try:
            if await self._blobs.stat(ref.sha256) is None:
                raise NotFound(ABSENT)
            response = web.StreamResponse()
            response.content_type = wire.BLOB_MEDIA
            response.content_length = ref.size - item.want.start
            await response.prepare(request)
            async for block in self._blobs.open(ref, item.want.start, ref.size):
                await response.write(block)
                sent += len(block)
            return response
        finally:
            self._readings.complete(recorded, sent)
