"""Files as their reader opens them: with the reader's mark where the format allows, never another change."""

from __future__ import annotations

import asyncio
from pathlib import Path

from events.review import Review
from exchange.client import transfer
from exchange.client.client import Client, Entry
from exchange.client.marks import allowed, marked
from exchange.client.transfer import Progress
from keys.marks import mark


async def fetch_copy(
    client: Client, review: Review, entry: Entry, number: int, target: Path, name: str, progress: Progress
) -> str:
    """Fetch this reader's copy of a file called `name`; returns how it was marked; "" if it is as it was logged.

    Raises what Client.fetch raises.
    """
    if not allowed(name, entry.header.objects[number].size):
        await client.fetch(review, entry, number, target, progress)
        return ""
    data = await client.fetched(review, entry, number, b"".join, progress)
    own = mark(await client.object_key(review, entry, number), client.identity.fingerprint)
    copy = await asyncio.to_thread(marked, data, name, own)
    await asyncio.to_thread(transfer.keep, (copy.data,), target)
    return copy.how
