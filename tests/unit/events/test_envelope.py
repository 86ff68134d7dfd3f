"""Envelopes: every field is signed, every other form refused (rules 5, 10, 20)."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import canonical
from events.body import check_body
from events.card import Card
from events.envelope import MAX_ENVELOPE, ZERO, Header, ObjectRef, Seen, SignedEvent
from events.errors import EventsError, Malformed
from keys.errors import BadSignature, KeysError
from keys.identity import Identity
from keys.labels import Label

ME = Identity(bytes(range(32)), bytes(range(32, 64)))
REF = ObjectRef(bytes(16), 1, bytes(32), bytes(32), 1040, bytes(32))
HEADER = Header(
    stream=bytes([7] * 32),
    seq=3,
    prev=bytes([1] * 32),
    author=ME.fingerprint,
    kind="request.made",
    time=1_770_000_000_000,
    circle="parties",
    epoch=1,
    about=(bytes([2] * 32),),
    lang="en",
    objects=(REF,),
    clear={"form": "clarification"},
    seen=Seen(5, bytes([9] * 32)),
)


def signed(header: Header = HEADER) -> SignedEvent:
    return SignedEvent.assemble(header, ME.sign(Label.EVENT, header.encode()))


CHANGES: dict[str, Any] = {
    "stream": bytes(32),
    "seq": 4,
    "prev": ZERO,
    "kind": "request.closed",
    "time": 1,
    "circle": "reviewers",
    "epoch": 2,
    "about": (),
    "lang": "ar",
    "objects": (msgspec.structs.replace(REF, version=2),),
    "clear": {"form": "information"},
    "seen": None,
    "author": bytes(32),
}


def test_an_envelope_reads_back_as_it_was() -> None:
    event = signed()
    again = SignedEvent.parse(event.envelope)
    assert again.verify(ME.recipient).header == HEADER
    assert again.id == hashlib.sha256(event.envelope).digest()


def test_every_field_is_listed_here() -> None:
    assert set(CHANGES) | {"v", "suite"} == set(Header.__struct_fields__)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_every_field_is_signed(name: str) -> None:
    """Rule 10: whoever changes any field of a header breaks its signature."""
    changed = msgspec.structs.replace(HEADER, **{name: CHANGES[name]})
    forged = SignedEvent.parse(changed.encode() + signed().envelope[-64:])
    with pytest.raises(BadSignature):
        forged.verify(ME.recipient)


@pytest.mark.parametrize("name", [f.name for f in msgspec.structs.fields(ObjectRef)])
def test_every_part_of_an_object_is_signed(name: str) -> None:
    old = getattr(REF, name)
    changed = msgspec.structs.replace(REF, **{name: old + 1 if isinstance(old, int) else bytes([old[0] ^ 1]) + old[1:]})
    forged = SignedEvent.parse(msgspec.structs.replace(HEADER, objects=(changed,)).encode() + signed().envelope[-64:])
    with pytest.raises(BadSignature):
        forged.verify(ME.recipient)


@settings(max_examples=300)
@given(st.data())
def test_any_flipped_bit_is_found(data: st.DataObject) -> None:
    envelope = bytearray(signed().envelope)
    bit = data.draw(st.integers(0, len(envelope) * 8 - 1))
    envelope[bit // 8] ^= 1 << bit % 8
    with pytest.raises((EventsError, KeysError)):
        SignedEvent.parse(bytes(envelope)).verify(ME.recipient)


def test_somebody_elses_key_does_not_verify() -> None:
    with pytest.raises(BadSignature):
        signed().verify(Identity.generate().recipient)


def forge(change: Any) -> bytes:
    value = canonical.decode(HEADER.encode(), MAX_ENVELOPE)
    change(value)
    return canonical.encode(value) + bytes(64)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(extra=1),
        lambda v: v.pop("lang"),
        lambda v: v.pop("v"),
        lambda v: v.pop("suite"),
        lambda v: v.pop("seen"),
        lambda v: v.update(v=2),
        lambda v: v.update(suite=0),
        lambda v: v.update(suite=2),
        lambda v: v.update(stream=bytes(31)),
        lambda v: v.update(stream="text"),
        lambda v: v.update(seq=-1),
        lambda v: v.update(seq=2**53),
        lambda v: v.update(seq=True),
        lambda v: v.update(prev=b""),
        lambda v: v.update(author=bytes(33)),
        lambda v: v.update(kind="Request.Made"),
        lambda v: v.update(kind="a." + "b" * 60),
        lambda v: v.update(circle="delegation:xx"),
        lambda v: v.update(circle="parties\n"),
        lambda v: v.update(lang="english language"),
        lambda v: v.update(lang="en\n"),
        lambda v: v.update(about=[bytes(32)] * 65),
        lambda v: v.update(about=[bytes(31)]),
        lambda v: v.update(objects=[v["objects"][0]] * 34),
        lambda v: v["objects"][0].append(1),
        lambda v: v["objects"][0].pop(),
        lambda v: v["objects"][0].__setitem__(1, 0),
        lambda v: v["objects"][0].__setitem__(4, 0),
        lambda v: v["objects"][0].__setitem__(4, 2**53),
        lambda v: v.update(clear=[]),
        lambda v: v.update(seen=[1]),
        lambda v: v.update(seen={"size": 1, "root": bytes(32)}),
    ],
)
def test_headers_out_of_bounds_are_refused(change: Any) -> None:
    """Rules 8 and 20: unknown, missing and out-of-range fields; another version or suite."""
    with pytest.raises(Malformed):
        SignedEvent.parse(forge(change))


@pytest.mark.parametrize("size", [0, 1, 64, MAX_ENVELOPE + 1])
def test_sizes_are_bounded_before_anything_is_parsed(size: int) -> None:
    with pytest.raises(Malformed):
        SignedEvent.parse(bytes(size))


def test_a_header_that_grows_too_long_is_not_signed() -> None:
    with pytest.raises(Malformed):
        msgspec.structs.replace(HEADER, clear={"form": "x" * MAX_ENVELOPE}).encode()


@settings(max_examples=300)
@given(st.binary(max_size=600))
def test_any_bytes_are_refused_cleanly(data: bytes) -> None:
    with pytest.raises(Malformed):
        SignedEvent.parse(data)


def test_an_envelope_does_not_print_its_bytes() -> None:
    assert signed().envelope.hex()[:20] not in repr(signed())
    assert "parties" not in repr(signed())


# -- what travels with an envelope


def with_body(body: bytes) -> Header:
    ref = msgspec.structs.replace(REF, digest=hashlib.sha256(body).digest(), size=len(body))
    return msgspec.structs.replace(HEADER, objects=(ref,))


def test_the_body_is_the_one_signed() -> None:
    header = with_body(b"b" * 1040)
    check_body(header, b"b" * 1040)
    for other in (None, b"", b"c" * 1040, b"b" * 1039, b"b" * 1041):
        with pytest.raises(Malformed):
            check_body(header, other)


def test_nothing_travels_with_an_event_that_has_nothing() -> None:
    header = msgspec.structs.replace(HEADER, kind="dialogue.opened", objects=(), clear={}, circle="", epoch=0, lang="")
    check_body(header, None)
    with pytest.raises(Malformed):
        check_body(header, b"")


# -- cards


def card(identity: Identity = ME) -> Card:
    keys = identity.recipient
    return Card(keys.signing, keys.sealing, identity.sign(Label.CARD, keys.signing + keys.sealing))


def test_a_card_reads_back_from_its_line() -> None:
    broken = "\n".join(card().text()[i : i + 76] for i in range(0, len(card().text()), 76))
    assert Card.parse(broken).recipient() == ME.recipient
    assert Card.parse(f"  {card().text()}\n").recipient() == ME.recipient


def test_a_card_proves_that_its_owner_made_it() -> None:
    """Nobody can register somebody else's signing key with a sealing key of their own."""
    other = Identity.generate()
    mixed = dataclasses.replace(other.recipient).sealing
    for forged in (
        Card(ME.recipient.signing, mixed, card().signature),
        Card(other.recipient.signing, ME.recipient.sealing, card().signature),
        Card(ME.recipient.signing, ME.recipient.sealing, bytes(64)),
    ):
        with pytest.raises(Malformed):
            forged.recipient()
        with pytest.raises(Malformed):
            Card.parse(forged.text())


