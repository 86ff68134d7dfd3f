"""Handlers of uploads: announced, sent in pieces, finished by their digest."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from exchange import wire
from exchange.server.problems import BadRequest
from exchange.server.requests import PERSON, read, received, shaped
from storage.uploads import Uploads


class UploadApi:
    """Sealed files on their way in."""

    def __init__(self, uploads: Uploads, clock: Callable[[], int]) -> None:
        self._uploads = uploads
        self._clock = clock

    async def begin_upload(self, request: web.Request) -> web.StreamResponse:
        """Announce a sealed file."""
        owner = request[PERSON].device
        asked = await read(request, wire.UploadRequest)
        name = await self._uploads.begin(owner, asked.size, self._clock() / 1000)
        return shaped(wire.Upload(name, 0, asked.size), status=201)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """How far an upload came."""
        offset, size = await self._uploads.offset(request[PERSON].device, request.match_info["upload"])
        return shaped(wire.Upload(request.match_info["upload"], offset, size))

    async def write_upload(self, request: web.Request) -> web.StreamResponse:
        """Send the bytes of an upload from its offset on; what arrives before a break is kept."""
        owner, name = request[PERSON].device, request.match_info["upload"]
        text = request.headers.get(wire.UPLOAD_OFFSET, "")
        if not text.isdigit() or len(text) > 15:
            raise BadRequest(f"expected a header {wire.UPLOAD_OFFSET} with a number", "a number", text[:20])
        _, size = await self._uploads.offset(owner, name)
        offset = await self._uploads.write(owner, name, int(text), received(request))
        return shaped(wire.Upload(name, offset, size))

    async def finish_upload(self, request: web.Request) -> web.StreamResponse:
        """Say that an upload is whole; it is stored if its digest is right."""
        asked = await read(request, wire.UploadFinish)
        owner = request[PERSON].device
        ref = await self._uploads.finish(owner, request.match_info["upload"], bytes.fromhex(asked.digest))
        return shaped(wire.Stored(ref.sha256.hex(), ref.size))

    async def abandon_upload(self, request: web.Request) -> web.StreamResponse:
        """Discard an upload."""
        await self._uploads.abandon(request[PERSON].device, request.match_info["upload"])
        return web.Response(status=204)

    async def sweep(self, now: float) -> None:
        """Discard abandoned uploads."""
        await self._uploads.sweep(now)
