"""Running a server: engines opened, routes served, everything closed in order when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from filelock import FileLock, Timeout

from events.errors import BadNote
from events.notes import KeyType
from exchange import collector, logs
from exchange.clock import Clock, clock_of
from exchange.notekeys import HeldKey, NoteKeyError
from exchange.server.accept import Acceptance
from exchange.server.api import Api
from exchange.server.app import application
from exchange.server.auth import Sessions
from exchange.server.log_api import LogApi
from exchange.server.news import Newsroom
from exchange.server.notary import Notary
from exchange.server.reading_api import ReadingApi
from exchange.server.readings import Readings
from exchange.server.states import States
from exchange.server.upload_api import UploadApi
from exchange.server.witnesses import Gatherer
from exchange.settings import ServerSettings
from storage.blobs.directory import DirectoryStore
from storage.errors import StorageError, StorageUnavailable
from storage.log import EventLog
from storage.uploads import Uploads

SWEEP_S = 3600.0
GRACE_S = 10.0
LOG_KEY = "log.key"


@asynccontextmanager
async def engines(settings: ServerSettings, clock: Clock) -> AsyncIterator[Api]:
    """Open the embedded engines and wire the parts; raises StorageUnavailable if another server uses the data."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(settings.data / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise StorageUnavailable(f"another server uses {settings.data}; nothing was changed") from None
    log = await EventLog.open(settings.data / "events.sqlite")
    blobs = DirectoryStore(settings.data / "files")
    uploads = Uploads(settings.data / "files" / "uploads", blobs, max_size=settings.max_file)
    newsroom = Newsroom()
    states = States(log, settings.max_reviews_in_memory)
    notary = Notary(log, settings.data / "log.sqlite", log_key(settings))
    readings = Readings(log, states, clock, notary.appended)
    try:
        await states.load()
        await notary.start()
        if settings.exercise_clock and states.register_id and not states.register.exercise:
            raise StorageUnavailable("an exercise clock is set, but this register is no exercise")
        acceptance = Acceptance(
            log,
            blobs,
            states,
            clock,
            _published(newsroom, notary),
            notary,
            founder=bytes.fromhex(settings.founder),
            exercise=settings.exercise_clock is not None,
        )
        sessions = Sessions(states, clock)
        api = Api(
            log,
            blobs,
            states,
            acceptance,
            sessions,
            newsroom,
            clock,
            settings.max_file,
            uploads=UploadApi(uploads, clock),
            reading=ReadingApi(log, blobs, states, readings),
            chronicle=LogApi(notary, states),
            log_key=notary.vkey,
        )
        gathering = asyncio.create_task(Gatherer(notary, states, clock).run())
        try:
            yield api
        finally:
            gathering.cancel()
            await asyncio.gather(gathering, return_exceptions=True)
    finally:
        await readings.close()
        await notary.close()
        uploads.close()
        await log.close()
        lock.release()


def log_key(settings: ServerSettings) -> HeldKey:
    """The log's own key, made at the first start; raises StorageUnavailable if it is damaged or of another origin."""
    path = settings.data / LOG_KEY
    try:
        if not path.exists():
            HeldKey.generate(settings.log_origin or _new_origin(), KeyType.ED25519).save(path)
        held = HeldKey.load(path)
    except (NoteKeyError, BadNote) as error:
        raise StorageUnavailable(f"{error}; put it back from a backup") from None
    if settings.log_origin not in ("", held.vkey.name):
        raise StorageUnavailable(f"this log is named {held.vkey.name}; a log keeps its name. Nothing was changed")
    return held


def _new_origin() -> str:
    """A log's name where the operator gives none: no two logs share it."""
    return f"colloquy/{secrets.token_hex(8)}"


def _published(newsroom: Newsroom, notary: Notary) -> Callable[[bytes, int], None]:
    def published(stream: bytes, seq: int) -> None:
        notary.appended()
        newsroom.publish(stream, seq)

    return published


async def serve(
    settings: ServerSettings, ready: Callable[[str], None] = lambda _url: None, stop: asyncio.Event | None = None
) -> None:
    """Serve until told to stop; `ready` is given the address."""
    stop = stop or asyncio.Event()
    clock = clock_of(settings.exercise_clock)
    async with engines(settings, clock) as api:
        runner = web.AppRunner(application(api), access_log=None, shutdown_timeout=GRACE_S, keepalive_timeout=75)
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=_tls(settings), backlog=1024)
        await site.start()
        sweeping = asyncio.create_task(_sweep(api, clock))
        url = _url(settings, runner)
        (settings.data / "server.url").write_text(url + "\n")
        ready(url)
        await stop.wait()
        api.closing.set()
        sweeping.cancel()
        await runner.cleanup()


def run(settings: ServerSettings) -> int:
    """Run a server in this process until SIGINT or SIGTERM; returns the exit status."""
    logs.configure(settings.log_format, settings.log_level)
    collector.relax()

    async def whole() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await serve(settings, lambda url: print(f"listening on {url}", flush=True), stop)  # noqa: T201

    try:
        asyncio.run(whole())
    except (StorageError, OSError) as error:
        print(f"colloquy: the server cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _sweep(api: Api, clock: Clock) -> None:
    """Discard abandoned uploads from time to time."""
    while True:
        with contextlib.suppress(StorageError):
            await api.uploads.sweep(clock() / 1000)
        await asyncio.sleep(SWEEP_S)


def _tls(settings: ServerSettings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


def _url(settings: ServerSettings, runner: web.AppRunner) -> str:
    port = runner.addresses[0][1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'https' if settings.tls_certificate else 'http'}://{host}:{port}"
