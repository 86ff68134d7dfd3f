"""Running a witness: its directory, its book, its routes; everything closed in order when it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from events.notes import KeyType, Vkey
from exchange import logs
from exchange.clock import Clock, clock_of
from exchange.notekeys import HeldKey, NoteKeyError
from exchange.witness.app import application
from exchange.witness.book import Book
from exchange.witness.witness import Witness

KEY_FILE = "witness.key"
BOOK = "cosigned.sqlite"
FORKS = "forks"
GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """Where a witness keeps its key and its book, which logs it looks at, where it listens, and by which clock."""

    directory: Path
    logs: tuple[Vkey, ...]
    host: str = "127.0.0.1"
    port: int = 8480
    exercise_clock: Path | None = None


def held_key(directory: Path) -> HeldKey:
    """The key of a witness's directory; raises NoteKeyError."""
    key = HeldKey.load(directory / KEY_FILE)
    if key.vkey.type is not KeyType.COSIGNATURE:
        raise NoteKeyError(f"{directory / KEY_FILE} is a log's key, not a witness's")
    return key


@asynccontextmanager
async def witness_of(settings: WitnessSettings, clock: Clock) -> AsyncIterator[web.Application]:
    """Open a witness's directory and wire its parts; raises NoteKeyError, OSError or sqlite3.Error."""
    key = held_key(settings.directory)
    forks = settings.directory / FORKS
    forks.mkdir(mode=0o700, exist_ok=True)
    book = Book(settings.directory / BOOK)
    # One thread: the book's steps come one after another anyway.
    with ThreadPoolExecutor(1) as worker:
        try:
            yield application(Witness(key, settings.logs, book, forks, clock), worker)
        finally:
            await asyncio.get_running_loop().run_in_executor(worker, book.close)


async def serve(
    settings: WitnessSettings, ready: Callable[[str], None] = lambda _url: None, stop: asyncio.Event | None = None
) -> None:
    """Serve until told to stop; `ready` is given the address."""
    stop = stop or asyncio.Event()
    async with witness_of(settings, clock_of(settings.exercise_clock)) as app:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_S, keepalive_timeout=75)
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port).start()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        ready(f"http://{host}:{runner.addresses[0][1]}")
        await stop.wait()
        await runner.cleanup()


def run(settings: WitnessSettings) -> int:
    """Run a witness in this process until SIGINT or SIGTERM; returns the exit status."""
    logs.configure("console", "info")

    async def whole() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await serve(settings, lambda url: print(f"listening on {url}", flush=True), stop)  # noqa: T201

    try:
        asyncio.run(whole())
    except (NoteKeyError, OSError, sqlite3.Error) as error:
        print(f"colloquy: the witness cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0
