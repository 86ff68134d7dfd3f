"""Sealed objects: chunk order, count and end are authenticated, lengths padded, keys committed (rules 9, 13, 14, 16, 19)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import files, grants
from keys.epoch import EpochKey, committed
from keys.errors import CannotOpen
from keys.identity import Identity
from keys.sealing import (
    CHUNK,
    SEALED_CHUNK,
    SMALLEST,
    ObjectKey,
    SlotKey,
    new_salt,
    pad,
    padded_size,
    sealed_size,
    unpad,
)

SCOPE = b"review/parties"
EPOCH = EpochKey(SCOPE, 3, bytes(range(32)))
SALT = bytes(32)
KEY = ObjectKey.derive(EPOCH, b"object 1", SALT)
THREE = bytes(range(256)) * 768


# -- padding (rule 19)


@given(st.integers(0, 2**40))
def test_padding_hides_the_length_and_costs_little(size: int) -> None:
    padded = padded_size(size)
    assert padded >= max(SMALLEST, size + 8)
    assert size < SMALLEST * 2 or padded <= (size + 8) * 1.12
    assert padded_size(padded - 8) == padded


def test_short_texts_all_look_alike() -> None:
    assert len({sealed_size(size) for size in range(SMALLEST - 7)}) == 1


@given(st.binary(max_size=5000))
def test_padding_round_trip(data: bytes) -> None:
    assert unpad(pad(data)) == data


@given(st.binary(max_size=4096))
def test_only_exact_padding_is_taken(padded: bytes) -> None:
    try:
        data = unpad(padded)
    except CannotOpen:
        return
    assert pad(data) == padded


def test_padding_that_holds_something_is_refused() -> None:
    padded = bytearray(pad(b"word"))
    padded[-1] = 1
    with pytest.raises(CannotOpen):
        unpad(bytes(padded))


# -- chunks (rule 9)


@given(st.binary(max_size=3000))
def test_round_trip(data: bytes) -> None:
    assert KEY.open(KEY.seal(data)) == data


def chunks(sealed: bytes) -> list[bytes]:
    return [sealed[i : i + SEALED_CHUNK] for i in range(0, len(sealed), SEALED_CHUNK)]


@pytest.mark.parametrize(
    "tamper",
    [
        lambda c: [c[1], c[0], *c[2:]],
        lambda c: [c[0], c[0], *c[2:]],
        lambda c: c[:-1],
        lambda c: c[1:],
        lambda c: [*c, c[-1]],
        lambda c: [*c[:-1], c[-1][:-1]],
        lambda c: [*c, b"\0"],
        lambda c: [c[-1]],
        lambda c: [],
        lambda c: [bytes([c[0][0] ^ 1]) + c[0][1:], *c[1:]],
    ],
    ids=[
        "swapped",
        "repeated",
        "last dropped",
        "first dropped",
        "appended",
        "cut",
        "longer",
        "last alone",
        "none",
        "bit",
    ],
)
def test_order_count_and_end_are_authenticated(tamper) -> None:  # type: ignore[no-untyped-def]
    pieces = chunks(KEY.seal(THREE))
    assert len(pieces) >= 3
    with pytest.raises(CannotOpen) as caught:
        KEY.open(b"".join(tamper(pieces)))
    assert str(caught.value) == "cannot open"


def test_a_whole_number_of_chunks_cannot_be_cut_at_a_chunk() -> None:
    data = bytes(4 * CHUNK - 8)
    pieces = chunks(KEY.seal(data))
    assert len(pieces) == 4
    with pytest.raises(CannotOpen):
        KEY.open(b"".join(pieces[:2]))


# -- binding (rules 13, 14, 16)


@pytest.mark.parametrize(
    "other",
    [
        ObjectKey.derive(EpochKey(b"other review/parties", 3, EPOCH.secret), b"object 1", SALT),
        ObjectKey.derive(EpochKey(SCOPE, 4, EPOCH.secret), b"object 1", SALT),
        ObjectKey.derive(EPOCH, b"object 2", SALT),
        ObjectKey.derive(EPOCH, b"object 1", bytes([1] * 32)),
        ObjectKey.derive(EpochKey(SCOPE, 3, bytes(32)), b"object 1", SALT),
        SlotKey.derive(EPOCH, b"object 1", SALT).object(SALT),
    ],
    ids=["stream or circle", "epoch", "object or version", "salt", "secret", "slot"],
)
def test_an_object_opens_in_its_place_only(other: ObjectKey) -> None:
    sealed = KEY.seal(b"words")
    assert other.commitment != KEY.commitment
    with pytest.raises(CannotOpen):
        other.open(sealed)
    with pytest.raises(CannotOpen):
        other.expect(KEY.commitment)
    assert KEY.expect(KEY.commitment) is KEY


def test_every_sealing_has_a_key_of_its_own() -> None:
    assert new_salt() != new_salt()
    slot = SlotKey.derive(EPOCH, b"object 1", SALT)
    assert slot.object(new_salt()).seal(b"a") != slot.object(new_salt()).seal(b"a")


def test_a_slot_is_the_same_for_translator_and_reader() -> None:
    slot = SlotKey.derive(EPOCH, b"object 1", SALT)
    told = SlotKey(slot.context, slot.secret).expect(slot.commitment)
    assert slot.object(SALT).open(told.object(SALT).seal(b"traduit")) == b"traduit"
    with pytest.raises(CannotOpen):
        SlotKey(slot.context, bytes(32)).expect(slot.commitment)


# -- epochs and grants (rules 3, 13)


def test_a_grant_yields_the_committed_key_only() -> None:
    me = Identity.generate()
    sealed = grants.grant(EPOCH, me.recipient)
    assert len(sealed) == 1168
    assert grants.accept(me, sealed, SCOPE, 3, EPOCH.commitment) == EPOCH
    injected = EpochKey(SCOPE, 3, bytes(32))
    for data, scope, epoch, commitment, who in (
        (grants.grant(injected, me.recipient), SCOPE, 3, EPOCH.commitment, me),
        (sealed, b"other", 3, EPOCH.commitment, me),
        (sealed, SCOPE, 4, EPOCH.commitment, me),
        (sealed, SCOPE, 3, injected.commitment, me),
        (sealed, SCOPE, 3, EPOCH.commitment, Identity.generate()),
        (sealed[:-1], SCOPE, 3, EPOCH.commitment, me),
        (b"", SCOPE, 3, EPOCH.commitment, me),
    ):
        with pytest.raises(CannotOpen):
            grants.accept(who, data, scope, epoch, commitment)


def test_even_a_grant_sealed_for_the_true_commitment_cannot_inject_a_key() -> None:
    """Rule 3: an insider who knows the commitment seals another key under the honest context."""
    from keys.grants import _context
    from keys.labels import Label

    me = Identity.generate()
    context = _context(SCOPE, 3, EPOCH.commitment, me.recipient)
    sealed = me.recipient.seal(Label.EPOCH_GRANT, bytes(32), context)
    with pytest.raises(CannotOpen):
        grants.accept(me, sealed, SCOPE, 3, EPOCH.commitment)


def test_links_lead_back_to_committed_keys() -> None:
    new = EpochKey.generate(SCOPE, 4)
    link = new.link(EPOCH)
    assert len(link) == 48
    assert new.follow(link, 3, EPOCH.commitment) == EPOCH
    for key, data, epoch, commitment in (
        (new, link, 2, EPOCH.commitment),
        (new, link, 3, new.commitment),
        (EpochKey.generate(SCOPE, 4), link, 3, EPOCH.commitment),
        (new, link[:-1], 3, EPOCH.commitment),
        (new, b"", 3, EPOCH.commitment),
    ):
        with pytest.raises(CannotOpen):
            key.follow(data, epoch, commitment)


def test_a_key_of_another_length_is_none() -> None:
    short = EpochKey(SCOPE, 3, b"short")
    with pytest.raises(CannotOpen):
        committed(short, short.commitment)
    with pytest.raises(CannotOpen):
        ObjectKey(b"", b"short")


# -- files


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    path = tmp_path / "sealed"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    yield descriptor, path
    os.close(descriptor)


@pytest.mark.parametrize("size", [0, 1, 1015, 1016, 1017, CHUNK - 8, CHUNK, 16 * CHUNK - 8, 16 * CHUNK, 40 * CHUNK + 5])
def test_a_file_is_sealed_as_if_whole(size: int, tmp_path: Path, scratch: tuple[int, Path]) -> None:
    plain = os.urandom(size)
    (tmp_path / "plain").write_bytes(plain)
    with (tmp_path / "plain").open("rb") as source:
        sealed = files.write_sealed(KEY, source.fileno(), size, scratch[0])
    data = scratch[1].read_bytes()
    assert data == KEY.seal(plain)
    assert (sealed.size, sealed.digest) == (len(data), hashlib.sha256(data).digest())
    assert b"".join(files.open_file(KEY, [data[:100], data[100:]], sealed.size, sealed.digest)) == plain


def test_a_file_that_shrinks_while_it_is_sealed_is_an_error(tmp_path: Path, scratch: tuple[int, Path]) -> None:
    (tmp_path / "plain").write_bytes(b"short")
    with (tmp_path / "plain").open("rb") as source, pytest.raises(OSError, match="ended early"):
        files.write_sealed(KEY, source.fileno(), 5000, scratch[0])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 20 * CHUNK), st.data())
def test_no_tampered_file_opens(size: int, data: st.DataObject) -> None:
    plain = os.urandom(size)
    sealed = KEY.seal(plain)
    digest = hashlib.sha256(sealed).digest()
    at = data.draw(st.integers(0, len(sealed) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "extend", "drop"]))
    forged = {
        "flip": sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :],
        "cut": sealed[:at],
        "extend": sealed + b"x",
        "drop": sealed[:at] + sealed[at + 1 :],
    }[kind]
    for announced, claimed in ((len(sealed), digest), (len(forged), hashlib.sha256(forged).digest())):
        with pytest.raises(CannotOpen):
            list(files.open_file(KEY, [forged], announced, claimed))
