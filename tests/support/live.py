"""A real server on loopback with a world's events in it, and real clients of the world's people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec

from events import canonical
from events.entries import EntryType
from events.envelope import SignedEvent
from exchange import wire
from exchange.client.client import Client
from exchange.client.home import JOURNAL, SETTINGS, SPOOL, Home, HomeSettings
from exchange.client.remote import Remote
from exchange.server.service import serve
from exchange.settings import ServerSettings
from tests.support.world import Said, World

MARGIN_S = 15


class Live:
    """A server process's whole inside, in this event loop, spoken to over real HTTP only."""

    def __init__(self, root: Path, world: World, **settings: object) -> None:
        self.root = root
        self.world = world
        self.url = ""
        self._settings = settings
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sent: dict[bytes, int] = {}
        self._stack = AsyncExitStack()
        self._homes = 0

    # -- the server

    async def __aenter__(self) -> Live:
        await self._stack.__aenter__()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self.stop()

    async def start(self) -> None:
        self.set_clock(self.world.time)
        self._stop = asyncio.Event()
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        settings = ServerSettings(
            data=self.root / "server", port=0, exercise_clock=self.root / "clock", **self._settings
        )
        self._task = asyncio.create_task(serve(settings, ready.set_result, self._stop))
        await asyncio.wait((self._task, ready), timeout=MARGIN_S, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()
        self.url = ready.result()

    async def stop(self) -> None:
        if self._task is not None:
            self._stop.set()
            await self._task
            self._task = None

    def set_clock(self, ms: int) -> None:
        (self.root / "clock").write_text(datetime.fromtimestamp(ms / 1000, UTC).isoformat())

    # -- raw HTTP

    @asynccontextmanager
    async def http(self) -> AsyncIterator[aiohttp.ClientSession]:
        async with aiohttp.ClientSession(self.url) as session:
            yield session

    async def post(
        self, signed: SignedEvent, body: bytes | None, stream: bytes | None = None
    ) -> tuple[int, wire.Problem | None]:
        """Hand in an event as anyone can; returns the status and the problem."""
        place = signed.claimed_place[0] if stream is None else stream
        path = f"/v1/streams/{place.hex()}/events" if place else "/v1/streams"
        async with self.http() as http, http.post(path, data=canonical.encode([signed.envelope, body])) as answer:
            raw = await answer.read()
            return answer.status, msgspec.json.decode(raw, type=wire.Problem) if answer.status >= 400 else None

    async def say(self, said: Said) -> tuple[int, wire.Problem | None]:
        """Compose as an actor, whether it is allowed or not, and hand it in."""
        signed, body = self.world.compose(said)
        return await self.post(signed, body)

    async def push(self) -> None:
        """Hand in everything of the world that the server does not have yet, files first."""
        for stream, records in self.world.records.items():
            for envelope, body in records[self._sent.get(stream, 0) :]:
                signed = SignedEvent.parse(envelope)
                header = signed._header
                self.set_clock(header.time)
                for ref in header.objects[1:]:
                    await self._upload(header.author, self.world.blobs[ref.digest], ref.digest)
                status, problem = await self.post(signed, body)
                assert status == 201, (header.kind, problem)
            self._sent[stream] = len(records)
        self.set_clock(self.world.time)

    async def _upload(self, author: bytes, sealed: bytes, digest: bytes) -> None:
        identity = self.world.by_device(author).identity
        now = int(datetime.fromisoformat((self.root / "clock").read_text()).timestamp() * 1000)
        async with Remote(self.url, identity, lambda: now) as remote:
            upload = await remote.begin_upload(len(sealed))

            async def blocks() -> AsyncIterator[bytes]:
                yield sealed

            await remote.write(upload.id, 0, blocks(), len(sealed))
            await remote.finish_upload(upload.id, digest)

    async def read_whole(self) -> None:
        """Wait until the server has put on record how every reading ended; nobody else waits for it."""
        remote = await self.remote("oversight")
        for stream in self.world.records:
            for _ in range(100):
                kinds = [kind for kind, _ in await remote.accesses(stream, -1)]
                if kinds.count(EntryType.STATEMENT) == kinds.count(EntryType.COMPLETION):
                    break
                await asyncio.sleep(0.02)

    # -- clients

    def home(self, who: str, url: str = "", register: bytes = b"") -> Home:
        """A home without a key file: the slow part of making one is not needed here."""
        self._homes += 1
        path = self.root / f"home-{who}-{self._homes}"
        for name in ("", JOURNAL, SPOOL):
            (path / name).mkdir(mode=0o700)
        register = register or (self.world.register.id if self.world.register else b"")
        settings = HomeSettings(url or self.url, register.hex())
        (path / SETTINGS).write_bytes(msgspec.json.encode(settings))
        return Home(path)

    async def client(self, who: str, url: str = "", home: Home | None = None) -> Client:
        """A connected client of one of the world's people."""
        identity = self.world.actors[who].identity
        client = Client(home or self.home(who, url), identity, lambda: self.world.time)
        return await self._stack.enter_async_context(client)

    async def remote(self, who: str, url: str = "") -> Remote:
        remote = Remote(url or self.url, self.world.actors[who].identity, lambda: self.world.time)
        return await self._stack.enter_async_context(remote)
