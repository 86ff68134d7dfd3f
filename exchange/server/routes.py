"""The table of routes: the application and the OpenAPI document are both made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from exchange import wire
from exchange.server.api import Api

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STREAM = "{stream:[0-9a-f]{64}}"
UPLOAD = "{upload:[0-9a-f]{32}}"
SEQ = "{seq:[0-9]{1,15}}"
TILE = "{tile:.{1,80}}"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API."""

    method: str
    path: str
    handler: Callable[[Api], Handler]
    answer: type[wire.Shape] | str | None
    takes: type[wire.Shape] | str | None = None
    signed_in: bool = True
    query: tuple[str, ...] = ()
    status: int = 200

    @property
    def template(self) -> str:
        """The path without patterns, as logs and documents show it."""
        text = self.path
        for pattern, plain in ((STREAM, "{stream}"), (UPLOAD, "{upload}"), (SEQ, "{seq}"), (TILE, "{tile}")):
            text = text.replace(pattern, plain)
        return text


V1 = wire.API
ROUTES = (
    Route("GET", f"{V1}/service", lambda api: api.service, wire.Service, signed_in=False),
    Route("POST", f"{V1}/sessions", lambda api: api.sign_in, wire.Session, wire.SessionRequest, signed_in=False),
    Route("GET", f"{V1}/streams", lambda api: api.streams, wire.StreamList),
    Route(
        "POST",
        f"{V1}/streams",
        lambda api: api.found_stream,
        wire.Receipt,
        wire.EVENT_MEDIA,
        signed_in=False,
        status=201,
    ),
    Route("GET", f"{V1}/streams/{STREAM}/events", lambda api: api.events, wire.EVENTS_MEDIA, query=("after", "limit")),
    Route(
        "POST",
        f"{V1}/streams/{STREAM}/events",
        lambda api: api.append,
        wire.Receipt,
        wire.EVENT_MEDIA,
        signed_in=False,
        status=201,
    ),
    Route(
        "POST",
        f"{V1}/streams/{STREAM}/bodies",
        lambda api: api.reading.bodies,
        wire.BODIES_MEDIA,
        wire.STATEMENT_MEDIA,
    ),
    Route("POST", f"{V1}/streams/{STREAM}/files", lambda api: api.reading.file, wire.BLOB_MEDIA, wire.STATEMENT_MEDIA),
    Route(
        "GET",
        f"{V1}/streams/{STREAM}/access",
        lambda api: api.reading.accesses,
        wire.ACCESSES_MEDIA,
        query=("after", "limit"),
    ),
    Route(
        "GET",
        f"{V1}/streams/{STREAM}/events/{SEQ}/inclusion",
        lambda api: api.chronicle.event_inclusion,
        wire.Inclusion,
        query=("size",),
    ),
    Route(
        "GET",
        f"{V1}/streams/{STREAM}/access/{SEQ}/inclusion",
        lambda api: api.chronicle.access_inclusion,
        wire.Inclusion,
        query=("size",),
    ),
    Route("GET", f"{V1}/log/checkpoint", lambda api: api.chronicle.checkpoint, "text/plain", signed_in=False),
    Route("GET", f"{V1}/log/witnessed", lambda api: api.chronicle.witnessed, "text/plain", signed_in=False),
    Route("GET", f"{V1}/log/tile/{TILE}", lambda api: api.chronicle.tile, wire.BLOB_MEDIA, signed_in=False),
    Route(
        "GET",
        f"{V1}/log/consistency",
        lambda api: api.chronicle.consistency,
        wire.Consistency,
        signed_in=False,
        query=("old", "new"),
    ),
    Route("GET", f"{V1}/news", lambda api: api.news, "text/event-stream"),
    Route("POST", f"{V1}/uploads", lambda api: api.uploads.begin_upload, wire.Upload, wire.UploadRequest, status=201),
    Route("GET", f"{V1}/uploads/{UPLOAD}", lambda api: api.uploads.upload, wire.Upload),
    Route("PATCH", f"{V1}/uploads/{UPLOAD}", lambda api: api.uploads.write_upload, wire.Upload, wire.BLOB_MEDIA),
    Route("POST", f"{V1}/uploads/{UPLOAD}", lambda api: api.uploads.finish_upload, wire.Stored, wire.UploadFinish),
    Route("DELETE", f"{V1}/uploads/{UPLOAD}", lambda api: api.uploads.abandon_upload, None, status=204),
    Route("GET", "/healthz", lambda api: api.healthy, "text/plain", signed_in=False),
    Route("GET", "/readyz", lambda api: api.ready, "text/plain", signed_in=False),
)
