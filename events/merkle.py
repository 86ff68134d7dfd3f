"""The Merkle tree of the log (RFC 6962, 2.1; RFC 9162, 2.1): hashes, proofs and their verification.

A tree is looked at through a `Nodes` function: the hash of the complete subtree of 2**level leaves that is number
`index` on its level. Whoever keeps the tree (tiles, a database, a list in memory) provides it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from events.errors import NotProved

Nodes = Callable[[int, int], bytes]
EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_SIZE = 32
MAX_SIZE = 2**62


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def parents(row: Sequence[bytes]) -> list[bytes]:
    """The hashes one level above a row of an even number of hashes."""
    sha = hashlib.sha256
    pairs = iter(row)
    return [sha(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]


def root(size: int, nodes: Nodes) -> bytes:
    """The root of the first `size` leaves."""
    return _range(0, size, nodes) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of `size` leaves, the lowest first."""
    if not 0 <= index < size:
        raise NotProved(f"expected a leaf below {size}, got {index}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            proof.append(_range(split, end, nodes))
            end = split
        else:
            proof.append(_range(start, split, nodes))
            start = split
    return proof[::-1]


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """The hashes that show that the first `old` of `new` leaves are the same; at least one old leaf."""
    if not 0 < old <= new:
        raise NotProved(f"expected an old size of 1 to {new}, got {old}")
    proof: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            proof.append(_range(split, end, nodes))
            end = split
        else:
            proof.append(_range(start, split, nodes))
            start, whole = split, False
    if not whole:
        proof.append(_range(start, end, nodes))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Check that `leaf` (a leaf hash) is number `index` under a root (RFC 9162, 2.1.3.2); raises NotProved."""
    if not 0 <= index < size <= MAX_SIZE:
        raise NotProved(f"expected a leaf below the tree's size {size}, got {index}")
    node, last, running = index, size - 1, leaf
    for sibling in proof:
        if not last:
            raise NotProved("expected a shorter proof")
        if node & 1 or node == last:
            running = node_hash(sibling, running)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            running = node_hash(running, sibling)
        node, last = node >> 1, last >> 1
    if last or running != expected:
        raise NotProved("the proof does not lead from the entry to the root of the checkpoint")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a tree only grew (RFC 9162, 2.1.4.2); raises NotProved. Nothing follows from an empty old tree."""
    first, second = consistent_roots(old, old_root, new, proof)
    if first != old_root or second != new_root:
        raise NotProved("the proof does not show that the newer tree continues the older one")


def consistent_roots(old: int, old_root: bytes, new: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The old and the new root to which a consistency proof leads; raises NotProved if it has no such shape.

    `old_root` is where the proof starts if the old tree is a complete subtree of the new one.
    """
    path = _path(old, old_root, new, proof)
    if old == new:
        return old_root, old_root
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if not last:
            raise NotProved("expected a shorter proof")
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise NotProved("expected a longer proof")
    return first, second


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: the roots of its complete subtrees, the largest first; enough to let it grow."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.peaks) != self.size.bit_count():
            raise NotProved(f"expected {self.size.bit_count()} hashes at the edge of {self.size} leaves")

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """The edge after more leaf hashes."""
        size, peaks = self.size, list(self.peaks)
        sha = hashlib.sha256
        for leaf in leaves:
            carry, rest = leaf, size
            while rest & 1:
                carry, rest = sha(b"\x01" + peaks.pop() + carry).digest(), rest >> 1
            peaks.append(carry)
            size += 1
        return Frontier(size, tuple(peaks))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.peaks:
            return EMPTY_ROOT
        running = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            running = node_hash(peak, running)
        return running


def _path(old: int, old_root: bytes, new: int, proof: Sequence[bytes]) -> list[bytes]:
    """The hashes of a consistency proof with the one that it leaves out (RFC 9162, 2.1.4.2, steps 1 to 3)."""
    if not 0 < old <= new <= MAX_SIZE:
        raise NotProved(f"expected an old size of 1 to {new}, got {old}")
    if old == new and proof:
        raise NotProved("expected no hashes between equal sizes")
    path = [old_root] if old == new else [*proof] if old & (old - 1) else [old_root, *proof]
    if not path:
        raise NotProved("expected a longer proof")
    return path


def _split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1


def _range(start: int, end: int, nodes: Nodes) -> bytes:
    """The hash of the leaves from `start` (aligned as the tree is) to `end`."""
    hashes: list[bytes] = []
    while start < end:
        level = min((end - start).bit_length() - 1, (start & -start).bit_length() - 1 if start else 62)
        hashes.append(nodes(level, start >> level))
        start += 1 << level
    running = hashes[-1]
    for left in hashes[-2::-1]:
        running = node_hash(left, running)
    return running
