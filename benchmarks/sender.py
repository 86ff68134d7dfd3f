"""Hands in prepared posts, one connection for each lane: `python -m benchmarks.sender URL FILE`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp
import msgspec


async def _lane(http: aiohttp.ClientSession, posts: list[tuple[str, bytes]], waits: list[float]) -> None:
    for path, body in posts:
        began = time.perf_counter()
        async with http.post(path, data=body) as answer:
            await answer.read()
            if answer.status != 201:
                raise SystemExit(f"status {answer.status}: {await answer.text()}")
        waits.append(time.perf_counter() - began)


async def _main(url: str, lanes: list[list[tuple[str, bytes]]]) -> None:
    waits: list[float] = []
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=len(lanes))) as http:
        began = time.perf_counter()
        await asyncio.gather(*(_lane(http, posts, waits) for posts in lanes))
        spent = time.perf_counter() - began
    waits.sort()
    count = len(waits)
    result = {
        "rate": count / spent,
        "count": count,
        "p50_ms": waits[count // 2] * 1e3,
        "p99_ms": waits[count * 99 // 100] * 1e3,
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    prepared = msgspec.msgpack.decode(Path(sys.argv[2]).read_bytes(), type=list[list[tuple[str, bytes]]])
    asyncio.run(_main(sys.argv[1], prepared))
