"""One value, one encoding: everything else is refused, whatever the bytes (rules 10, 20)."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import canonical
from events.errors import Malformed

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet="abcé中", max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain)
def test_round_trip(value: object) -> None:
    assert canonical.decode(canonical.encode(value), 10_000) == value


@given(st.binary(max_size=200))
def test_whatever_decodes_is_the_canonical_form(data: bytes) -> None:
    try:
        value = canonical.decode(data, 200)
    except Malformed:
        return
    assert canonical.encode(value) == data


@given(plain, st.data())
def test_any_changed_byte_is_another_value_or_refused(value: object, data: st.DataObject) -> None:
    encoded = bytearray(canonical.encode(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    try:
        other = canonical.decode(bytes(encoded), 10_000)
    except Malformed:
        return
    assert other != value or repr(other) != repr(value)


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("82a16201a16101"),  # keys out of order
        bytes.fromhex("82a16101a16101"),  # a key twice
        bytes.fromhex("cc01"),  # an integer wider than needed
        bytes.fromhex("cd0001"),
        bytes.fromhex("d001"),  # a positive number as a signed one
        bytes.fromhex("d90161"),  # a string's length wider than needed
        bytes.fromhex("dc000101"),  # an array's length wider than needed
        bytes.fromhex("de0001a16101"),  # a map's length wider than needed
        bytes.fromhex("c5000161"),  # a byte string's length wider than needed
        bytes.fromhex("cb3ff0000000000000"),  # floating point
        bytes.fromhex("ca3f800000"),
        bytes.fromhex("d6ff00000000"),  # a timestamp (extension type)
        bytes.fromhex("d40001"),
        bytes.fromhex("81c40161c0"),  # a key that is not text
        bytes.fromhex("810101"),
        bytes.fromhex("0101"),  # something after the value
        bytes.fromhex("c1"),
        b"",
        bytes.fromhex("92"),  # truncated
        bytes.fromhex("a2c328"),  # text that is no UTF-8
        bytes.fromhex("a3eda080"),  # a surrogate
        b"\x91" * 40 + b"\x01",  # too deep
        b"\x91" * 100_000 + b"\x01",
        bytes.fromhex("dfffffffff"),  # a map of four thousand million entries
        bytes.fromhex("c6ffffffff"),
    ],
    ids=lambda data: data[:8].hex() or "empty",
)
def test_other_encodings_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        canonical.decode(data, 1_000_000)


def test_nothing_is_decoded_beyond_the_limit() -> None:
    data = canonical.encode(b"x" * 100)
    assert canonical.decode(data, len(data)) == b"x" * 100
    with pytest.raises(Malformed, match="at most"):
        canonical.decode(data, len(data) - 1)


@pytest.mark.parametrize(
    "value", [1.5, {1: 2}, {b"a": 1}, {1, 2}, object(), 2**64, -(2**63) - 1, "\ud800", [[[[1.0]]]]]
)
def test_what_has_no_form_is_not_encoded(value: object) -> None:
    with pytest.raises(Malformed):
        canonical.encode(value)


def test_the_order_of_keys_is_that_of_their_characters() -> None:
    assert canonical.encode({"b": 1, "a": 2, "é": 3}) == msgpack.packb({"a": 2, "b": 1, "é": 3})
