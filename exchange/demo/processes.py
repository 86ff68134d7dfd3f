"""The processes that listen: the server and the witnesses, each on a port of loopback."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

COLLOQUY = Path(sys.executable).with_name("colloquy")
READY_SECONDS = 30.0
STOP_SECONDS = 20.0


class DemoFailed(Exception):
    """A step of the demo did not go as it must."""


@dataclass(slots=True)
class Listener:
    """A command that listens, and where."""

    words: tuple[str, ...]
    url: str
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, words: tuple[str, ...], port: str, clock: Path, log: Path) -> Listener:
        """Start a command that says “listening on URL”; what it prints goes to `log`. Raises DemoFailed."""
        env = {**os.environ, "COLLOQUY_EXERCISE_CLOCK": str(clock), "COLLOQUY_LOG_LEVEL": "info"}
        began = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            process = subprocess.Popen([str(COLLOQUY), *words, "--port", port], env=env, stdout=output, stderr=output)
        deadline = time.monotonic() + READY_SECONDS
        while not (said := re.search(rb"^listening on (\S+)\n", log.read_bytes()[began:], re.MULTILINE)):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise DemoFailed(f"colloquy {words[0]} did not start; see {log}")
            time.sleep(0.05)
        return cls(words, said[1].decode(), process)

    @property
    def port(self) -> str:
        """The port, to be listened on again."""
        return self.url.rpartition(":")[2]

    @property
    def again(self) -> str:
        """The command that starts it again where it was, for a shell."""
        return shlex.join([str(COLLOQUY), *self.words, "--port", self.port])

    def stop(self) -> None:
        """Stop it in order; what does not stop is killed."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()
