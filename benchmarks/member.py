"""A member's client in a process of its own: `python -m benchmarks.member DO FILE`, told what to do by a JSON file."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import psutil

from benchmarks.stage import now
from events.kinds.response import Paper
from events.rule import FileInfo, rule_of
from events.stream import PARTIES
from exchange.client.client import Client
from exchange.client.compose import Draft
from exchange.client.home import Home
from exchange.client.transfer import Attachment
from keys.identity import Identity


async def _send(client: Client, stream: bytes, path: Path) -> dict[str, float]:
    info = FileInfo(path.name, "Annex", "application/octet-stream", path.stat().st_size)

    async def build(_state: object) -> Draft:
        clear = rule_of("information.provided").clear()
        return Draft("information.provided", clear, (), "en", Paper("Annex", files=(info,)), PARTIES)

    await client.review(stream)
    before = await _rested()
    began = time.perf_counter()
    await client.send(stream, ("annex", time.time_ns()), build, circle=PARTIES, attachments=[Attachment.of(path)])
    return {"seconds": time.perf_counter() - began, "idle": before}


async def _fetch(client: Client, stream: bytes, path: Path) -> dict[str, float]:
    review = await client.review(stream)
    entry = client.entry(review, review.head)
    before = await _rested()
    began = time.perf_counter()
    await client.fetch(review, entry, 1, path)
    return {"seconds": time.perf_counter() - began, "idle": before}


async def _rested() -> float:
    """Resident memory in MiB once everything is loaded and nothing is done."""
    await asyncio.sleep(0.2)
    return psutil.Process().memory_info().rss / 2**20


async def _main(what: str, told: dict[str, str]) -> dict[str, float]:
    identity = Identity(bytes.fromhex(told["signing"]), bytes.fromhex(told["sealing"]))
    async with Client(Home(Path(told["home"])), identity, now) as client:
        work = _send if what == "send" else _fetch
        result = await work(client, bytes.fromhex(told["review"]), Path(told["path"]))
    return {**result, "peak": _peak()}


def _peak() -> float:
    """The most resident memory this program ever had, in MiB (the figure of getrusage includes its parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))))
