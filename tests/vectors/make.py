"""Make the vectors anew: `python -m tests.vectors.make`. Only a new version of the protocol may change them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from events import canonical, logged, tiles
from events.access import Completion, Statement, Want
from events.card import Card
from events.checkpoint import cosign, witness_key
from events.entries import EntryType, entry
from events.envelope import Header, ObjectRef, SignedEvent, object_context, scope
from events.forks import Evidence
from events.witnessing import AddCheckpoint
from keys import derive, grants, keyfile
from keys.epoch import EpochKey
from keys.identity import Identity
from keys.labels import Label, frame
from keys.recipient import readable
from keys.sealing import CHUNK, ObjectKey, SlotKey, bind, padded_size
from tests.support.tree import TIME, TestLog, note_key
from tests.support.world import World, every_kind
from tests.vectors.sharing import sharing_vectors

HERE = Path(__file__).parent
ALICE = Identity(bytes(range(32)), bytes(range(32, 64)))
BOB = Identity(bytes(range(64, 96)), bytes(range(96, 128)))
STREAM = hashlib.sha256(b"a review").digest()
EPOCH1 = EpochKey(scope(STREAM, "parties"), 1, bytes([1] * 32))
EPOCH2 = EpochKey(scope(STREAM, "parties"), 2, bytes([2] * 32))
SALT = bytes([3] * 32)
OBJECT = bytes(range(16))


def plain(value: Any) -> Any:
    """A value as JSON that a browser reads: bytes become {"hex": …}, integers beyond 2^53 become {"integer": …}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return {"integer": str(value)}
    return value


def canonical_vectors() -> dict[str, Any]:
    values = [
        None,
        True,
        False,
        0,
        1,
        127,
        128,
        255,
        256,
        65535,
        65536,
        2**32 - 1,
        2**32,
        2**53 - 1,
        -1,
        -32,
        -33,
        -128,
        -129,
        -32769,
    ]
    values += ["", "a", "é", "中文", "عربي", "😀", "x" * 31, "x" * 32, "x" * 256, b"", b"\x00", b"\xff" * 256]
    values += [[], [1, [2, [3]]], {}, {"b": 1, "a": [None, {"é": b"\x01", "z": "y"}]}, {"": 0, "aa": 1, "a": 2}]
    refused = {
        "keys out of order": "82a16201a16101",
        "a key twice": "82a16101a16101",
        "a wide integer": "cc01",
        "a wide length": "d90161",
        "floating point": "cb3ff0000000000000",
        "an extension": "d6ff00000000",
        "a key of bytes": "81c40161c0",
        "a key that is a number": "810101",
        "something after": "0101",
        "truncated": "92",
        "no UTF-8": "a2c328",
        "nothing": "",
    }
    return {"encodes": [{"value": plain(v), "bytes": canonical.encode(v).hex()} for v in values], "refused": refused}


