"""The handlers of the HTTP API: parse, ask the right part, answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec
from aiohttp import ClientPayloadError, web
from aiohttp_sse import sse_response

from events import canonical
from events.envelope import MAX_BODY, MAX_ENVELOPE, Header, SignedEvent
from events.reading import may_fetch, may_read_envelopes
from events.register import Person, Register
from events.review import Review
from exchange import wire
from exchange.server.accept import Acceptance
from exchange.server.auth import Sessions
from exchange.server.news import Newsroom
from exchange.server.problems import BadRequest, NotFound, TooLarge
from exchange.server.states import States
from storage.blobs import BlobRef, BlobStore
from storage.log import EventLog
from storage.uploads import Uploads

T = TypeVar("T")
VERSION = "1"
HEARTBEAT_S = 15.0
RANGE = re.compile(r"^bytes=([0-9]{1,15})-([0-9]{1,15})?$")
PERSON = web.RequestKey("person", Person)
ABSENT = "there is no such thing here, or it is not for this reader"


class Api:
    """Everything a handler needs."""

    def __init__(
        self,
        log: EventLog,
        blobs: BlobStore,
        uploads: Uploads,
        states: States,
        acceptance: Acceptance,
        sessions: Sessions,
        newsroom: Newsroom,
        clock: Callable[[], int],
        max_file: int,
    ) -> None:
        self._log = log
        self._blobs = blobs
        self._uploads = uploads
        self._states = states
        self._acceptance = acceptance
        self._sessions = sessions
        self._newsroom = newsroom
        self.clock = clock
        self._max_file = max_file
        self.closing = asyncio.Event()

    # -- what anyone may ask

    async def service(self, _request: web.Request) -> web.StreamResponse:
        """What this server is, its register, its clock and its limits."""
        known = len(self._states.history) > 0
        limits = wire.Limits(MAX_ENVELOPE, MAX_BODY, self._max_file)
        exercise = known and self._states.register.exercise
        return _json(wire.Service(self._states.register_id.hex(), exercise, self.clock(), VERSION, limits))

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
        return _json(self._sessions.open(await _read(request, wire.SessionRequest)))

    # -- events

    async def found_stream(self, request: web.Request) -> web.StreamResponse:
        """Hand in the genesis of a stream."""
        return _receipt(await self._acceptance.accept(await _bounded(request, wire.MAX_POST), b""))

    async def append(self, request: web.Request) -> web.StreamResponse:
        """Hand in the next event of a stream; the same event again is answered like the first time."""
        return _receipt(await self._acceptance.accept(await _bounded(request, wire.MAX_POST), _stream(request)))

    async def streams(self, request: web.Request) -> web.StreamResponse:
        """The streams that the asking device may read."""
        person = request[PERSON]
        register = self._states.register
        found = [wire.StreamInfo(register.id.hex(), "register", register.seq)]
        for stream in self._states.reviews:
            review = await self._states.of(stream)
            if isinstance(review, Review) and may_read_envelopes(review, person):
                found.append(wire.StreamInfo(stream.hex(), "review", review.seq))
        return _json(wire.StreamList(tuple(found)))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Envelopes of a stream after a number, verbatim and in order."""
        state, _ = await self._readable(request)
        after, limit = _number(request, "after", -1), _number(request, "limit", 500)
        page = await self._log.read(state.id, after=after, limit=min(max(limit, 1), wire.MAX_PAGE))
        return web.Response(body=canonical.encode(page), content_type=wire.EVENTS_MEDIA)

    async def bodies(self, request: web.Request) -> web.StreamResponse:
        """What travels with events: sealed bodies and sealed keys, for those they are for."""
        state, person = await self._readable(request)
        asked = await _read(request, wire.BodiesRequest)
        for seq in asked.seqs:
            event, header = await self._header(state, seq)
            if not may_fetch(state, event, header, 0, person.device):
                raise NotFound(ABSENT)
        found = await self._log.bodies(state.id, asked.seqs)
        pairs = [[seq, body] for seq, body in sorted(found.items())]
        return web.Response(body=canonical.encode(pairs), content_type=wire.BODIES_MEDIA)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A sealed file of an event, whole or from an offset on."""
        state, person = await self._readable(request)
        seq, index = int(request.match_info["seq"]), int(request.match_info["index"])
        event, header = await self._header(state, seq)
        if not 1 <= index < len(header.objects) or not may_fetch(state, event, header, index, person.device):
            raise NotFound(ABSENT)
        ref = BlobRef(header.objects[index].digest, header.objects[index].size)
        return await self._stream_file(request, ref)

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

    # -- uploads

    async def begin_upload(self, request: web.Request) -> web.StreamResponse:
        """Announce a sealed file."""
        owner = request[PERSON].device
        asked = await _read(request, wire.UploadRequest)
        name = await self._uploads.begin(owner, asked.size, self.clock() / 1000)
        return _json(wire.Upload(name, 0, asked.size), status=201)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """How far an upload came."""
        offset, size = await self._uploads.offset(request[PERSON].device, request.match_info["upload"])
        return _json(wire.Upload(request.match_info["upload"], offset, size))

    async def write_upload(self, request: web.Request) -> web.StreamResponse:
        """Send the bytes of an upload from its offset on; what arrives before a break is kept."""
        owner, name = request[PERSON].device, request.match_info["upload"]
        text = request.headers.get(wire.UPLOAD_OFFSET, "")
        if not text.isdigit() or len(text) > 15:
            raise BadRequest(f"expected a header {wire.UPLOAD_OFFSET} with a number", "a number", text[:20])
        _, size = await self._uploads.offset(owner, name)
        offset = await self._uploads.write(owner, name, int(text), _received(request))
        return _json(wire.Upload(name, offset, size))

    async def finish_upload(self, request: web.Request) -> web.StreamResponse:
        """Say that an upload is whole; it is stored if its digest is right."""
        asked = await _read(request, wire.UploadFinish)
        owner = request[PERSON].device
        ref = await self._uploads.finish(owner, request.match_info["upload"], bytes.fromhex(asked.digest))
        return _json(wire.Stored(ref.sha256.hex(), ref.size))

    async def abandon_upload(self, request: web.Request) -> web.StreamResponse:
        """Discard an upload."""
        await self._uploads.abandon(request[PERSON].device, request.match_info["upload"])
        return web.Response(status=204)

    async def sweep(self, now: float) -> None:
        """Discard abandoned uploads."""
        await self._uploads.sweep(now)

    # -- parts

    def signed_in(self, request: web.Request) -> Person:
        """The person whose session a request belongs to; raises NotSignedIn."""
        return self._sessions.person(request.headers.get("Authorization", ""))

    async def _readable(self, request: web.Request) -> tuple[Register | Review, Person]:
        """The stream of the path, if the asking person may read its envelopes."""
        person = request[PERSON]
        state = await self._states.of(_stream(request))
        if isinstance(state, Review) and not may_read_envelopes(state, person):
            raise NotFound(ABSENT)
        return state, person

    async def _header(self, state: Register | Review, seq: int) -> tuple[bytes, Header]:
        found = await self._log.read(state.id, after=seq - 1, limit=1) if seq <= state.seq else []
        if not found:
            raise NotFound(ABSENT)
        signed = SignedEvent.parse(found[0])
        return signed.id, signed._header  # noqa: SLF001

    async def _may_hear(self, person: Person, stream: bytes) -> bool:
        """Asked for each piece of news: a connection outlives a session and a membership."""
        now = self._states.register.by_device(person.device)
        if now is None or not now.active:
            return False
        state = await self._states.of(stream)
        return not isinstance(state, Review) or may_read_envelopes(state, person)

    async def _stream_file(self, request: web.Request, ref: BlobRef) -> web.StreamResponse:
        start, end, partial = _range(request, ref.size)
        response = web.StreamResponse(status=206 if partial else 200)
        response.content_type = wire.BLOB_MEDIA
        response.content_length = end - start
        response.headers["ETag"] = f'"{ref.sha256.hex()}"'
        response.headers["Accept-Ranges"] = "bytes"
        if partial:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{ref.size}"
        if await self._blobs.stat(ref.sha256) is None:
            raise NotFound(ABSENT)
        await response.prepare(request)
        async for block in self._blobs.open(ref, start, end):
            await response.write(block)
        return response


def _range(request: web.Request, size: int) -> tuple[int, int, bool]:
    text = request.headers.get("Range")
    if text is None:
        return 0, size, False
    match = RANGE.match(text)
    start = int(match[1]) if match else size
    end = min(int(match[2]) + 1, size) if match and match[2] else size
    if not 0 <= start < end:
        raise BadRequest("expected a range within the file", f"bytes 0-{size - 1}", text[:40])
    return start, end, True


async def _next(queue: asyncio.Queue[wire.News], closing: asyncio.Event) -> wire.News | None:
    """The next piece of news, or None when the server closes or nothing came for a while."""
    waiting, ending = asyncio.create_task(queue.get()), asyncio.create_task(closing.wait())
    done, pending = await asyncio.wait((waiting, ending), timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return waiting.result() if waiting in done else None


async def _received(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.content.iter_any():
            yield chunk
    except (ClientPayloadError, web.HTTPException, asyncio.IncompleteReadError) as error:
        raise ConnectionError("the client's line broke") from error


async def _bounded(request: web.Request, limit: int) -> bytes:
    """The body of a request, refused before it is read if it says it is too long."""
    if request.content_length is not None and request.content_length > limit:
        raise TooLarge(f"expected at most {limit} bytes, got {request.content_length}")
    if request.content_length is not None:
        return await request.read()
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > limit:
            raise TooLarge(f"expected at most {limit} bytes, got more")
    return bytes(data)


async def _read(request: web.Request, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(await _bounded(request, wire.MAX_JSON), type=shape)
    except msgspec.DecodeError as error:
        raise BadRequest(f"expected a {shape.__name__}: {error}") from None


def _stream(request: web.Request) -> bytes:
    return bytes.fromhex(request.match_info["stream"])


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.removeprefix("-").isdigit() or len(text) > 15:
        raise BadRequest(f"expected a number as {name}", "a number", text[:20])
    return int(text)


def _json(shape: wire.Shape, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(shape), content_type="application/json")


def _receipt(receipt: wire.Receipt) -> web.Response:
    return _json(receipt, 200 if receipt.repeated else 201)
