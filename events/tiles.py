"""Tiles of a log (c2sp.org/tlog-tiles): 256 neighbouring hashes of one level, or 256 neighbouring entries.

tile/0/x001/x234/067         tile 1,234,067 of the leaf hashes
tile/1/000.p/17              the first tile one level up while it has 17 hashes
tile/entries/x001/x234/067   the entries under those leaf hashes, each after its length (two bytes)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from events.errors import BadNote
from events.merkle import MAX_SIZE

WIDTH = 256
HEIGHT = 8
MAX_LEVEL = 63
MAX_ENTRY = 65_535
MAX_BUNDLE = WIDTH * (2 + MAX_ENTRY)
MAX_INDEX = MAX_SIZE // WIDTH
ENTRIES = -1
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """Which tile: level (`ENTRIES` for a bundle of entries), index on the level, and width (256 if it is full)."""

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not ENTRIES <= self.level <= MAX_LEVEL or not 0 <= self.index <= MAX_INDEX or not 1 <= self.width <= WIDTH:
            raise BadNote(f"expected a tile of levels 0 to {MAX_LEVEL}, 1 to {WIDTH} wide, got another")

    def path(self) -> str:
        """Where it is served, under the log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{index_path(self.index)}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read a path in its one canonical form; raises BadNote."""
        found = _PATH.fullmatch(path)
        if found is None:
            raise BadNote("expected the path of a tile, got another")
        level, index, width = found.groups()
        number = int(index.replace("/", "").replace("x", ""))
        tile = cls(ENTRIES if level == "entries" else int(level), number, int(width) if width else WIDTH)
        if tile.path() != path:
            raise BadNote("expected the canonical path of a tile, got another")
        return tile

    def width_at(self, size: int) -> int:
        """How many hashes or entries this tile has in a tree of so many leaves; 0 if it is not there yet."""
        return min(max((size >> (HEIGHT * max(self.level, 0))) - self.index * WIDTH, 0), WIDTH)


def index_path(index: int) -> str:
    """A tile's index in groups of three digits, all but the last after an x: 1234067 is x001/x234/067."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """The tiles of hashes that a tree of `new` leaves has and one of `old` leaves has not, level by level."""
    for level in count():
        before, now = old >> (HEIGHT * level), new >> (HEIGHT * level)
        if not now:
            return
        for index in range(before // WIDTH, -(-now // WIDTH)):
            tile = Tile(level, index, min(now - index * WIDTH, WIDTH))
            if tile.width_at(old) != tile.width:
                yield tile


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Up to 256 entries, each after its length; raises BadNote."""
    if not 0 < len(entries) <= WIDTH or any(len(entry) > MAX_ENTRY for entry in entries):
        raise BadNote(f"expected 1 to {WIDTH} entries of at most {MAX_ENTRY} bytes, got others")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle that should hold so many; raises BadNote."""
    if len(data) > MAX_BUNDLE:
        raise BadNote(f"expected a bundle of at most {MAX_BUNDLE} bytes, got {len(data)}")
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < width:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            raise BadNote("expected whole entries, got one cut off")
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(entries) != width:
        raise BadNote(f"expected a bundle of {width} entries, got another number")
    return entries
