"""The vectors hold: what another implementation is told is what this one does."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from events import canonical, logged, merkle
from events.body import check_body
from events.card import Card, card_of
from events.envelope import SignedEvent, scope
from events.errors import Malformed, NotProved
from events.forks import Evidence
from events.notes import Note
from events.policy import Policy
from events.receipts import Receipt
from events.register import RegisterHistory
from events.tiles import read_bundle
from events.workflow import admit_register, admit_review
from keys import grants, keyfile
from keys.epoch import EpochKey
from keys.errors import BadSignature, InvalidKey
from keys.identity import Identity
from keys.labels import Label, frame
from keys.recipient import Recipient
from keys.sealing import ObjectKey
from tests.vectors.make import FILES, plain

HERE = Path(__file__).parent


def load(name: str) -> dict[str, Any]:
    return dict(json.loads((HERE / f"{name}.json").read_text()))


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_files_are_what_the_code_makes(name: str) -> None:
    assert json.loads(json.dumps(FILES[name]())) == load(name)


def test_canonical() -> None:
    vectors = load("canonical")
    for one in vectors["encodes"]:
        assert plain(canonical.decode(bytes.fromhex(one["bytes"]), 10_000)) == one["value"]
    for data in vectors["refused"].values():
        with pytest.raises(Malformed):
            canonical.decode(bytes.fromhex(data), 10_000)


def test_keys() -> None:
    vectors = load("keys")
    alice = vectors["people"][0]
    keys = Card.parse(alice["card"]).recipient()
    assert keys.fingerprint.hex() == alice["fingerprint"]
    message = bytes.fromhex(vectors["signature"]["message"])
    keys.verify(Label.EVENT, message, bytes.fromhex(vectors["signature"]["signature"]))
    for refused in vectors["refused_signatures"].values():
        with pytest.raises(BadSignature):
            keys.verify(Label.EVENT, message, bytes.fromhex(refused))
    for refused in vectors["refused_signing_keys"]:
        with pytest.raises(InvalidKey):
            Recipient(bytes.fromhex(refused), keys.sealing)
    for refused in vectors["refused_sealing_keys"].values():
        with pytest.raises(InvalidKey):
            Recipient(keys.signing, bytes.fromhex(refused))
    held = keyfile.unlock(vectors["key_file"]["text"], vectors["key_file"]["passphrase"])
    assert held.signing_seed.hex() == alice["signing_seed"]


def test_sealing() -> None:
    vectors, alice = load("sealing"), load("keys")["people"][0]
    me = Identity(bytes.fromhex(alice["signing_seed"]), bytes.fromhex(alice["sealing_seed"]))
    where = scope(bytes.fromhex(vectors["stream"]), vectors["circle"])
    for grant, epoch in zip(vectors["grants_to_the_first_person"], vectors["epochs"], strict=True):
        key = grants.accept(
            me, bytes.fromhex(grant["sealed"]), where, grant["epoch"], bytes.fromhex(epoch["commitment"])
        )
        assert key.secret.hex() == epoch["secret"]
    first, second = (EpochKey(where, e["epoch"], bytes.fromhex(e["secret"])) for e in vectors["epochs"])
    assert second.follow(bytes.fromhex(vectors["link_2_to_1"]), 1, first.commitment) == first
    key = ObjectKey(bytes.fromhex(vectors["object"]["bound"]), bytes.fromhex(vectors["object"]["secret"]))
    for one in vectors["sealed"][:2]:
        assert key.open(bytes.fromhex(one["bytes"])).hex() == one["data"]


def test_log() -> None:
    vectors = load("log")
    policy, expected = Policy.parse(vectors["policy"]), [bytes.fromhex(one) for one in vectors["entries"]]
    for record, one in zip(vectors["records"], expected, strict=False):
        assert bytes([record["type"]]) + hashlib.sha256(bytes.fromhex(record["bytes"])).digest() == one
    assert read_bundle(bytes.fromhex(vectors["bundle"]["bytes"]), len(expected)) == expected
    leaves = [hashlib.sha256(b"\x00" + one).hexdigest() for one in expected]
    assert leaves == vectors["leaf_hashes"]
    assert "".join(leaves) == vectors["tile"]["bytes"]
    roots = [bytes.fromhex(one) for one in vectors["roots"]]
    for index, proof in enumerate(vectors["inclusion"]):
        hashes = [bytes.fromhex(one) for one in proof]
        merkle.verify_inclusion(bytes.fromhex(leaves[index]), index, len(leaves), hashes, roots[-1])
    for old, proof in enumerate(vectors["consistency"], 1):
        merkle.verify_consistency(old, roots[old], len(leaves), roots[-1], [bytes.fromhex(one) for one in proof])
    witnessed = policy.witnessed(Note.parse(vectors["witnessed"].encode()))
    assert witnessed.head.root == roots[-1]
    assert {(one.witness, one.time) for one in witnessed.cosigned} == {
        (n, vectors["time"]) for n in vectors["witnesses"]
    }
    assert vectors["cosignature"] in vectors["witnessed"]
    found = logged.check(Receipt.parse(vectors["receipt"].encode()), policy)
    assert found.event.id.hex() == load("event")["id"]
    for text in vectors["forks"]:
        Evidence.parse(text.encode()).verify(policy)
    with pytest.raises(NotProved):
        Evidence.parse(vectors["no_fork"].encode()).verify(policy)


def test_sharing() -> None:
    vectors, alice = load("sharing"), load("keys")["people"][0]
    me = Identity(bytes.fromhex(alice["signing_seed"]), bytes.fromhex(alice["sealing_seed"]))
    given = {name: bytes.fromhex(vectors["disclosure"][name]) for name in ("stream", "source", "plaintext", "sealed")}
    context = frame(given["stream"], given["source"], bytes(2), b"", me.fingerprint)
    assert me.open(Label.DISCLOSURE, given["sealed"], context) == given["plaintext"]
    assert canonical.decode(given["plaintext"], 10_000)["source"].hex() == load("sealing")["object"]["secret"]
    letter = {name: bytes.fromhex(value) for name, value in vectors["letter"].items()}
    context = frame(given["stream"], letter["id"], bytes.fromhex(vectors["author"]))
    (sealed,), words = canonical.decode(letter["travels"], 10_000)
    secret = me.open(Label.LETTER, sealed, context + frame(letter["commitment"], me.fingerprint))
    assert ObjectKey(context, secret).expect(letter["commitment"]).open(words) == letter["words"]


def test_a_mark_by_the_specification_alone() -> None:
    one = load("sharing")["mark"]
    secret, bound = bytes.fromhex(one["object_secret"]), bytes.fromhex(one["bound"])
    aad = hashlib.sha256(b"colloquy/v1/object-context\x00" + bound).digest()
    info = b"colloquy/v1/mark\x00" + aad + (32).to_bytes(4, "big") + bytes.fromhex(load("sharing")["reader"])
    mark = hmac.digest(secret, info + b"\x01", "sha256")[:8]
    assert mark.hex() == one["mark"]
    assert one["property"] == f"colloquy-reader:{mark.hex()}"
    digits = [f"{0x2061 + (byte >> shift & 3):04X}" for byte in mark for shift in (6, 4, 2, 0)]
    assert one["text"] == ["2060", *digits, "2060"]


def test_a_whole_review_replays_to_its_end() -> None:
    vectors, history = load("review"), RegisterHistory()
    register = None
    for one in vectors["register"]:
        signed = SignedEvent.parse(bytes.fromhex(one["envelope"]))
        person = history.latest.by_device(signed.claimed_author) if len(history) else None
        key = Recipient(person.signing, person.sealing) if person else card_of(signed.claimed_genesis[1]).recipient()
        event = signed.verify(key)
        register = admit_register(register, event, history)
        check_body(event.header, bytes.fromhex(one["body"]) if one["body"] else None)
    review = None
    for one in vectors["review"]:
        signed = SignedEvent.parse(bytes.fromhex(one["envelope"]))
        person = history.latest.by_device(signed.claimed_author)
        event = signed.verify(Recipient(person.signing, person.sealing))
        review = admit_review(review, event, history)
        check_body(event.header, bytes.fromhex(one["body"]) if one["body"] else None)
    assert review.head.hex() == vectors["end"]["head"]
    assert review.phase == vectors["end"]["phase"]
    assert {name: circle.epoch for name, circle in sorted(review.circles.items())} == vectors["end"]["epochs"]
    assert hashlib.sha256(bytes.fromhex(vectors["review"][0]["envelope"])).digest() == review.id
