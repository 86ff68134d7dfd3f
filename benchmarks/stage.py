"""Processes that are measured: a real server, an empty one, and senders; each on its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.sender import Posts
from events import canonical
from events.envelope import SignedEvent
from storage.log import EventLog
from storage.rows import Row

READY_S = 60.0
PYTHON = sys.executable
COLLOQUY = Path(sys.executable).with_name("colloquy")


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@contextlib.contextmanager
def server(data: Path, *, without: str = "") -> Iterator[tuple[str, int]]:
    """A server process on a free port, or one that leaves something out; yields its address and its process id."""
    address = data / "server.url"
    address.unlink(missing_ok=True)
    command = [str(COLLOQUY), "serve", "--data", str(data), "--port", "0"]
    if without:
        command = [PYTHON, "-m", "benchmarks.without", without, str(data)]
    environment = {**os.environ, "COLLOQUY_LOG_LEVEL": "warning"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield _wait(process, address), process.pid
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def echo(directory: Path) -> Iterator[str]:
    """The smallest aiohttp server that takes a post; yields its address."""
    address = directory / "echo.url"
    address.unlink(missing_ok=True)
    process = subprocess.Popen([PYTHON, "-m", "benchmarks.echo", str(address)])
    try:
        yield _wait(process, address)
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], address: Path) -> str:
    deadline = time.monotonic() + READY_S
    while not address.exists() or not address.read_text().endswith("\n"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("a process that is to be measured did not start")
        time.sleep(0.02)
    return address.read_text().strip()


def send_all(url: str, posts: Path) -> dict[str, Any]:
    """Let a sender process hand in what was prepared; returns what it measured."""
    done = subprocess.run([PYTHON, "-m", "benchmarks.sender", url, str(posts)], check=True, capture_output=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def write_posts(
    path: Path,
    lanes: list[list[tuple[str, bytes]]],
    headers: list[dict[str, str]] | None = None,
    *,
    status: int = 201,
) -> None:
    """Write what a sender hands in: for each connection its paths and bodies in their order, and its headers."""
    path.write_bytes(msgspec.msgpack.encode(Posts(lanes, headers or [{}] * len(lanes), status)))


def post_of(envelope: bytes, body: bytes | None) -> tuple[str, bytes]:
    """The path and bytes with which an event is handed in."""
    stream = SignedEvent.parse(envelope).claimed_place[0]
    return (f"/v1/streams/{stream.hex()}/events" if stream else "/v1/streams"), canonical.encode([envelope, body])


async def store(data: Path, records: Sequence[tuple[bytes, bytes | None]]) -> None:
    """Write events into a server's database before it starts."""
    data.mkdir(parents=True, exist_ok=True)
    log = await EventLog.open(data / "events.sqlite")
    waiting = []
    for envelope, body in records:
        signed = SignedEvent.parse(envelope)
        header = signed._header
        stream = header.stream or signed.id
        row = Row(stream, header.seq, header.kind, signed.id, envelope, body)
        waiting.append(asyncio.ensure_future(log.append(row)))
    await asyncio.gather(*waiting)
    await log.close()
