"""What came to light, looked for among the documents one can open: by its bytes, its words and readers' marks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from exchange.client.client import Client, quiet
from exchange.client.errors import ClientError
from exchange.client.formats.bounds import MAX_FILE
from exchange.client.holdings import Holding, digest_of, fingerprints, holdings
from exchange.client.marks import marks_in
from exchange.client.readers import could_read
from exchange.client.tracing import Fingerprint, Match, compare, ranked
from exchange.client.transfer import Progress
from keys import marks

BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Leak:
    """A leaked file or text: its size in bytes, its fingerprint, the marks written in it."""

    name: str
    size: int
    fingerprint: Fingerprint
    marks: frozenset[bytes]

    @classmethod
    def of(cls, data: bytes, name: str) -> Leak:
        """Of bytes; whatever they are, this does not fail."""
        return cls(name, len(data), Fingerprint.of(data, name), marks_in(data, name))

    @classmethod
    def read(cls, path: Path) -> Leak:
        """Of a file; of one over MAX_FILE bytes only the digest is taken. Raises ClientError."""
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                if size <= MAX_FILE:
                    return cls.of(file.read(MAX_FILE), path.name)
                content = digest_of(iter(lambda: file.read(BLOCK), b""))
        except OSError as error:
            raise ClientError(f"{path} cannot be read: {error.strerror}") from None
        return cls(path.name, size, Fingerprint(content, b"", frozenset()), frozenset())

    @classmethod
    def pasted(cls, source: BinaryIO) -> Leak:
        """Of text that is pasted or piped in; raises ClientError if it is more than MAX_FILE bytes."""
        data = source.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise ClientError(f"expected at most {MAX_FILE} bytes, got more; give them as a file")
        return cls.of(data, "")


@dataclass(frozen=True, slots=True)
class Trace:
    """A document that a leak leads to: how they are alike, and the devices whose marks in this document it carries."""

    holding: Holding
    match: Match | None
    marked: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a leak leads: likeliest documents first; how many were compared, how many could not be.

    `unknown` counts marks that stand for no reader of any document compared.
    """

    traces: tuple[Trace, ...]
    compared: int
    missing: int
    unknown: int


async def search(client: Client, leak: Leak, progress: Progress = quiet) -> Found:
    """Compare a leak with every document this device can open in the reviews it sees."""
    held = [holding for review in await client.reviews() for holding in await holdings(client, review)]
    matches: list[tuple[Holding, Match]] = []
    marked: dict[Holding, tuple[bytes, ...]] = {}
    missing, told = 0, set[bytes]()
    async for holding, known in fingerprints(client, held, leak.size, progress):
        if known is None:
            missing += 1
            continue
        if match := compare(leak.fingerprint, known):
            matches.append((holding, match))
        if leak.marks:
            key = await client.object_key(holding.review, holding.entry, holding.number)
            candidates = sorted(could_read(holding.review, holding.entry, holding.number))
            marked[holding] = marks.readers(key, leak.marks, candidates)
            told |= {marks.mark(key, device) for device in marked[holding]}
    traces = [Trace(holding, match, marked.pop(holding, ())) for holding, match in ranked(matches)]
    traces += [Trace(holding, None, devices) for holding, devices in marked.items() if devices]
    # A mark says more than a likeness of words; among equals the likeliest stays first.
    traces.sort(key=lambda trace: not trace.marked)
    return Found(tuple(traces), len(held) - missing, missing, len(leak.marks - told))
