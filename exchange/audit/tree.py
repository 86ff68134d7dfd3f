"""The audit's own tree: grown from the edge it remembers, asked for its root at any size it passed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from events import merkle
from events.merkle import HASH_SIZE, Frontier


class Tree:
    """The hashes from the remembered edge on, 64 bytes for each entry; what lies before is in the edge's peaks."""

    def __init__(self, edge: Frontier) -> None:
        self.start = self.size = edge.size
        peaks = list(edge.peaks)
        levels = edge.size.bit_length()
        there = [edge.size >> level & 1 for level in range(levels)]
        # Peaks come the largest first; on each level known nodes begin at an even number.
        self._rows = [bytearray(peaks.pop() if bit else b"") for bit in there]
        self._first = [(edge.size >> level) - bit for level, bit in enumerate(there)]
        self._paired = [0] * levels

    def add(self, entries: Sequence[bytes]) -> None:
        """Append entries."""
        sha = hashlib.sha256
        row = b"".join([sha(b"\x00" + entry).digest() for entry in entries])
        self.size += len(entries)
        level = 0
        while row:
            row = self._append(level, row)
            level += 1

    def _append(self, level: int, row: bytes) -> bytes:
        """Append hashes on one level; returns those that are new on the next."""
        if level == len(self._rows):
            self._rows.append(bytearray())
            self._first.append(0)
            self._paired.append(0)
        known = self._rows[level]
        known += row
        begin, end = self._paired[level], len(known) // HASH_SIZE & ~1
        self._paired[level] = end
        nodes = bytes(known[begin * HASH_SIZE : end * HASH_SIZE])
        pairs = [nodes[at : at + HASH_SIZE] for at in range(0, len(nodes), HASH_SIZE)]
        return b"".join(merkle.parents(pairs))

    def root(self, size: int) -> bytes:
        """The root of the first `size` entries, from the remembered size on; raises ValueError for others."""
        if size and not self.start <= size <= self.size:
            raise ValueError(f"expected a size of {self.start} to {self.size}, got {size}")
        return merkle.root(size, self._node)

    @property
    def edge(self) -> Frontier:
        """What is to be remembered."""
        peaks = [self._node(level, (self.size >> level) - 1) for level in self._levels if self.size >> level & 1]
        return Frontier(self.size, tuple(peaks))

    @property
    def _levels(self) -> range:
        return range(self.size.bit_length() - 1, -1, -1)

    def _node(self, level: int, index: int) -> bytes:
        at = (index - self._first[level]) * HASH_SIZE
        if at < 0:
            raise ValueError(f"expected a node from {self._first[level]} on, got {index}")
        return bytes(self._rows[level][at : at + HASH_SIZE])
