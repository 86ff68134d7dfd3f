"""Hands in prepared posts, one connection for each lane: `python -m benchmarks.sender URL FILE`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp
import msgspec


class Posts(msgspec.Struct, frozen=True):
    """For each connection its headers, and paths and bodies in their order; `status` is what every answer must have."""

    lanes: list[list[tuple[str, bytes]]]
    headers: list[dict[str, str]]
    status: int


async def _lane(
    http: aiohttp.ClientSession, posts: list[tuple[str, bytes]], headers: dict[str, str], status: int
) -> list[float]:
    waits = []
    for path, body in posts:
        began = time.perf_counter()
        async with http.post(path, data=body, headers=headers) as answer:
            await answer.read()
            if answer.status != status:
                raise SystemExit(f"status {answer.status}: {await answer.text()}")
        waits.append(time.perf_counter() - began)
    return waits


async def _main(url: str, posts: Posts) -> None:
    lanes = list(zip(posts.lanes, posts.headers, strict=True))
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=len(lanes))) as http:
        began = time.perf_counter()
        waits = await asyncio.gather(*(_lane(http, *lane, posts.status) for lane in lanes))
        spent = time.perf_counter() - began
    every = sorted(wait for lane in waits for wait in lane)
    count = len(every)
    result = {
        "rate": count / spent,
        "count": count,
        "p50_ms": every[count // 2] * 1e3,
        "p99_ms": every[count * 99 // 100] * 1e3,
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    prepared = msgspec.msgpack.decode(Path(sys.argv[2]).read_bytes(), type=Posts)
    asyncio.run(_main(sys.argv[1], prepared))
