"""The log's tree on disk: the same root however it grew, whatever interrupted it, and proofs that hold."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import merkle
from events.entries import ENTRY_SIZE, EntryType, entry
from events.errors import NotProved
from events.merkle import Frontier
from storage.errors import BlobMissing, Damaged
from storage.tree import Tree


def entries(count: int, start: int = 0) -> list[bytes]:
    return [
        entry(EntryType.ENVELOPE, hashlib.sha256(n.to_bytes(8, "big")).digest()) for n in range(start, start + count)
    ]


def grown(path: Path, *steps: int) -> Tree:
    tree, size = Tree(path), 0
    for step in steps:
        # Positions have gaps, as a database's do after rolled back transactions.
        tree.append(entries(step, size), [3 * n + 1 for n in range(size, size + step)])
        size += step
    return tree


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 700), min_size=1, max_size=6), st.data())
def test_it_is_the_tree_of_its_entries_however_it_grew(tmp_path_factory, steps: list[int], data: st.DataObject) -> None:
    size = sum(steps)
    leaves = [merkle.leaf_hash(one) for one in entries(size)]
    with grown(tmp_path_factory.mktemp("tree") / "log.sqlite", *steps) as tree:
        assert (tree.size, tree.position) == (size, 3 * size - 2)
        at = data.draw(st.integers(1, size))
        root = Frontier().extended(leaves[:at]).root
        assert tree.root(at) == root
        index = data.draw(st.integers(0, at - 1))
        merkle.verify_inclusion(leaves[index], index, at, tree.inclusion(index, at), root)
        merkle.verify_consistency(at, root, size, tree.root(), tree.consistency(at, size))
        assert tree.index_of(3 * index + 1, entries(1, index)[0]) == index


def test_tiles_and_bundles_are_as_wide_as_the_tree_says(tmp_path: Path) -> None:
    with grown(tmp_path / "log.sqlite", 70_000) as tree:
        leaves = [merkle.leaf_hash(one) for one in entries(70_000)]
        assert tree.tile(0, 272, 256) == b"".join(leaves[272 * 256 : 273 * 256])
        assert tree.tile(0, 273, 112) == b"".join(leaves[273 * 256 :])
        assert tree.tile(0, 273, 5) == b"".join(leaves[273 * 256 :][:5])
        assert tree.tile(1, 0, 256)[:32] == Frontier().extended(leaves[:256]).root
        assert tree.tile(1, 1, 17)[-32:] == Frontier().extended(leaves[272 * 256 : 273 * 256]).root
        assert tree.tile(2, 0, 1) == Frontier().extended(leaves[:65536]).root
        assert tree.bundle(273, 112) == b"".join(entries(112, 273 * 256))
        for level, number, width in ((0, 273, 113), (0, 274, 1), (1, 1, 18), (2, 0, 2), (3, 0, 1), (0, 0, 0)):
            with pytest.raises(BlobMissing):
                tree.tile(level, number, width)
        with pytest.raises(BlobMissing):
            tree.bundle(273, 113)


def test_it_goes_on_after_being_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    grown(path, 300).close()
    with Tree(path) as tree:
        assert tree.last_entry() == entries(1, 299)[0]
        tree.append(entries(300, 300), [3 * n + 1 for n in range(300, 600)])
        assert tree.root() == Frontier().extended(merkle.leaf_hash(one) for one in entries(600)).root


def test_an_interrupted_step_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with grown(path, 300) as tree:
        before = tree.root()
        with pytest.raises(sqlite3.Error):
            tree.append(entries(10, 300), [*range(1000, 1009), object()])  # type: ignore[list-item]
        assert (tree.size, tree.root()) == (300, before)
    with Tree(path) as tree:
        assert (tree.size, tree.root()) == (300, before)


def test_rows_are_taken_in_their_order_only_and_nothing_is_proved_beyond_the_end(tmp_path: Path) -> None:
    with grown(tmp_path / "log.sqlite", 10) as tree:
        with pytest.raises(Damaged):
            tree.append(entries(1, 10), [tree.position])
        with pytest.raises(NotProved):
            tree.inclusion(10, 10)
        with pytest.raises(NotProved):
            tree.inclusion(0, 11)
        with pytest.raises(NotProved):
            tree.consistency(0, 10)
        with pytest.raises(BlobMissing):
            tree.index_of(tree.position + 1, entries(1, 10)[0])
        with pytest.raises(BlobMissing):
            tree.index_of(tree.position, entries(1, 3)[0][:1] + bytes(ENTRY_SIZE - 1))
