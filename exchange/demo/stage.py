"""The stage: a server process, a home and a command process for each person, one clock, one transcript."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

START = datetime(2026, 1, 20, 9, 0, tzinfo=UTC)
COLLOQUY = Path(sys.executable).with_name("colloquy")
READY_SECONDS = 30.0


class DemoFailed(Exception):
    """A step of the demo did not go as it must."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a home directory, a key and a passphrase of their own."""

    key: str
    name: str
    role: str
    state: str
    home: Path


@dataclass(slots=True)
class Stage:
    """Where the demo happens."""

    root: Path
    console: Console
    transcript: TextIO
    server: subprocess.Popen[str] | None = None
    url: str = ""
    now: datetime = START
    step: int = 0
    actors: dict[str, Actor] = field(default_factory=dict)

    @classmethod
    def set(cls, root: Path) -> Stage:
        """Clear the stage and begin a transcript."""
        shutil.rmtree(root, ignore_errors=True)
        (root / "people").mkdir(parents=True)
        return cls(
            root, Console(highlight=False, soft_wrap=True), (root / "transcript.txt").open("w", encoding="utf-8")
        )

    def enter(self, key: str, name: str, role: str, state: str = "") -> Actor:
        """Bring a person on stage."""
        home = self.root / "people" / key
        home.mkdir(mode=0o700)
        passphrase = home / "passphrase.txt"
        passphrase.touch(0o600)
        passphrase.write_text(secrets.token_urlsafe(18))
        actor = Actor(key, name, role, state, home)
        self.actors[key] = actor
        return actor

    def set_clock(self, day: str) -> None:
        """Go to nine o'clock of a day; all processes read the same exercise clock."""
        self.now = datetime.fromisoformat(f"{day}T09:00:00+00:00")
        self._write_clock()
        self.heading(f"— {self.now:%d %B %Y} —")

    def start_server(self) -> None:
        """Start `colloquy serve` on a free port of loopback."""
        self._write_clock()
        env = {**os.environ, "COLLOQUY_EXERCISE_CLOCK": str(self.root / "clock"), "COLLOQUY_LOG_LEVEL": "info"}
        log = (self.root / "server.log").open("w")
        command = [str(COLLOQUY), "serve", "--data", str(self.root / "server"), "--port", "0"]
        self.server = subprocess.Popen(command, env=env, stdout=log, stderr=log, text=True)
        deadline = time.monotonic() + READY_SECONDS
        address = self.root / "server" / "server.url"
        while not address.exists() or not address.read_text().endswith("\n"):
            if self.server.poll() is not None or time.monotonic() > deadline:
                raise DemoFailed(f"the server did not start; see {self.root / 'server.log'}")
            time.sleep(0.05)
        self.url = address.read_text().strip()
        self.say(f"A server listens on {self.url}; it will hold everything and read nothing.")

    def stop_server(self) -> None:
        """Stop the server in order."""
        if self.server is not None:
            self.server.terminate()
            self.server.wait(20)

    def heading(self, text: str) -> None:
        """A new scene."""
        self.console.print(f"\n[bold]{text}[/bold]")
        self.transcript.write(f"\n\n=== {text}\n")

    def say(self, text: str) -> None:
        """A remark."""
        self.console.print(text, markup=False)
        self.transcript.write(f"{text}\n")

    def do(self, actor: Actor, *words: str, fails: int | None = 0, show: bool = False) -> str:
        """One command of one person, in a process of its own; returns what it printed.

        Raises DemoFailed unless it ends with the status `fails`; None is for trying.
        """
        self.step += 1
        self.now += timedelta(minutes=3)
        self._write_clock()
        line = f"colloquy {shlex.join(words)}"
        who = f"{actor.name} ({actor.state or actor.role})"
        began = time.perf_counter()
        done = subprocess.run(
            [str(COLLOQUY), *words], env=self._env(actor), capture_output=True, text=True, timeout=600, check=False
        )
        spent = time.perf_counter() - began
        well = fails in (None, done.returncode)
        mark = "FAILED" if not well else "✗ as it must" if done.returncode else "·"
        self.console.print(f"{self.step:>4}  {who}: {line}  {mark} {spent:.1f} s", markup=False, soft_wrap=True)
        self.transcript.write(
            f"\n[{self.step}] {who}\n$ {line}\n{done.stdout}{done.stderr}(status {done.returncode})\n"
        )
        if not well:
            raise DemoFailed(
                f"step {self.step} ended with status {done.returncode}, not {fails}:\n{done.stdout}{done.stderr}"
            )
        if show or fails:
            self.console.print(
                (done.stderr if fails else done.stdout).rstrip(), markup=False, style="dim" if fails else None
            )
        return done.stdout

    def ask(self, actor: Actor, *words: str) -> Any:
        """One command with --json; returns its result."""
        return json.loads(self.do(actor, "--json", *words))

    def _env(self, actor: Actor) -> dict[str, str]:
        return {
            **os.environ,
            "COLLOQUY_HOME": str(actor.home),
            "COLLOQUY_PASSPHRASE_FILE": str(actor.home / "passphrase.txt"),
            "COLLOQUY_EXERCISE_CLOCK": str(self.root / "clock"),
            "COLUMNS": "150",
        }

    def _write_clock(self) -> None:
        path = self.root / "clock.new"
        path.write_text(self.now.isoformat())
        path.replace(self.root / "clock")
