"""Handlers of the log: checkpoints, tiles and proofs. They show how much happened, and nothing of what or by whom."""

from __future__ import annotations

from aiohttp import web

from events.access import access_stream
from events.reading import may_read_accesses, may_read_envelopes
from events.register import Register
from events.tiles import Tile
from exchange import wire
from exchange.server.notary import Notary
from exchange.server.problems import NotFound
from exchange.server.requests import ABSENT, PERSON, number, shaped, stream_of
from exchange.server.states import States

NOTE_MEDIA = "text/plain"
IMMUTABLE = "max-age=31536000, immutable"


class LogApi:
    """What anybody may ask of the log, and what readers of a stream may ask about its records."""

    def __init__(self, notary: Notary, states: States) -> None:
        self._notary = notary
        self._states = states

    async def checkpoint(self, _request: web.Request) -> web.StreamResponse:
        """The newest checkpoint, signed by the log (c2sp.org/tlog-checkpoint)."""
        return _note((await self._notary.settled()).encode())

    async def witnessed(self, _request: web.Request) -> web.StreamResponse:
        """The newest checkpoint that a quorum of witnesses cosigned."""
        note = self._notary.witnessed
        if note is None:
            raise NotFound("no quorum of witnesses has cosigned a checkpoint yet")
        return _note(note.encode())

    async def tile(self, request: web.Request) -> web.StreamResponse:
        """A tile of hashes or a bundle of entries (c2sp.org/tlog-tiles)."""
        data = await self._notary.tile(Tile.parse(f"tile/{request.match_info['tile']}"))
        return web.Response(body=data, content_type=wire.BLOB_MEDIA, headers={"Cache-Control": IMMUTABLE})

    async def consistency(self, request: web.Request) -> web.StreamResponse:
        """The hashes that show that the log only grew from one size to another."""
        hashes = await self._notary.consistency(number(request, "old", 0), number(request, "new", 0))
        return shaped(wire.Consistency(tuple(one.hex() for one in hashes)))

    async def event_inclusion(self, request: web.Request) -> web.StreamResponse:
        """The hashes that lead from an event to the root of the log at a size."""
        state = await self._states.of(stream_of(request))
        if not isinstance(state, Register) and not may_read_envelopes(state, request[PERSON]):
            raise NotFound(ABSENT)
        return await self._inclusion(request, state.id)

    async def access_inclusion(self, request: web.Request) -> web.StreamResponse:
        """The hashes that lead from a record of reading to the root of the log at a size."""
        state = await self._states.of(stream_of(request))
        if not isinstance(state, Register) and not may_read_accesses(state, request[PERSON]):
            raise NotFound(ABSENT)
        return await self._inclusion(request, access_stream(state.id))

    async def _inclusion(self, request: web.Request, stream: bytes) -> web.StreamResponse:
        seq, size = int(request.match_info["seq"]), number(request, "size", 0)
        index, hashes = await self._notary.inclusion(stream, seq, size)
        return shaped(wire.Inclusion(index, tuple(one.hex() for one in hashes)))


def _note(data: bytes) -> web.Response:
    return web.Response(body=data, content_type=NOTE_MEDIA, charset="utf-8")
