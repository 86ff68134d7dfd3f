"""The smallest aiohttp server that takes a post and answers: `python -m benchmarks.echo FILE`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web

ANSWER = b'{"stream":"' + b"0" * 64 + b'","seq":1,"hash":"' + b"0" * 64 + b'","repeated":false}'


async def _post(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=201, body=ANSWER, content_type="application/json")


async def _main(address: Path) -> None:
    app = web.Application()
    app.router.add_post("/{path:.*}", _post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    address.write_text(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
