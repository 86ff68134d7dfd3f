"""The log on the command line: announced with a real witness, receipts, who read what, two views compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from events.checkpoint import Head
from events.policy import Policy
from exchange.notekeys import HeldKey
from exchange.server.service import LOG_KEY
from tests.support.cast import Cast
from tests.support.witnesses import WitnessProcess

pytestmark = pytest.mark.xdist_group("log")


class Witnessed(Cast):
    """The cast with a witness process, announced by the officer."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._enter("oversight", "Nikolai Petrescu", "oversight", "", self.stage.actors["officer"])
        key = self.json("officer", "log", "policy")["policy"].split()[1]
        self.witness = WitnessProcess(root, key, name="oversight.example/w", clock=root / "clock")
        self.witness.start()
        announced = f"oversight={self.witness.vkey.text()},{self.witness.url}"
        self.json("officer", "--yes", "log", "announce", "--witness", announced)

    def json(self, who: str, *words: str) -> dict:  # type: ignore[type-arg]
        self.tick()
        done = self.run(who, "--json", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def fails(self, who: str, status: int, *words: str) -> str:
        self.tick()
        done = self.run(who, *words)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witnessed]:
    scene = Witnessed(tmp_path_factory.mktemp("log") / "stage")
    yield scene
    scene.stage.stop_server()
    scene.witness.kill()


def test_a_receipt_is_checked_by_a_stranger(scene: Witnessed, tmp_path: Path) -> None:
    receipt, policy = tmp_path / "answer.tlog-proof", tmp_path / "policy.txt"
    assert scene.json("vda", "receipt", "Q1", "--out", str(receipt))["index"] > 0
    scene.json("vda", "log", "policy", "--out", str(policy))
    nowhere = {"COLLOQUY_HOME": str(tmp_path / "none"), "HOME": str(tmp_path / "none"), "COLLOQUY_PASSPHRASE_FILE": ""}
    done = scene.run("vda", "verify-receipt", str(receipt), "--policy", str(policy), env=nowhere)
    assert done.returncode == 0, done.stderr
    assert "oversight" in done.stdout
    lines = receipt.read_text().split("\n")
    receipt.write_text("\n".join([lines[0], lines[1], "index 3", *lines[3:]]))
    assert scene.run("vda", "verify-receipt", str(receipt), "--policy", str(policy), env=nowhere).returncode == 5


def test_how_fresh_the_history_is_is_said_plainly(scene: Witnessed) -> None:
    status = scene.json("nrl", "log", "status")
    assert set(status["witnessed_by"]) == {"oversight"}
    assert status["age_seconds"] < 3600
    done = scene.run("nrl", "status")
    assert "entries witnessed" in done.stdout
    assert "by oversight" in done.stdout


def test_who_read_what_is_told_to_those_who_answer_for_the_review(scene: Witnessed) -> None:
    scene.json("tsr", "show", "Q1")
    rows = scene.json("oversight", "access", "Q1")
    names = {read["who"].split(" (")[0] for row in rows for read in row["did"]}
    assert "Amara Diallo" in names
    assert all("Nikolai Petrescu" not in person for row in rows for person in row["could"])
    text = scene.run("vda", "access", "Q1").stdout
    assert "Amara Diallo" in text


def test_two_members_compare_what_they_were_shown(scene: Witnessed, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.checkpoint"
    scene.json("tsr", "checkpoint", "--out", str(theirs))
    out = tmp_path / "fork.txt"
    assert "of one history" in scene.fails("vda", 8, "fork-evidence", str(out), "--with", str(theirs))
    assert "no fork" in scene.fails("vda", 8, "fork-evidence", str(out))
    # The operator signs a second history with the log's key and shows it to one of them.
    held = HeldKey.load(scene.stage.root / "server" / LOG_KEY)
    size = scene.json("vda", "log", "status")["size"]
    theirs.write_bytes(Head(held.vkey.name, size, bytes(range(32))).signed(held.secret).encode())
    scene.json("vda", "fork-evidence", str(out), "--with", str(theirs))
    scene.json("nrl", "log", "policy", "--out", str(tmp_path / "policy.txt"))
    done = scene.run("nrl", "verify-fork", str(out), "--policy", str(tmp_path / "policy.txt"))
    assert done.returncode == 0, done.stderr
    assert f"two different histories of {size} entries" in done.stdout
    out.write_bytes(out.read_bytes().replace(str(size).encode(), str(size - 1).encode(), 1))
    assert scene.run("nrl", "verify-fork", str(out), "--policy", str(tmp_path / "policy.txt")).returncode == 5
    theirs.write_text("nonsense")
    assert "no checkpoint" in scene.fails("vda", 1, "fork-evidence", str(out), "--with", str(theirs))


def test_what_cannot_be_announced(scene: Witnessed, tmp_path: Path) -> None:
    assert scene.fails("vda", 3, "--yes", "log", "announce")
    assert "NAME=KEY,URL" in scene.fails("officer", 1, "--yes", "log", "announce", "--witness", "nonsense")
    assert "to begin with https://" in scene.fails(
        "officer", 1, "--yes", "log", "announce", "--witness", f"w={scene.witness.vkey.text()},ftp://x"
    )
    foreign = tmp_path / "policy.txt"
    other = Policy.parse(scene.json("vda", "log", "policy")["policy"]).logs[0].key.text()
    foreign.write_text(f"log {scene.witness.vkey.text()}\nquorum none\n")
    assert "no policy" in scene.fails("officer", 1, "--yes", "log", "announce", "--policy", str(foreign))
    assert other in scene.json("vda", "log", "policy")["policy"]


def test_rule_21_a_release_is_the_announced_one_or_is_said_not_to_be(scene: Witnessed, tmp_path: Path) -> None:
    file = tmp_path / "client.tar.gz"
    file.write_bytes(b"the client")
    announced = ("release", "announce", str(file), "--name", "colloquy", "--version", "0.2")
    scene.fails("vda", 3, "--yes", *announced)
    scene.json("officer", "--yes", *announced)
    assert "announced by Ines Achterberg" in scene.run("vda", "release", "check", str(file)).stdout
    assert [row["version"] for row in scene.json("tsr", "release", "list")] == ["0.2"]
    assert scene.run("officer", "--yes", *announced).returncode == 3
    file.write_bytes(b"the client, with something added")
    assert "no announced release" in scene.fails("vda", 8, "release", "check", str(file))
