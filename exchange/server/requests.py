"""What handlers need of requests and answers: bodies bounded before they are read, numbers, shapes, who asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec
from aiohttp import ClientPayloadError, web

from events.register import Person
from exchange import wire
from exchange.server.problems import BadRequest, TooLarge

T = TypeVar("T")
PERSON = web.RequestKey("person", Person)
ABSENT = "there is no such thing here, or it is not for this reader"


async def received(request: web.Request) -> AsyncIterator[bytes]:
    """The body of a request as it arrives; raises ConnectionError when the line breaks."""
    try:
        async for chunk in request.content.iter_any():
            yield chunk
    except (ClientPayloadError, web.HTTPException, asyncio.IncompleteReadError) as error:
        raise ConnectionError("the client's line broke") from error


async def bounded(request: web.Request, limit: int) -> bytes:
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


async def read(request: web.Request, shape: type[T]) -> T:
    """The JSON of a request; raises BadRequest."""
    try:
        return msgspec.json.decode(await bounded(request, wire.MAX_JSON), type=shape)
    except msgspec.DecodeError as error:
        raise BadRequest(f"expected a {shape.__name__}: {error}") from None


def stream_of(request: web.Request) -> bytes:
    """The stream that the path names."""
    return bytes.fromhex(request.match_info["stream"])


def number(request: web.Request, name: str, default: int) -> int:
    """A number of the query; raises BadRequest."""
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 15:
        raise BadRequest(f"expected a number as {name}", "a number", text[:20])
    return int(text)


def shaped(shape: wire.Shape, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=msgspec.json.encode(shape), content_type="application/json")
