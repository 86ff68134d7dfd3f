"""`colloquy verify-receipt` as people use it: offline, without a home; what it says of a good receipt and of forged ones."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from events import logged
from events.checkpoint import Head
from events.entries import EntryType, entry
from events.receipts import Receipt
from keys.identity import Identity
from keys.recipient import readable
from tests.support.process import COLLOQUY
from tests.support.tree import TIME, TestLog
from tests.support.world import World

WORLD = World(experts=False)
ENVELOPES = [envelope for envelope, _ in WORLD.records[WORLD.register.id]]
LOG = TestLog([entry(EntryType.ENVELOPE, hashlib.sha256(envelope).digest()) for envelope in ENVELOPES])
SIZE, PLACE = len(ENVELOPES), 2
AUTHOR = WORLD.actors["officer"].identity.recipient
GOOD = logged.receipt_for(
    ENVELOPES[PLACE], AUTHOR, PLACE, LOG.inclusion(PLACE, SIZE), LOG.note(SIZE, "NRL", "TSR", "VDA")
)


def verify(root: Path, receipt: Receipt | bytes, policy: str, *words: str) -> subprocess.CompletedProcess[str]:
    (root / "r.tlog-proof").write_bytes(receipt.encode() if isinstance(receipt, Receipt) else receipt)
    (root / "policy.txt").write_text(policy)
    command = [
        str(COLLOQUY),
        "verify-receipt",
        str(root / "r.tlog-proof"),
        "--policy",
        str(root / "policy.txt"),
        *words,
    ]
    # No home, no network address, no passphrase.
    bare = {"PATH": os.environ["PATH"], "HOME": str(root / "nowhere")}
    return subprocess.run(command, env=bare, capture_output=True, text=True, timeout=60, check=False)


def test_a_good_receipt_says_what_it_proves_and_what_not(tmp_path: Path) -> None:
    done = verify(tmp_path, GOOD, LOG.policy(2, "NRL", "TSR", "oversight").replace(" ", "\t", 1))
    assert done.returncode == 0, done.stderr
    for phrase in (
        "State registered",
        readable(AUTHOR.fingerprint),
        f"number {PLACE} of the stream {WORLD.register.id.hex()[:16]}",
        f"entry {PLACE} of {SIZE}",
        LOG.origin,
        "NRL  2026-02-02 02:40:00 UTC",
        "TSR  2026-02-02 02:40:00 UTC",
        "2 of NRL, TSR, oversight",
        "It does not prove",
    ):
        assert phrase in done.stdout
    assert "VDA " not in done.stdout
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("words", [("--json",)])
def test_json(tmp_path: Path, words: tuple[str, ...]) -> None:
    told = json.loads(verify(tmp_path, GOOD, LOG.policy(1, "NRL"), *words).stdout)
    assert (told["place"], told["size"], told["seq"], told["kind"]) == (PLACE, SIZE, PLACE, "state.registered")
    assert told["author"] == AUTHOR.fingerprint.hex()
    assert told["witnesses"] == [{"name": "NRL", "time": TIME}]


def test_a_policy_without_witnesses_is_said_to_be_one(tmp_path: Path) -> None:
    done = verify(tmp_path, GOOD, LOG.policy(0))
    assert done.returncode == 0
    assert "No witness cosigned it" in done.stdout


FORGED = Identity.generate()
OTHER = TestLog([bytes(33)] * SIZE)


@pytest.mark.parametrize(
    ("receipt", "policy", "phrase"),
    [
        (GOOD, LOG.policy(1, "oversight"), "missing: oversight"),
        (GOOD, TestLog([], "log.example/another").policy(1, "NRL"), "a log one trusts"),
        (dataclasses.replace(GOOD, index=3), LOG.policy(1, "NRL"), "does not lead from the entry to the root"),
        (dataclasses.replace(GOOD, note=OTHER.note(SIZE, "NRL")), LOG.policy(1, "NRL"), "does not lead from"),
        (
            dataclasses.replace(
                GOOD, note=dataclasses.replace(GOOD.note, text=Head(LOG.origin, SIZE, bytes(32)).text())
            ),
            LOG.policy(1, "NRL"),
            "that holds",
        ),
        (
            logged.receipt_for(ENVELOPES[PLACE], FORGED.recipient, PLACE, GOOD.hashes, GOOD.note),
            LOG.policy(1, "NRL"),
            "another device",
        ),
        (
            logged.receipt_for(ENVELOPES[PLACE][:-1] + b"x", AUTHOR, PLACE, GOOD.hashes, GOOD.note),
            LOG.policy(1, "NRL"),
            "does not hold",
        ),
        (b"c2sp.org/tlog-proof@v1\n", LOG.policy(1, "NRL"), "expected a receipt"),
        (b"\xff\x00", LOG.policy(1, "NRL"), "expected UTF-8"),
        (dataclasses.replace(GOOD, extra=b"another program's"), LOG.policy(1, "NRL"), "expected an event"),
    ],
)
def test_what_does_not_verify_is_status_5(tmp_path: Path, receipt: Receipt | bytes, policy: str, phrase: str) -> None:
    done = verify(tmp_path, receipt, policy)
    assert done.returncode == 5, done.stdout + done.stderr
    assert phrase in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_mistake_of_ones_own_is_no_forgery(tmp_path: Path) -> None:
    done = verify(tmp_path, GOOD, "believe everything\n")
    assert (done.returncode, "line 1 of the policy" in done.stderr) == (1, True)
    done = verify(tmp_path, b"x" * 1_000_000, LOG.policy(0))
    assert (done.returncode, "larger than" in done.stderr) == (1, True)
    (tmp_path / "policy.txt").unlink()
    missing = subprocess.run(
        [str(COLLOQUY), "verify-receipt", str(tmp_path / "no"), "--policy", str(tmp_path / "policy.txt")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)
