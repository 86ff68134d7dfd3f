"""A server process of its own on a fixed port, to be stopped, killed and started again; and how its data is prepared."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from events.envelope import SignedEvent
from exchange.client.home import JOURNAL, SETTINGS, SPOOL, Home, HomeSettings
from storage.log import EventLog
from storage.rows import Row
from tests.support.world import World

COLLOQUY = Path(sys.executable).with_name("colloquy")
READY_S = 30


def now() -> int:
    return time.time_ns() // 1_000_000


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


async def _store(data: Path, world: World) -> None:
    data.mkdir(parents=True)
    log = await EventLog.open(data / "events.sqlite")
    for stream, records in world.records.items():
        for envelope, body in records:
            signed = SignedEvent.parse(envelope)
            header = signed._header
            await log.append(Row(stream, header.seq, header.kind, signed.id, envelope, body))
    await log.close()


class ServerProcess:
    """`colloquy serve` on a world's events."""

    def __init__(self, root: Path, world: World) -> None:
        self.data = root / "server"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = (root / "server.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None
        asyncio.run(_store(self.data, world))

    def start(self, room: int = 0) -> None:
        """Start and wait until it listens; with `room`, no file of its can grow beyond so many bytes."""
        address = self.data / "server.url"
        address.unlink(missing_ok=True)
        command = [str(COLLOQUY), "serve", "--data", str(self.data), "--port", str(self.port)]
        environment = {**os.environ, "COLLOQUY_LOG_LEVEL": "info"}
        limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))) if room else None
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment, preexec_fn=limit)
        deadline = time.monotonic() + READY_S
        while not address.exists():
            assert self.process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        """As if the power went."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop; returns its status."""
        self.process.terminate()
        return self.process.wait(30)


def make_home(path: Path, url: str, world: World) -> Home:
    """A home without a key file: whoever uses it holds the identity otherwise."""
    for name in (JOURNAL, SPOOL):
        (path / name).mkdir(parents=True)
    (path / SETTINGS).write_bytes(msgspec.json.encode(HomeSettings(url, world.register.id.hex())))
    return Home(path)
