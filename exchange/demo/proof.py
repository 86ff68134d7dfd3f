"""The proof that nothing of any paper is in the server's files: every phrase is looked for in every byte."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

SHORTEST = 12
SAMPLES = 64
WINDOW = 24
BLOCK = 16 * 1024 * 1024


def phrases_of(papers: Path, documents: Iterable[Path], names: Iterable[str]) -> set[bytes]:
    """Every line of the papers, every file name, every person's name, and samples of every document."""
    found: set[bytes] = set()
    texts = list(names)
    for path in papers.rglob("*"):
        if path.is_file():
            texts.append(path.name)
            texts += _phrases(path.read_text("utf-8"))
    for path in documents:
        texts.append(path.name)
        found |= set(_samples(path))
    for text in texts:
        for piece in (text, text.strip()):
            if len(piece.encode()) >= SHORTEST:
                found.add(piece.encode())
                found.add(piece.encode("utf-16-le"))
                found.add(base64.b64encode(piece.encode())[: len(piece.encode()) // 3 * 4 - 4])
    return {phrase for phrase in found if len(phrase) >= SHORTEST}


def found_in(directory: Path, phrases: set[bytes]) -> Iterator[tuple[Path, bytes]]:
    """Every phrase that stands in a file below a directory, or in its name."""
    longest = max(map(len, phrases), default=0)
    for path in sorted(directory.rglob("*")):
        for phrase in phrases:
            if phrase in str(path.relative_to(directory)).encode():
                yield path, phrase
        if path.is_file():
            yield from ((path, phrase) for phrase in _in_file(path, phrases, longest))


def size_of(directory: Path) -> tuple[int, int]:
    """How many files, how many bytes."""
    sizes = [path.stat().st_size for path in directory.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def _in_file(path: Path, phrases: set[bytes], longest: int) -> set[bytes]:
    found: set[bytes] = set()
    tail = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            window = tail + block
            found |= {phrase for phrase in phrases if phrase in window}
            tail = window[-longest:]
    return found


def _phrases(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield line
        _, _, value = line.partition(": ")
        yield value
        yield from re.split(r"(?<=[.;,?!。])\s*", line)


def _samples(path: Path) -> Iterator[bytes]:
    """Windows of a document, spread over it; those of one repeated byte say nothing."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for n in range(SAMPLES):
            file.seek(max(0, (size - WINDOW) * n // SAMPLES))
            window = file.read(WINDOW)
            if len(set(window)) > 8:
                yield window