def key_vectors() -> dict[str, Any]:
    people = []
    for identity in (ALICE, BOB):
        keys = identity.recipient
        card = Card(keys.signing, keys.sealing, identity.sign(Label.CARD, keys.signing + keys.sealing))
        people.append(
            {
                "signing_seed": identity.signing_seed.hex(),
                "sealing_seed": identity.sealing_seed.hex(),
                "signing": keys.signing.hex(),
                "sealing": keys.sealing.hex(),
                "fingerprint": keys.fingerprint.hex(),
                "digits": readable(keys.fingerprint),
                "card": card.text(),
            }
        )
    order = 2**252 + 27742317777372353535851937790883648493
    good = ALICE.sign(Label.EVENT, b"message")
    malleable = good[:32] + (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
    small = [
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "00" * 32,
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ]
    high = bytearray(ALICE.recipient.sealing)
    high[-1] |= 0x80
    text = _key_file()
    return {
        "people": people,
        "frame": {"parts": ["6162", "", "63"], "bytes": frame(b"ab", b"", b"c").hex()},
        "signature": {"label": "EVENT", "message": b"message".hex(), "signature": good.hex()},
        "refused_signatures": {"s above the order": malleable.hex(), "zeros": "00" * 64},
        "refused_signing_keys": small,
        "refused_sealing_keys": {
            "high bit of X25519": bytes(high).hex(),
            "coefficient of ML-KEM": ("ff" * 2) + ALICE.recipient.sealing.hex()[4:],
        },
        "labels": {label.name: label.value.hex() for label in Label},
        "key_file": {"passphrase": "correct horse battery staple", "text": text},
    }


def _key_file() -> str:
    kept = HERE / "keys.json"
    # The file has a random salt: once made it stays.
    if kept.exists():
        return str(json.loads(kept.read_text())["key_file"]["text"])
    return keyfile.protect(ALICE, "correct horse battery staple")


def sealing_vectors() -> dict[str, Any]:
    key = ObjectKey.derive(EPOCH1, object_context(OBJECT, 1), SALT)
    slot = SlotKey.derive(EPOCH1, object_context(OBJECT, 1), SALT)
    words = "Participation in an organized criminal group"
    long = bytes(range(256)) * 600
    sealed_long = key.seal(long)
    return {
        "stream": STREAM.hex(),
        "circle": "parties",
        "scope": EPOCH1.scope.hex(),
        "epochs": [
            {"epoch": e.epoch, "secret": e.secret.hex(), "commitment": e.commitment.hex()} for e in (EPOCH1, EPOCH2)
        ],
        "link_2_to_1": EPOCH2.link(EPOCH1).hex(),
        "grants_to_the_first_person": _grants(),
        "object": {
            "id": OBJECT.hex(),
            "version": 1,
            "salt": SALT.hex(),
            "bound": key.context.hex(),
            "secret": key.secret.hex(),
            "commitment": key.commitment.hex(),
            "content": derive.expand(
                key.secret, Label.OBJECT_CONTENT, hashlib.sha256(Label.OBJECT_CONTEXT.value + key.context).digest()
            ).hex(),
        },
        "slot": {
            "secret": slot.secret.hex(),
            "commitment": slot.commitment.hex(),
            "object_salt": (bytes([4] * 32)).hex(),
            "object_secret": slot.object(bytes([4] * 32)).secret.hex(),
        },
        "padding": {
            str(n): padded_size(n) for n in (0, 1, 1015, 1016, 1017, 2000, 5000, 65528, 65529, 100_000, 10**6, 10**9)
        },
        "sealed": [
            {"data": words.encode().hex(), "bytes": key.seal(words.encode()).hex()},
            {"data": "", "bytes": key.seal(b"").hex()},
            {
                "data_is": "bytes 0..255, 600 times",
                "chunks": -(-len(sealed_long) // (CHUNK + 16)),
                "size": len(sealed_long),
                "sha256": hashlib.sha256(sealed_long).hexdigest(),
            },
        ],
        "bind": bind(EPOCH1.scope, 1, object_context(OBJECT, 1)).hex(),
    }


def _grants() -> list[dict[str, Any]]:
    kept = HERE / "sealing.json"
    # Sealing is randomised: once made they stay.
    if kept.exists():
        return list(json.loads(kept.read_text())["grants_to_the_first_person"])
    return [{"epoch": e.epoch, "sealed": grants.grant(e, ALICE.recipient).hex()} for e in (EPOCH1, EPOCH2)]


def event_vectors() -> dict[str, Any]:
    header, signed = _event()
    value = msgspec.to_builtins(header, builtin_types=(bytes,))
    return {"header": plain(value), "envelope": signed.envelope.hex(), "id": signed.id.hex()}


def _event() -> tuple[Header, SignedEvent]:
    ref = ObjectRef(OBJECT, 1, SALT, bytes([5] * 32), 1040, bytes([6] * 32))
    header = Header(
        stream=STREAM,
        seq=7,
        prev=bytes([7] * 32),
        author=ALICE.fingerprint,
        kind="request.made",
        time=1_770_000_000_000,
        circle="parties",
        epoch=1,
        about=(),
        lang="en",
        objects=(ref,),
        clear={"form": "clarification"},
        seen=None,
    )
    return header, SignedEvent.assemble(header, ALICE.sign(Label.EVENT, header.encode()))


def log_vectors() -> dict[str, Any]:
    """A small log: every sort of entry, its tree, and each text that is signed about it."""
    _, signed = _event()
    statement = Statement(1, STREAM, ALICE.fingerprint, 1_770_000_000_000, bytes(16), (Want(signed.id, 0, 0),))
    access = statement.encode() + ALICE.sign(Label.ACCESS, statement.encode())
    done = Completion(1, hashlib.sha256(access).digest(), 1_770_000_000_500, 1040).encode()
    records = [(EntryType.ENVELOPE, signed.envelope), (EntryType.STATEMENT, access), (EntryType.COMPLETION, done)]
    entries = [entry(kind, hashlib.sha256(record).digest()) for kind, record in records]
    entries += [entry(EntryType.ENVELOPE, hashlib.sha256(bytes([number])).digest()) for number in range(4)]
    log, size = TestLog(entries), len(entries)
    forked = TestLog([*entries[:4], *reversed(entries[4:])])
    note = log.note(size, "NRL", "TSR")
    receipt = logged.receipt_for(signed.envelope, ALICE.recipient, 0, log.inclusion(0, size), note)
    return {
        "records": [{"type": kind.value, "bytes": record.hex()} for kind, record in records],
        "entries": [one.hex() for one in entries],
        "leaf_hashes": [log.nodes(0, index).hex() for index in range(size)],
        "roots": [log.root(count).hex() for count in range(size + 1)],
        "inclusion": [[one.hex() for one in log.inclusion(index, size)] for index in range(size)],
        "consistency": [[one.hex() for one in log.consistency(old, size)] for old in range(1, size + 1)],
        "tile": {
            "path": tiles.Tile(0, 0, size).path(),
            "bytes": b"".join(map(log.nodes, [0] * size, range(size))).hex(),
        },
        "bundle": {"path": tiles.Tile(-1, 0, size).path(), "bytes": tiles.write_bundle(entries).hex()},
        "log": {"seed": log.key.seed.hex(), "vkey": log.vkey},
        "witnesses": {name: _witness(name) for name in ("NRL", "TSR")},
        "time": TIME,
        "policy": log.policy(2, "NRL", "TSR"),
        "checkpoint": log.note(size).encode().decode(),
        "cosignature": cosign("NRL", note_key("NRL"), log.head(size).text(), TIME).line(),
        "witnessed": note.encode().decode(),
        "add_checkpoint": AddCheckpoint(4, log.consistency(4, size), log.note(size)).encode().decode(),
        "receipt": receipt.encode().decode(),
        "forks": [
            Evidence.between(log.note(old), forked.note(new), forked.nodes).encode().decode()
            for old, new in ((6, 6), (5, 7), (6, 7))
        ],
        "no_fork": Evidence.between(log.note(4), forked.note(7), forked.nodes).encode().decode(),
    }


def _witness(name: str) -> dict[str, str]:
    return {"seed": note_key(name).seed.hex(), "vkey": witness_key(name, note_key(name)).text()}


def review_vectors() -> dict[str, Any]:
    """A whole review, event by event, and what the state is at its end."""
    kept = HERE / "review.json"
    if kept.exists():
        return dict(json.loads(kept.read_text()))
    world = World()
    for _, make in every_kind():
        made = make(world)
        if hasattr(made, "author"):
            world.do(made)
    review = world.review
    return {
        "register": [
            {"envelope": e.hex(), "body": b.hex() if b else None} for e, b in world.records[world.register.id]
        ],
        "review": [{"envelope": e.hex(), "body": b.hex() if b else None} for e, b in world.records[review.id]],
        "people": {
            a.name: {"signing_seed": a.identity.signing_seed.hex(), "sealing_seed": a.identity.sealing_seed.hex()}
            for a in world.actors.values()
        },
        "end": {
            "head": review.head.hex(),
            "seq": review.seq,
            "phase": review.phase.value,
            "asked": review.asked,
            "report_final": review.report.final,
            "languages": list(review.languages),
            "members": sorted(m.device.hex() for m in review.members.values() if m.active),
            "epochs": {name: c.epoch for name, c in sorted(review.circles.items())},
        },
    }


FILES = {
    "canonical": canonical_vectors,
    "keys": key_vectors,
    "sealing": sealing_vectors,
    "sharing": lambda: sharing_vectors(STREAM, ObjectKey.derive(EPOCH1, object_context(OBJECT, 1), SALT), BOB, ALICE),
    "event": event_vectors,
    "log": log_vectors,
    "review": review_vectors,
}


def main() -> None:
    """Write every file."""
    for name, make in FILES.items():
        (HERE / f"{name}.json").write_text(json.dumps(make(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
