"""The Merkle tree against RFC 6962's definition, its published vectors, and everybody who bends a proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import merkle
from events.errors import NotProved

# The tree of the Certificate Transparency reference implementation (certificate-transparency-go, merkle tests).
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


class Tree:
    def __init__(self, size: int) -> None:
        self.leaves = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(size)]

    def nodes(self, level: int, index: int) -> bytes:
        found = self.leaves[index << level : (index + 1) << level]
        assert len(found) == 1 << level
        return by_definition(found)

    def root(self, size: int) -> bytes:
        return by_definition(self.leaves[:size])


def test_the_published_roots() -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]
    for size, expected in enumerate(ROOTS, 1):
        assert by_definition(leaves[:size]).hex() == expected
        assert merkle.Frontier().extended(leaves[:size]).root.hex() == expected


@pytest.mark.parametrize("size", [*range(1, 40), 255, 256, 257])
def test_every_leaf_is_proved_and_no_other(size: int) -> None:
    tree = Tree(size)
    expected = tree.root(size)
    assert merkle.root(size, tree.nodes) == expected
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        proof = merkle.inclusion_proof(index, size, tree.nodes)
        merkle.verify_inclusion(tree.leaves[index], index, size, proof, expected)
        for leaf, place, hashes, root in (
            (tree.leaves[index - 1] if size > 1 else bytes(32), index, proof, expected),
            (tree.leaves[index], index + 1, proof, expected),
            (tree.leaves[index], index, [*proof, bytes(32)], expected),
            (tree.leaves[index], index, proof[:-1] if proof else [bytes(32)], expected),
            (tree.leaves[index], index, proof, bytes(32)),
        ):
            with pytest.raises(NotProved):
                merkle.verify_inclusion(leaf, place, size, hashes, root)


@given(st.integers(1, 300), st.data())
def test_a_tree_that_grew_proves_it(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    tree = Tree(new)
    proof = merkle.consistency_proof(old, new, tree.nodes)
    merkle.verify_consistency(old, tree.root(old), new, tree.root(new), proof)
    assert merkle.consistent_roots(old, tree.root(old), new, proof) == (tree.root(old), tree.root(new))
    others = [(old, bytes(32), new, tree.root(new), proof), (old, tree.root(old), new, bytes(32), proof)]
    others.append((old, tree.root(old), new, tree.root(new), [*proof, bytes(32)]))
    if proof:
        others.append((old, tree.root(old), new, tree.root(new), proof[:-1]))
        bent = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
        others.append((old, tree.root(old), new, tree.root(new), bent))
    for attack in others:
        with pytest.raises(NotProved):
            merkle.verify_consistency(*attack)


def test_nothing_follows_from_an_empty_tree_or_a_shrinking_one() -> None:
    tree = Tree(5)
    for old, new in ((0, 5), (5, 4), (-1, 5)):
        with pytest.raises(NotProved):
            merkle.verify_consistency(old, tree.root(max(old, 0)), new, tree.root(new), [])
        with pytest.raises(NotProved):
            merkle.consistency_proof(old, new, tree.nodes)
    with pytest.raises(NotProved):
        merkle.inclusion_proof(5, 5, tree.nodes)


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_edge_alone_lets_a_tree_grow(first: int, more: int) -> None:
    tree = Tree(first + more)
    edge = merkle.Frontier().extended(tree.leaves[:first])
    assert edge.root == tree.root(first)
    assert edge.extended(tree.leaves[first:]).root == tree.root(first + more)
    with pytest.raises(NotProved):
        merkle.Frontier(edge.size + 1, (*edge.peaks, bytes(32), bytes(32)))
