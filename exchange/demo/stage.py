"""The stage: processes that listen, a home and a command process for each person, one clock, one transcript."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from exchange.demo.processes import COLLOQUY, DemoFailed, Listener

START = datetime(2026, 1, 20, 9, 0, tzinfo=UTC)
WIDTH = "150"


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
    server: Listener | None = None
    url: str = ""
    now: datetime = START
    step: int = 0
    actors: dict[str, Actor] = field(default_factory=dict)
    witnesses: dict[str, Listener] = field(default_factory=dict)

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

    def start_server(self, port: str = "0") -> None:
        """Start `colloquy serve` on a port of loopback, any free one by default."""
        self._write_clock()
        words = ("serve", "--data", str(self.root / "server"))
        self.server = Listener.start(words, port, self.root / "clock", self.root / "server.log")
        self.url = self.server.url

    def stop_server(self) -> str:
        """Stop the server in order; returns the port to start it on again."""
        if self.server is None:
            return "0"
        self.server.stop()
        return self.server.port

    def start_witness(self, name: str, log: str) -> str:
        """Start a witness of a log, with a directory and a key of its own; returns its public key."""
        directory = self.root / "witnesses" / name
        called = f"witness.example/{name.lower()}"
        words = ("--json", "witness", "init", "--dir", str(directory), "--name", called)
        made = json.loads(self.alone(f"Witness {name}", *words))
        serve = ("witness", "serve", "--dir", str(directory), "--log", log)
        self.witnesses[name] = Listener.start(serve, "0", self.root / "clock", directory / "witness.log")
        return str(made["vkey"])

    def stop_all(self) -> None:
        """Stop whatever still listens, in order."""
        self.stop_server()
        for witness in self.witnesses.values():
            witness.stop()

    def keep_script(self, path: Path) -> None:
        """Write a script that starts the server and the witnesses again, where the announced policy says they are."""
        listeners = [*self.witnesses.values(), *((self.server,) if self.server else ())]
        clock = shlex.quote(str(self.root / "clock"))
        path.write_text(
            "#!/bin/sh\n# The demo's witnesses and its server, on the ports they had; ends with the script.\n"
            f"export COLLOQUY_EXERCISE_CLOCK={clock}\n"
            "pids=\ntrap 'kill $pids' EXIT\ntrap 'exit 130' INT\ntrap 'exit 143' TERM\n"
            + "".join(f'{listener.again} & pids="$pids $!"\n' for listener in listeners)
            + "wait\n"
        )

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
        return self._run(f"{actor.name} ({actor.state or actor.role})", words, self._env(actor), fails, show)

    def alone(self, who: str, *words: str, fails: int = 0, show: bool = False) -> str:
        """One command without a home, a passphrase or a setting; otherwise like `do`."""
        nowhere = str(self.root / "nowhere")
        env = {"PATH": os.environ.get("PATH", ""), "HOME": nowhere, "COLLOQUY_HOME": nowhere, "COLUMNS": WIDTH}
        return self._run(who, words, env, fails, show)

    def _run(self, who: str, words: tuple[str, ...], env: dict[str, str], fails: int | None, show: bool) -> str:  # noqa: FBT001
        self.step += 1
        self.now += timedelta(minutes=3)
        self._write_clock()
        line = f"colloquy {shlex.join(words)}"
        began = time.perf_counter()
        done = subprocess.run(
            [str(COLLOQUY), *words], env=env, capture_output=True, text=True, timeout=600, check=False
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
            "COLUMNS": WIDTH,
        }

    def _write_clock(self) -> None:
        path = self.root / "clock.new"
        path.write_text(self.now.isoformat())
        path.replace(self.root / "clock")
