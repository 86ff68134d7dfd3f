"""A witness process of its own on a fixed port, to be asked, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import aiohttp

from events.checkpoint import cosigned_at
from events.forks import Evidence
from events.notes import Note, Vkey, read_signatures
from events.witnessing import AddCheckpoint
from exchange.witness.service import FORKS
from tests.support.process import COLLOQUY, READY_S, free_port
from tests.support.tree import TIME

NAME = "witness.example/nrl"


class WitnessProcess:
    """`colloquy witness serve` on a directory, to be killed and started again on the same port."""

    def __init__(self, root: Path, *logs: str, name: str = NAME, clock: Path | None = None) -> None:
        self.directory = root / "witness"
        self.clock = clock or root / "clock"
        if clock is None:
            self.set_clock(TIME)
        self.output = root / "witness.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.logs = logs
        made = self.colloquy("init", "--name", name)
        assert made.returncode == 0, made.stderr
        self.vkey = Vkey.parse(made.stdout.strip())
        self.process: subprocess.Popen[bytes] | None = None

    def set_clock(self, seconds: int) -> None:
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(str(seconds * 1000))
        fresh.replace(self.clock)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "COLLOQUY_EXERCISE_CLOCK": str(self.clock)}

    def colloquy(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(COLLOQUY), "witness", verb, "--dir", str(self.directory), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=self.environment, check=False)

    def start(self) -> None:
        logs = [word for log in self.logs for word in ("--log", log)]
        command = [str(COLLOQUY), "witness", "serve", "--dir", str(self.directory), "--port", str(self.port), *logs]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=self.environment)
        deadline = time.monotonic() + READY_S
        while not self._answers():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def post(self, body: bytes | AddCheckpoint) -> tuple[int, str, str]:
        """Status, media type and text of the answer."""
        data = body.encode() if isinstance(body, AddCheckpoint) else body
        async with aiohttp.ClientSession() as http, http.post(f"{self.url}/add-checkpoint", data=data) as answer:
            return answer.status, answer.headers["Content-Type"], await answer.text()

    def asked(self, body: bytes | AddCheckpoint) -> tuple[int, str, str]:
        return asyncio.run(self.post(body))

    def cosigned(self, request: AddCheckpoint) -> int:
        """The time of the cosignature that the witness gives to a request."""
        status, _, text = self.asked(request)
        assert status == 200, text
        return time_of(request.note, text, self.vkey)

    def forks(self) -> list[Evidence]:
        return [Evidence.parse(path.read_bytes()) for path in sorted((self.directory / FORKS).iterdir())]


def time_of(note: Note, answer: str, vkey: Vkey) -> int:
    (line,) = read_signatures(answer.encode())
    assert line.name == NAME
    found = cosigned_at(note.signed(line), vkey)
    assert found is not None
    return found
