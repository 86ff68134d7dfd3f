"""Tiles: the paths and widths that C2SP publishes, and bundles of entries that come from anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import BadNote
from events.tiles import ENTRIES, MAX_BUNDLE, MAX_INDEX, Tile, index_path, new_tiles, read_bundle, write_bundle


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999), "tile/0/999"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(63, 5, 1), "tile/63/005.p/1"),
        (Tile(1, 0, 255), "tile/1/000.p/255"),
        (Tile(ENTRIES, 1_234_067), "tile/entries/x001/x234/067"),
        (Tile(ENTRIES, 273, 112), "tile/entries/273.p/112"),
    ],
)
def test_paths_both_ways(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/001/x002",
        "tile/0/001/002",
        "tile/0/x001/2",
        "tile/0/x001/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "/tile/0/000",
        "tile/0/../000",
        "tile/entries/000.p/1/2",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/" + "x001/" * 1000 + "001",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(BadNote):
        Tile.parse(path)


@given(st.integers(0, MAX_INDEX), st.integers(ENTRIES, 63), st.integers(1, 256))
def test_every_tile_has_one_path(index: int, level: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path()) == tile
    assert index_path(index).replace("x", "").replace("/", "").lstrip("0") == (str(index) if index else "")


def test_the_widths_of_the_published_tree() -> None:
    """70,000 leaves: 273 full tiles and one of 112; one full and one of 17; one of 1."""
    found = list(new_tiles(0, 70_000))
    by_level = [[tile.width for tile in found if tile.level == level] for level in range(4)]
    assert by_level == [[256] * 273 + [112], [256, 17], [1], []]
    assert Tile(0, 273).width_at(70_000) == 112
    assert Tile(0, 272).width_at(70_000) == 256
    assert Tile(0, 274).width_at(70_000) == 0
    assert Tile(ENTRIES, 273).width_at(70_000) == 112
    assert [(tile.level, tile.width) for tile in new_tiles(0, 256)] == [(0, 256), (1, 1)]


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_new_tiles_are_those_that_were_not_there(old: int, more: int) -> None:
    before, after = set(new_tiles(0, old)), set(new_tiles(0, old + more))
    assert set(new_tiles(old, old + more)) == after - before


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_both_ways(entries: list[bytes]) -> None:
    data = write_bundle(entries)
    assert read_bundle(data, len(entries)) == entries
    for other in (len(entries) - 1, len(entries) + 1):
        with pytest.raises(BadNote):
            read_bundle(data, other)


def test_a_published_bundle() -> None:
    """Entries of 0, 1 and 258 bytes, written out by hand."""
    data = bytes.fromhex("0000" + "0001ff" + "0102" + "00" * 258)
    assert read_bundle(data, 3) == [b"", b"\xff", bytes(258)]


@pytest.mark.parametrize("entries", [[], [b""] * 257, [bytes(65_536)]])
def test_bundles_are_bounded(entries: list[bytes]) -> None:
    with pytest.raises(BadNote):
        write_bundle(entries)
    with pytest.raises(BadNote):
        read_bundle(bytes(MAX_BUNDLE + 1), 256)


@given(st.binary(max_size=600), st.integers(0, 300))
def test_whatever_comes_is_a_bundle_or_refused(data: bytes, width: int) -> None:
    try:
        entries = read_bundle(data, width)
    except BadNote:
        return
    assert b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries) == data


@given(st.text(max_size=40))
def test_whatever_comes_is_a_path_or_refused(text: str) -> None:
    try:
        tile = Tile.parse("tile/" + text)
    except BadNote:
        return
    assert tile.path() == "tile/" + text
