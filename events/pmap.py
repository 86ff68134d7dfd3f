"""A persistent map: inserting returns a new map that shares almost everything with the old one."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Generic, TypeVar

from rpds import HashTrieMap

K = TypeVar("K")
V = TypeVar("V")


class Map(Generic[K, V]):
    """An immutable mapping whose `insert` and `remove` cost a microsecond at any size."""

    __slots__ = ("_trie",)

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        self._trie: HashTrieMap[K, V] = HashTrieMap(items or {})

    @classmethod
    def _of(cls, trie: HashTrieMap[K, V]) -> Map[K, V]:
        new = cls.__new__(cls)
        new._trie = trie  # noqa: SLF001
        return new

    def insert(self, key: K, value: V) -> Map[K, V]:
        """This map with one key set."""
        return self._of(self._trie.insert(key, value))

    def remove(self, key: K) -> Map[K, V]:
        """This map without one key; raises KeyError if it is not there."""
        return self._of(self._trie.remove(key))

    def get(self, key: K) -> V | None:
        """The value, or None."""
        return self._trie.get(key)

    def __getitem__(self, key: K) -> V:
        return self._trie[key]

    def __contains__(self, key: object) -> bool:
        return key in self._trie

    def __len__(self) -> int:
        return len(self._trie)

    def __iter__(self) -> Iterator[K]:
        return iter(self._trie)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and dict(self._trie) == dict(other._trie)

    def __hash__(self) -> int:
        return hash(frozenset(self._trie))

    def __repr__(self) -> str:
        return f"Map({dict(self._trie)!r})"

    def plain(self) -> dict[K, V]:
        """The same as a dictionary, in no particular order."""
        return dict(self._trie)

    def items(self) -> ItemsView[K, V]:
        """Keys with values, in no particular order."""
        return dict(self._trie).items()

    def keys(self) -> KeysView[K]:
        """The keys, in no particular order."""
        return dict(self._trie).keys()

    def values(self) -> ValuesView[V]:
        """The values, in no particular order."""
        return dict(self._trie).values()
