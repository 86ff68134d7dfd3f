"""The witness's HTTP interface (c2sp.org/tlog-witness): POST /add-checkpoint, and GET /healthz for whoever runs it."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Executor

from aiohttp import web
from aiohttp.typedefs import Handler

from events.witnessing import MAX_REQUEST, SIZE_MEDIA
from exchange.logs import logger
from exchange.witness.errors import OtherSize, WitnessError
from exchange.witness.witness import Witness

BODY_S = 30.0
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def application(witness: Witness, worker: Executor) -> web.Application:
    """Make the application; the witness works on a thread of its own."""
    limits = {"max_line_size": 4096, "max_field_size": 4096}
    app = web.Application(client_max_size=MAX_REQUEST, handler_args={**limits, "access_log": None})

    async def add_checkpoint(request: web.Request) -> web.Response:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
        work = asyncio.get_running_loop().run_in_executor(worker, witness.add_checkpoint, body)
        return _text(200, (await work).line())

    async def health(_request: web.Request) -> web.Response:
        return _text(200, "ok\n")

    app.router.add_post("/add-checkpoint", add_checkpoint)
    app.router.add_get("/healthz", health)
    app.middlewares.append(_answered)
    return app


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what is refused, and write one line without content in the log."""
    began = time.perf_counter()
    response: web.StreamResponse
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = _text(error.status, f"{error.reason}\n")
    except TimeoutError:
        response = _text(408, "the request took too long\n")
    except OtherSize as error:
        response = web.Response(status=error.status, body=f"{error.size}\n".encode(), headers=HEADERS)
        response.headers["Content-Type"] = SIZE_MEDIA
    except WitnessError as error:
        response = _text(error.status, f"{error}\n")
    except Exception as error:  # noqa: BLE001  (whatever it is, nothing is cosigned and nothing told)
        logger().error("failed", error=type(error).__name__)
        response = _text(500, "something failed here; nothing was cosigned\n")
    spent = round((time.perf_counter() - began) * 1000, 1)
    logger().info("answered" if response.status < 400 else "refused", status=response.status, ms=spent)
    return response


def _text(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, headers=HEADERS)
