"""One send by one member in a process of its own, to be killed: `python -m tests.support.member FACTS WORDS [FILE]`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from events.kinds.response import Paper
from events.rule import FileInfo, rule_of
from events.stream import PARTIES
from exchange.client.client import Client
from exchange.client.compose import Draft
from exchange.client.home import Home
from exchange.client.transfer import Attachment
from keys.identity import Identity
from tests.support.process import now


async def send(client: Client, review: bytes, words: str, path: Path | None, text: str = "") -> bytes:
    """Provide information with these words, and a file."""
    infos = (FileInfo(path.name, "Annex", "application/octet-stream", path.stat().st_size),) if path else ()

    async def build(_state: object) -> Draft:
        clear = rule_of("information.provided").clear()
        return Draft("information.provided", clear, (), "en", Paper(words, text, infos), PARTIES)

    found = [Attachment.of(path)] if path else []
    return (await client.send(review, ("inform", words), build, circle=PARTIES, attachments=found)).event


async def _main(facts: dict[str, str], words: str, path: Path | None) -> None:
    identity = Identity(bytes.fromhex(facts["signing"]), bytes.fromhex(facts["sealing"]))
    async with Client(Home(Path(facts["home"])), identity, now) as client:
        await send(client, bytes.fromhex(facts["review"]), words, path)
        print("sent", flush=True)
        client.reported()


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    asyncio.run(_main(given, sys.argv[2], Path(sys.argv[3]) if len(sys.argv) > 3 else None))
