"""Who somebody is: one person, one fingerprint; what edge cases of the curves must not slip through (rules 6, 15, 22)."""

from __future__ import annotations

import contextlib
import secrets

import nacl.bindings
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import BadSignature, CannotOpen, InvalidKey
from keys.identity import Identity
from keys.labels import Label, frame
from keys.recipient import MLKEM_SIZE, X25519_PRIME, Recipient, readable

ME = Identity(bytes(range(32)), bytes(range(32, 64)))
ORDER = 2**252 + 27742317777372353535851937790883648493
# Points of order 1, 2, 4, 8 and their non-canonical encodings (RFC 8032; Chalkias et al. 2020).
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


def test_the_public_halves_come_from_the_secret_ones() -> None:
    """Rule 6: there is no way to give an identity a public half of somebody else."""
    again = Identity(ME.signing_seed, ME.sealing_seed)
    assert again.recipient == ME.recipient
    with pytest.raises(TypeError):
        Identity(ME.signing_seed, ME.sealing_seed, recipient=Identity.generate().recipient)  # type: ignore[call-arg]


def test_secrets_do_not_show() -> None:
    assert ME.signing_seed.hex() not in repr(ME)
    assert repr(ME.signing_seed) not in repr(ME)
    assert repr(ME.sealing_seed) not in repr(ME)


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_seeds_have_one_size(seed: bytes) -> None:
    with pytest.raises(InvalidKey):
        Identity(seed, bytes(32))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_small_order_signing_keys_are_refused(point: str) -> None:
    with pytest.raises(InvalidKey):
        Recipient(bytes.fromhex(point), ME.recipient.sealing)


def test_a_signing_key_outside_the_main_subgroup_is_refused() -> None:
    torsion = bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")
    mixed = nacl.bindings.crypto_core_ed25519_add(ME.recipient.signing, torsion)
    with pytest.raises(InvalidKey):
        Recipient(mixed, ME.recipient.sealing)


def test_x25519_has_one_encoding() -> None:
    """The high bit and values above the prime are accepted everywhere else: they would be second fingerprints."""
    mlkem, x25519 = ME.recipient.sealing[:MLKEM_SIZE], ME.recipient.sealing[MLKEM_SIZE:]
    high = bytes([*x25519[:31], x25519[31] | 0x80])
    above = (X25519_PRIME + 5).to_bytes(32, "little")
    for half in (high, above):
        with pytest.raises(InvalidKey):
            Recipient(ME.recipient.signing, mlkem + half)


def test_mlkem_has_one_encoding() -> None:
    sealing = bytearray(ME.recipient.sealing)
    sealing[0], sealing[1] = 0xFF, sealing[1] | 0x0F
    with pytest.raises(InvalidKey):
        Recipient(ME.recipient.signing, bytes(sealing))


@pytest.mark.parametrize("cut", [0, 1, 1215, 1217])
def test_sealing_keys_have_one_size(cut: int) -> None:
    with pytest.raises(InvalidKey):
        Recipient(ME.recipient.signing, (ME.recipient.sealing + b"x")[:cut])


def test_both_halves_make_the_fingerprint() -> None:
    other = Identity.generate().recipient
    assert Recipient(ME.recipient.signing, other.sealing).fingerprint != ME.fingerprint
    assert Recipient(other.signing, ME.recipient.sealing).fingerprint != ME.fingerprint
    assert len(readable(ME.fingerprint)) == 47
    assert all(len(group) == 5 and group.isdigit() for group in readable(ME.fingerprint).split(" "))


def test_a_signature_is_for_one_use() -> None:
    """Rule 15: what was signed under one label holds under no other."""
    for label in Label:
        signature = ME.sign(label, b"message")
        for other in Label:
            if other is label:
                ME.recipient.verify(other, b"message", signature)
            else:
                with pytest.raises(BadSignature):
                    ME.recipient.verify(other, b"message", signature)


def test_no_label_begins_another() -> None:
    assert not any(a.value.startswith(b.value) for a in Label for b in Label if a is not b)


@given(st.integers(0, 511), st.binary(max_size=64))
def test_a_flipped_bit_breaks_a_signature(bit: int, message: bytes) -> None:
    signature = bytearray(ME.sign(Label.EVENT, message))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadSignature):
        ME.recipient.verify(Label.EVENT, message, bytes(signature))


def test_a_signature_has_one_form() -> None:
    """Rule 22: s + L is the same equation; libsodium refuses it, others do not."""
    signature = ME.sign(Label.EVENT, b"message")
    s = int.from_bytes(signature[32:], "little") + ORDER
    with pytest.raises(BadSignature):
        ME.recipient.verify(Label.EVENT, b"message", signature[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_signatures_have_one_size(size: int) -> None:
    with pytest.raises(BadSignature):
        ME.recipient.verify(Label.EVENT, b"", bytes(size))


def test_what_is_sealed_opens_for_its_use_and_its_owner_only() -> None:
    sealed = ME.recipient.seal(Label.EPOCH_GRANT, b"secret", b"context")
    assert ME.open(Label.EPOCH_GRANT, sealed, b"context") == b"secret"
    for opener, label, context, data in (
        (Identity.generate(), Label.EPOCH_GRANT, b"context", sealed),
        (ME, Label.DISCLOSURE, b"context", sealed),
        (ME, Label.EPOCH_GRANT, b"contexT", sealed),
        (ME, Label.EPOCH_GRANT, b"context", sealed[:-1]),
        (ME, Label.EPOCH_GRANT, b"context", b""),
        (ME, Label.EPOCH_GRANT, b"context", sealed + b"\0"),
    ):
        with pytest.raises(CannotOpen) as caught:
            opener.open(label, data, context)
        assert str(caught.value) == "cannot open"


def test_sealing_twice_differs() -> None:
    assert ME.recipient.seal(Label.EPOCH_GRANT, b"s", b"") != ME.recipient.seal(Label.EPOCH_GRANT, b"s", b"")


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_framing_is_unambiguous(one: list[bytes], other: list[bytes]) -> None:
    assert (frame(*one) == frame(*other)) == (one == other)


@given(st.binary(min_size=1200, max_size=1300))
def test_random_sealing_keys_never_crash(data: bytes) -> None:
    with contextlib.suppress(InvalidKey):
        Recipient(ME.recipient.signing, data)


def test_random_signing_keys_never_crash() -> None:
    for _ in range(200):
        with contextlib.suppress(InvalidKey):
            Recipient(secrets.token_bytes(32), ME.recipient.sealing)
