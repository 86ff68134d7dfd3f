"""What could flatter a figure, measured: `python -m benchmarks.controls` prints it as JSON.

A ratio is honest only if its denominator was not held back: an empty server that waits for its sender is no
yardstick of servers, and one that hunts for cycles while ours does not is a slower one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks import stage
from benchmarks.accept import Prepared
from benchmarks.figure import median_ratio, rounded
from benchmarks.files import SIZE, _Exchange, _source
from exchange import collector

ROUNDS = 5
SCRATCH = Path("build/scratch")
RELAXED = (
    "import asyncio, sys; from pathlib import Path; from benchmarks import echo; from exchange import collector; "
    "collector.relax(); asyncio.run(echo._main(Path(sys.argv[1])))"
)


def main() -> int:
    """Measure every control in a directory of its own."""
    collector.relax()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="controls-", dir=SCRATCH))
    try:
        result = {"accept": accept(root), "memory": memory(root / "exchange")}
    finally:
        shutil.rmtree(root, ignore_errors=True)
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 0


def accept(root: Path) -> dict[str, Any]:
    """Rates of both servers, and the processor time each spent: near one core, it was the server that was measured."""
    prepared = Prepared(root / "posts")
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "echo": [], "echo_relaxed": []}
    for number in range(ROUNDS):
        with stage.echo(root) as url:
            runs["echo"].append(_busy(url, prepared.posts, psutil.Process().children()[-1].pid))
        with _relaxed_echo(root) as (url, process):
            runs["echo_relaxed"].append(_busy(url, prepared.posts, process))
        data = root / f"server{number}"
        asyncio.run(stage.store(data, prepared.before))
        with stage.server(data) as (url, process):
            runs["ours"].append(_busy(url, prepared.posts, process))
    return {name: _gathered(rounds) for name, rounds in runs.items()} | _ratios(runs)


def memory(root: Path) -> dict[str, float]:
    """The server's peak while it hands out a document, above a server that just started."""
    root.mkdir()
    with _Exchange(root) as exchange:
        process = psutil.Process(exchange._process)
        idle = process.memory_info().rss
        sent = exchange.do("send", _source(root / "document.bin"))
        between = process.memory_info().rss
        fetched = exchange.do("fetch", root / "received.bin")
        whole = _same(root / "document.bin", root / "received.bin")
    return {
        "server_receiving_MiB": sent["server"],
        "server_sending_MiB": fetched["server"] + (between - idle) / 2**20,
        "client_sending_MiB": sent["peak"] - sent["idle"],
        "client_receiving_MiB": fetched["peak"] - fetched["idle"],
        "document_MiB": SIZE / 2**20,
        "same_bytes": whole,
    }


@contextlib.contextmanager
def _relaxed_echo(root: Path) -> Iterator[tuple[str, int]]:
    """The empty server with the collector set as ours has it."""
    address = root / "relaxed.url"
    address.unlink(missing_ok=True)
    process = subprocess.Popen([stage.PYTHON, "-c", RELAXED, str(address)])
    try:
        yield stage._wait(process, address), process.pid
    finally:
        process.terminate()
        process.wait(30)


def _busy(url: str, posts: Path, process: int) -> dict[str, float]:
    """One run: its rate, and how many cores the server kept busy meanwhile."""
    watched = psutil.Process(process)
    before = _spent(watched)
    result = stage.send_all(url, posts)
    used = _spent(watched) - before
    return {
        "rate": result["rate"],
        "cores": used * result["rate"] / result["count"],
        "us": used / result["count"] * 1e6,
    }


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _gathered(rounds: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: rounded([one[name] for one in rounds]) for name in rounds[0]}


def _ratios(runs: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    rates = {name: [one["rate"] for one in rounds] for name, rounds in runs.items()}
    return {
        "over_echo": median_ratio(rates["ours"], rates["echo"]),
        "over_echo_relaxed": median_ratio(rates["ours"], rates["echo_relaxed"]),
    }


def _same(one: Path, other: Path) -> bool:
    return subprocess.run(["cmp", "-s", str(one), str(other)], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
