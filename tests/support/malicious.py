"""A server that speaks the real protocol and lies: it stands before an honest one and changes what it likes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web

from events import canonical
from events.access import SignedStatement
from events.envelope import SignedEvent
from exchange import wire
from tests.support.live import Live
from tests.support.world import Said

Pages = Callable[[bytes, int, list[bytes]], list[bytes]]


class MaliciousServer:
    """What it does to envelopes, bodies and files is set by each test; everything else goes through."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.url = ""
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.raw: dict[str, bytes] = {}
        self._envelopes: dict[bytes, list[bytes]] = {}
        self._bodies: dict[tuple[bytes, int], bytes] = {}
        self._file: Callable[[bytes], bytes] = lambda data: data
        self._answer: Callable[[str, Any], Any] = lambda _path, value: value
        self._served: list[tuple[str, Callable[[str], bytes]]] = []
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> MaliciousServer:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    # -- lies

    def show(self, stream: bytes, envelopes: list[bytes]) -> None:
        """Show these envelopes as the whole of a stream."""
        self._envelopes[stream] = envelopes

    def change(self, stream: bytes, change: Callable[[list[bytes]], list[bytes]]) -> None:
        """Show a changed version of a stream."""
        self.show(stream, change([envelope for envelope, _ in self.live.world.records[stream]]))

    def collude(self, said: Said) -> SignedEvent:
        """With an insider: show an event they signed, which no honest server would take, with what travels with it."""
        signed, body = self.live.world.compose(said)
        stream, seq = signed.claimed_place
        shown = self._envelopes.setdefault(stream, [envelope for envelope, _ in self.live.world.records[stream]])
        shown.append(signed.envelope)
        if body is not None:
            self._bodies[stream, seq] = body
        return signed

    def give_body(self, stream: bytes, seq: int, body: bytes) -> None:
        """Show another body with an event."""
        self._bodies[stream, seq] = body

    def change_files(self, change: Callable[[bytes], bytes]) -> None:
        """Change sealed files on their way."""
        self._file = change

    def change_answers(self, change: Callable[[str, Any], Any]) -> None:
        """Change JSON answers."""
        self._answer = change

    def serve(self, prefix: str, answer: Callable[[str], bytes]) -> None:
        """Answer all paths that begin so with bytes of one's own."""
        self._served.append((prefix, answer))

    # -- the protocol

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        self.requests.append((request.method, str(request.rel_url), dict(request.headers), data))
        path = request.path
        if path in self.raw:
            return web.Response(body=self.raw[path], content_type="application/octet-stream")
        for prefix, answer in self._served:
            if path.startswith(prefix):
                return web.Response(body=answer(path), content_type="application/octet-stream")
        stream = bytes.fromhex(path.split("/")[3]) if path.startswith("/v1/streams/") else b""
        if request.method == "GET" and path.endswith("/events") and stream in self._envelopes:
            after, limit = int(request.query["after"]), int(request.query["limit"])
            page = self._envelopes[stream][after + 1 : after + 1 + limit]
            return web.Response(body=canonical.encode(page), content_type=wire.EVENTS_MEDIA)
        if path.endswith("/bodies"):
            return await self._serve_bodies(request, stream, data)
        status, headers, raw = await self._forward(request, data)
        if path.endswith("/files"):
            raw = self._file(raw)
        elif headers.get("Content-Type", "").startswith("application/json"):
            raw = json.dumps(self._answer(path, json.loads(raw))).encode()
        return web.Response(status=status, body=raw, content_type=headers["Content-Type"].split(";")[0])

    async def _serve_bodies(self, request: web.Request, stream: bytes, data: bytes) -> web.StreamResponse:
        wanted = [self._seq(stream, want.event) for want in SignedStatement.parse(data)._statement.wants]
        forged = {seq: self._bodies[stream, seq] for seq in wanted if (stream, seq) in self._bodies}
        if forged:
            bodies = [forged.get(seq, self._true_body(stream, seq)) for seq in wanted]
            return web.Response(body=canonical.encode(bodies), content_type=wire.BODIES_MEDIA)
        status, headers, raw = await self._forward(request, data)
        return web.Response(status=status, body=raw, content_type=headers["Content-Type"].split(";")[0])

    def _seq(self, stream: bytes, event: bytes) -> int:
        """The number of an event among those it shows."""
        shown = self._envelopes.get(stream) or [envelope for envelope, _ in self.live.world.records[stream]]
        return next((seq for seq, one in enumerate(shown) if hashlib.sha256(one).digest() == event), -1)

    def _true_body(self, stream: bytes, seq: int) -> bytes | None:
        records = self.live.world.records[stream]
        return records[seq][1] if 0 <= seq < len(records) else None

    async def _forward(self, request: web.Request, data: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {k: v for k, v in request.headers.items() if k not in ("Host", "Content-Length", "Transfer-Encoding")}
        async with aiohttp.ClientSession(self.live.url) as http:
            async with http.request(request.method, request.rel_url, data=data, headers=headers) as answer:
                return answer.status, dict(answer.headers), await answer.read()
