"""Large documents: sealed, sent and received, over `age` encrypting the same file; and the memory it takes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import nacl.bindings
import psutil

from benchmarks import stage
from benchmarks.figure import Figure, median_ratio, rounded
from exchange.client.home import JOURNAL, SETTINGS, SPOOL, HomeSettings
from keys import files
from keys.epoch import EpochKey
from keys.sealing import CHUNK, ObjectKey, new_salt
from tests.support.world import Actor, World

SIZE = 512 * 2**20
ROUNDS = 7
BLOCK = 2**20


def documents(root: Path) -> Iterator[Figure]:
    """Sealing to disk and sending, over age; peak memory above idle."""
    source = _source(root / "document.bin")
    age = _Age(root)
    sealed, sent, theirs, memory = [], [], [], []
    with _Exchange(root / "exchange") as exchange:
        for _ in range(ROUNDS):
            theirs.append(age.encrypt(source))
            sealed.append(_seal(source, root / "sealed.bin"))
            exchange.forget()
            result = exchange.do("send", source)
            sent.append(result["seconds"])
            memory.append(result)
        received = exchange.do("fetch", root / "received.bin")
        same = (root / "received.bin").stat().st_size == SIZE
    rates = {"seal_s": rounded(sealed), "send_s": rounded(sent), f"{age.name}_s": rounded(theirs)}
    speed = [SIZE / 2**20 / seconds for seconds in sealed]
    yield Figure(
        name="seal_vs_age",
        ratio=median_ratio(theirs, sealed),
        target=0.8,
        what="512 MiB sealed to a file and flushed",
        over=f"{age.name} encrypting the same file, flushed",
        measured={**rates, "MiB_per_s": rounded(speed)},
        note="the aim is above 1",
    )
    yield Figure(
        name="send_vs_age",
        ratio=median_ratio(theirs, sent),
        target=0.35,
        what="512 MiB sealed, uploaded, hashed and durable on the server",
        over=f"{age.name} encrypting the same file, flushed",
        measured={**rates, "received_s": rounded([received["seconds"]]), "received_whole": same},
    )
    above = {
        "client_sending": max(one["peak"] - one["idle"] for one in memory),
        "client_receiving": received["peak"] - received["idle"],
        "server_receiving": max(one["server"] for one in memory),
        "server_sending": received["server"],
    }
    yield Figure(
        name="memory",
        ratio=max(above.values()) / 64,
        target=1.0,
        least=False,
        what="peak memory above idle for a document of 512 MiB",
        over="64 MiB",
        measured={f"{name}_MiB": rounded([value]) for name, value in above.items()},
    )


class _Age:
    """`age` with a fresh recipient; where it is absent, bare chunked libsodium."""

    def __init__(self, root: Path) -> None:
        self._target = root / "age.bin"
        self.name = "age" if shutil.which("age") and shutil.which("age-keygen") else "libsodium"
        if self.name == "age":
            made = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout
            self._recipient = next(line.split()[-1] for line in made.splitlines() if "public key" in line)

    def encrypt(self, source: Path) -> float:
        """Encrypt and flush; returns seconds."""
        _settle(self._target)
        began = time.perf_counter()
        if self.name == "age":
            command = ["age", "-r", self._recipient, "-o", str(self._target), str(source)]
            subprocess.run(command, check=True)
            _flush(self._target)
        else:
            _bare(source, self._target)
        return time.perf_counter() - began


def _bare(source: Path, target: Path) -> None:
    key = os.urandom(32)
    with source.open("rb") as plain, target.open("wb") as sealed:
        for number, chunk in enumerate(iter(lambda: plain.read(CHUNK), b"")):
            nonce = number.to_bytes(24, "big")
            sealed.write(nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(chunk, None, nonce, key))
        sealed.flush()
        os.fsync(sealed.fileno())


def _seal(source: Path, target: Path) -> float:
    _settle(target)
    key = ObjectKey.derive(EpochKey.generate(b"benchmark", 1), b"document", new_salt())
    began = time.perf_counter()
    with source.open("rb") as plain, target.open("wb") as sealed, files.Flusher(sealed.fileno()) as flusher:
        files.write_sealed(key, plain.fileno(), SIZE, sealed.fileno(), flusher.passed)
    return time.perf_counter() - began


class _Exchange:
    """A server process with a review, and a member whose client runs in processes of its own."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._world = World(time=stage.now(), step=0)
        self._server: Any = None

    def __enter__(self) -> _Exchange:
        world = self._world
        world.open_review()
        records = [record for stream in world.records.values() for record in stream]
        asyncio.run(stage.store(self._root / "server", records))
        self._server = stage.server(self._root / "server")
        self._url, self._process = self._server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    def forget(self) -> None:
        """Remove what earlier rounds stored, as the other side's output is removed."""
        for path in (self._root / "server" / "files").glob("??/??/*"):
            path.unlink()

    def do(self, what: str, path: Path) -> dict[str, float]:
        """Send or fetch a document; returns seconds, and MiB of memory."""
        _settle(self._root / "none")
        told = self._told(self._world.actors["vda"], path)
        watch = _Watch(self._process)
        command = [stage.PYTHON, "-m", "benchmarks.member", what, str(told)]
        done = subprocess.run(command, check=True, capture_output=True)
        result: dict[str, float] = json.loads(done.stdout)
        return {**result, "server": watch.stop()}

    def _told(self, actor: Actor, path: Path) -> Path:
        home = self._root / "home"
        for name in (JOURNAL, SPOOL):
            (home / name).mkdir(parents=True, exist_ok=True)
        world = self._world
        settings = HomeSettings(self._url, world.register.id.hex())
        (home / SETTINGS).write_bytes(msgspec.json.encode(settings))
        told = self._root / "told.json"
        facts = {
            "signing": actor.identity.signing_seed.hex(),
            "sealing": actor.identity.sealing_seed.hex(),
            "home": str(home),
            "review": world.review.id.hex(),
            "path": str(path),
        }
        told.write_text(json.dumps(facts))
        return told


class _Watch:
    """The peak memory of a process above what it had at the beginning, in MiB."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self._idle = self._peak = self._process.memory_info().rss
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def stop(self) -> float:
        """End; returns the peak above the beginning."""
        self._over.set()
        self._thread.join()
        return (self._peak - self._idle) / 2**20


def _source(path: Path) -> Path:
    with path.open("wb") as file:
        for _ in range(SIZE // BLOCK):
            file.write(os.urandom(BLOCK))
        file.flush()
        os.fsync(file.fileno())
    return path


def _settle(target: Path) -> None:
    target.unlink(missing_ok=True)
    os.sync()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
