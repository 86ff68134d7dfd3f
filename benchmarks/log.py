"""The log's tree of a million leaves: how fast it is made again, and what a proof from it costs."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accept import checkpointing
from benchmarks.access import access
from benchmarks.figure import Figure, rounded
from events.entries import ENTRY_SIZE
from exchange.server.notary import PAGE
from storage.tree import Tree

LEAVES = 1_000_000
RATE = 200_000
PROOFS = 2_000
ROUNDS = 3


def log(root: Path) -> Iterator[Figure]:
    """The tree, the log's share in accepting, and reading on record."""
    rates = [_rebuilt(root / f"tree{number}.sqlite") for number in range(ROUNDS)]
    yield Figure(
        name="tree_rebuild",
        ratio=statistics.median(rates) / RATE,
        target=1.0,
        what=f"the log's tree of {LEAVES:,} leaves made again, leaves per second",
        over=f"{RATE:,} leaves per second",
        measured={"leaves_per_s": rounded(rates), "batch": PAGE},
    )
    with Tree(root / "tree0.sqlite") as tree:
        yield _proofs(tree)
    yield from checkpointing(root)
    yield from access(root)


def _rebuilt(path: Path) -> float:
    """Leaves per second, from entries ready in memory, in the pieces in which a server does it."""
    data = os.urandom(ENTRY_SIZE * LEAVES)
    entries = [data[at : at + ENTRY_SIZE] for at in range(0, len(data), ENTRY_SIZE)]
    with Tree(path) as tree:
        began = time.perf_counter()
        for first in range(0, LEAVES, PAGE):
            tree.append(entries[first : first + PAGE], range(first + 1, first + PAGE + 1))
        tree.root()
        return LEAVES / (time.perf_counter() - began)


def _proofs(tree: Tree) -> Figure:
    chosen = random.Random(0)
    places = [chosen.randrange(LEAVES) for _ in range(PROOFS)]
    spent = {
        "inclusion": _spent(lambda place: tree.inclusion(place, LEAVES), places),
        "consistency": _spent(lambda place: tree.consistency(place + 1, LEAVES), places),
    }
    measured: dict[str, Any] = {"proofs": PROOFS}
    for name, waits in spent.items():
        measured[f"{name}_mean_ms"] = rounded([statistics.mean(waits)])[0]
        measured[f"{name}_p99_ms"] = rounded([waits[len(waits) * 99 // 100]])[0]
    return Figure(
        name="proofs",
        ratio=max(statistics.mean(waits) for waits in spent.values()),
        target=1.0,
        least=False,
        what=f"a proof from a tree of {LEAVES:,} leaves, the mean of the slower kind",
        over="one millisecond",
        measured=measured,
        note="random leaves and sizes from a tree just opened",
    )


def _spent(prove: Callable[[int], object], places: Sequence[int]) -> list[float]:
    """Milliseconds of each, the shortest first."""
    waits = []
    for place in places:
        began = time.perf_counter()
        prove(place)
        waits.append((time.perf_counter() - began) * 1000)
    return sorted(waits)