@given(st.text(max_size=200))
def test_any_text_is_no_card(text: str) -> None:
    for line in (text, f"colloquy-card1:{text}"):
        with pytest.raises(Malformed):
            Card.parse(line)


# -- two ways to read a header, one verdict


def read_slowly(data: bytes) -> Header:
    """Decode canonically first, then look at the fields."""
    value = canonical.decode(data, MAX_ENVELOPE - 64)
    try:
        header = msgspec.convert(value, Header, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None
    if set(value) != set(Header.__struct_fields__) or len(header.stream) not in (0, 32):
        raise Malformed("other fields")
    return header


def verdict(read: Any, data: bytes) -> Header | None:
    try:
        return read(data)
    except Malformed:
        return None


@settings(max_examples=500)
@given(st.data())
def test_the_quick_reader_agrees_with_the_canonical_one(data: st.DataObject) -> None:
    changed = bytearray(HEADER.encode())
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.sampled_from(["set", "delete", "insert"]))
        if kind == "set":
            changed[at] = data.draw(st.integers(0, 255))
        elif kind == "delete":
            del changed[at]
        else:
            changed.insert(at, data.draw(st.integers(0, 255)))
    assert verdict(Header.decode, bytes(changed)) == verdict(read_slowly, bytes(changed))


@pytest.mark.parametrize(
    "odd",
    [1.5, 2.0, None, True, {"b": 1, "a": 2}, {"a": [1.0]}, [], {1: 2}, {b"a": 1}, b"x", "x", 2**63, -1, 2**53],
    ids=repr,
)
@pytest.mark.parametrize("name", [*sorted(Header.__struct_fields__), "extra", "clear.form"])
def test_the_quick_reader_agrees_on_odd_values(name: str, odd: Any) -> None:
    value = msgspec.to_builtins(HEADER, builtin_types=(bytes,))
    if name == "clear.form":
        value["clear"] = {"form": odd}
    else:
        value[name] = odd
    data = msgpack.packb(dict(sorted(value.items())), use_bin_type=True)
    assert verdict(Header.decode, data) == verdict(read_slowly, data)
