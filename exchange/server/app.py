"""The aiohttp application: routes from the table, one wrapper that signs in, times, answers problems and logs."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from aiohttp import web

from exchange.logs import logger
from exchange.server import openapi, problems
from exchange.server.api import Api
from exchange.server.requests import PERSON
from exchange.server.routes import ROUTES, Handler, Route

# Documents are received while what came before is hashed and written.
READ_BUFFER = 1024 * 1024
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000",
}


def application(api: Api) -> web.Application:
    """Make the application."""
    limits = {"max_line_size": 4096, "max_field_size": 4096, "read_bufsize": READ_BUFFER}
    app = web.Application(handler_args={**limits, "access_log": None})
    log = logger()
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _wrapped(route, route.handler(api), api, log))
    document = msgspec.json.encode(openapi.document())

    async def describe(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=document, content_type="application/json")

    async def unknown(_request: web.Request) -> web.StreamResponse:
        return problems.plain(404, api.clock())

    app.router.add_get("/v1/openapi.json", describe)
    app.router.add_route("*", "/{path:.*}", unknown)
    app.on_response_prepare.append(_secured)
    return app


def _wrapped(route: Route, handler: Handler, api: Api, log: Any) -> Handler:
    """Answer a route's problems and write its line in the log."""
    name = f"{route.method} {route.template}"

    async def handle(request: web.Request) -> web.StreamResponse:
        began, code = time.perf_counter(), ""
        try:
            if route.signed_in:
                request[PERSON] = api.signed_in(request)
            response = await handler(request)
        except web.HTTPException as error:
            return problems.plain(error.status, api.clock())
        except Exception as error:  # noqa: BLE001  (every error becomes a problem; none leaves its text unforeseen)
            row = problems.row_of(error)
            if row is None:
                log.error("failed", route=name, error=type(error).__name__)
                return problems.unforeseen(api.clock())
            code, response = row.code, problems.answer(error, row, api.clock())
        spent = round((time.perf_counter() - began) * 1000, 1)
        if code:
            log.info("refused", route=name, status=response.status, code=code, ms=spent)
        else:
            log.debug("served", route=name, status=response.status, ms=spent)
        return response

    return handle


async def _secured(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
