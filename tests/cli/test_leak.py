"""A leak from end to end, by real processes: a marked copy gets out, is traced, reported, considered, referred, closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cast import Cast

pytestmark = pytest.mark.xdist_group("leak")
UDHR = Path(__file__).parents[1] / "data" / "udhr" / "en Universal Declaration.txt"


class Scene(Cast):
    """The cast with an expert and an overseer, and a paper whose file the expert fetched."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._enter("oversight", "Nikolai Petrescu", "oversight", "", self.stage.actors["officer"])
        self._enter("nrl-x", "Sigrid Halvorsen", "expert", "NRL", self.stage.actors["nrl"])
        self.stage.do(self.stage.actors["nrl"], "members", "nominate", "Halvorsen")
        self.stage.do(self.stage.actors["officer"], "members", "admit")
        (self.papers / "statistics.txt").write_bytes(UDHR.read_bytes())
        (self.papers / "statistics.paper").write_text("Title: Statistics\n\nThe numbers are attached.\n")
        words = ("inform", self.paper("statistics.paper"), "--attach", self.paper("statistics.txt"), "--lang", "en")
        self.paper_no = f"#{self.stage.ask(self.stage.actors['vda'], *words)['seq']}"

    def json(self, who: str, *words: str, **options: object) -> object:
        self.tick()
        done = self.run(who, "--json", *words, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = Scene(tmp_path_factory.mktemp("leak") / "stage")
    yield scene
    scene.stage.stop_server()


def test_a_copy_is_marked_and_its_reader_is_told(scene: Scene, tmp_path: Path) -> None:
    done = scene.run("nrl-x", "fetch", scene.paper_no, "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "carries a mark that stands for you" in done.stdout
    assert "--unmarked" in done.stdout
    copy, logged = (tmp_path / "statistics.txt").read_bytes(), UDHR.read_bytes()
    assert copy != logged
    assert "".join(c for c in copy.decode() if c not in "\u2060\u2061\u2062\u2063\u2064").encode() == logged
    done = scene.run("nrl-x", "fetch", scene.paper_no, "--unmarked", "--to", str(tmp_path / "exact"))
    assert "carries no mark, as you asked" in done.stdout
    assert (tmp_path / "exact" / "statistics.txt").read_bytes() == logged


def test_a_leak_is_traced_reported_considered_referred_and_closed(scene: Scene, tmp_path: Path) -> None:
    assert scene.run("nrl-x", "fetch", scene.paper_no, "--to", str(tmp_path)).returncode == 0
    lines = (tmp_path / "statistics.txt").read_text().splitlines(keepends=True)
    page = "<html><body>" + "<br>".join(lines[8:30]) + "</body></html>"
    (tmp_path / "page.html").write_text(page)

    found = scene.json("vda", "trace", str(tmp_path / "page.html"), "--evidence", str(tmp_path / "evidence.txt"))
    document = found["documents"][0]
    assert (document["event"], document["part"]) == (scene.paper_no, "file 1 (statistics.txt)")
    assert document["how"] == "excerpt"
    assert [mark["who"] for mark in document["marks"]] == ["Sigrid Halvorsen (NRL)"]
    assert "whoever holds this document's key could have written the mark" in document["odds"]
    assert {key["who"].split(" (")[0] for key in document["keys"]} >= {"Sigrid Halvorsen", "Beatriz Solano"}
    assert {read["who"].split(" (")[0] for read in document["reads"]} >= {"Sigrid Halvorsen"}
    evidence = (tmp_path / "evidence.txt").read_text()
    for phrase in (
        "Marks found of: Sigrid Halvorsen (NRL)",
        "does not prove",
    ):
        assert phrase in evidence

    (tmp_path / "suspicion.txt").write_text("Title: A leak\nLeaked: page.html\n\nIt stood on a public page.\n")
    words = ("breach", "report", str(tmp_path / "suspicion.txt"), "--about", scene.paper_no)
    sent = scene.json("vda", *words, "--evidence", str(tmp_path / "evidence.txt"))

    (waiting,) = [w for w in scene.json("oversight", "inbox")["waiting"] if w["detail"] == "B1"]
    assert waiting["verb"].startswith("breach")
    (letter,) = scene.json("oversight", "breach", "show", "B1")["letters"]
    assert letter["words"]["evidence"] == evidence
    assert letter["words"]["leaked"] == "page.html"
    refused = scene.run("oversight", "show", scene.paper_no)
    assert refused.returncode == 6
    scene.tick()
    done = scene.run("vda", "--yes", "disclose", scene.paper_no, "Petrescu", "--file", "1")
    assert done.returncode == 0, done.stderr
    shown = scene.run("oversight", "show", scene.paper_no)
    assert "File 1 was disclosed to you by Beatriz Solano" in shown.stdout
    assert "numbers are attached" not in shown.stdout
    done = scene.run("oversight", "fetch", scene.paper_no, "--to", str(tmp_path / "oversight"), "--unmarked")
    assert (tmp_path / "oversight" / "statistics.txt").read_bytes() == UDHR.read_bytes(), done.stderr

    (tmp_path / "finding.txt").write_text("We looked into it.\n")
    for verb, standing in (("consider", "considered"), ("refer", "referred"), ("close", "closed")):
        scene.json("oversight", "breach", verb, "B1", str(tmp_path / "finding.txt"))
        (row,) = scene.json("vda", "breach", "list")
        assert row["standing"] == standing
    assert len(scene.json("vda", "breach", "show", "B1")["letters"]) == 4

    for who in ("nrl-x", "nrl"):
        seen = scene.json(who, "breach", "show", "B1")
        assert seen["title"] == "(sealed)"
        assert [letter["words"] for letter in seen["letters"]] == [{}] * 4
    assert scene.run("nrl-x", "show", f"#{sent['seq']}").stdout.count("public page") == 0


def test_text_is_pasted_in_and_what_is_unlike_everything_is_said_to_be(scene: Scene, tmp_path: Path) -> None:
    passage = "\n".join(UDHR.read_text().splitlines()[20:24])
    found = scene.json("tsr", "trace", "-", input=passage)
    assert [(d["event"], d["how"], d["marks"]) for d in found["documents"]] == [(scene.paper_no, "excerpt", [])]
    found = scene.json("tsr", "trace", "-", input="Nothing in this text was ever written in any paper of any review.")
    assert found["documents"] == []
    done = scene.run("tsr", "trace", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    (tmp_path / "empty").touch()
    done = scene.run("tsr", "trace", str(tmp_path / "empty"))
    assert done.returncode == 0, done.stderr
    assert "like no document you can open" in done.stdout


def test_nothing_of_a_document_lies_open_in_a_home(scene: Scene) -> None:
    """What tracing remembers is sealed: no digest and no shingle of a document's words is on disk."""
    from exchange.client.tracing import Fingerprint

    scene.json("tsr", "trace", "-", input="x")
    memory = b"".join(path.read_bytes() for path in scene.stage.actors["tsr"].home.glob("cache.sqlite*"))
    known = Fingerprint.of(UDHR.read_bytes(), UDHR.name)
    assert known.content not in memory
    assert known.words not in memory
    run = sorted(known.shingles)[:3]
    for order in ("big", "little"):
        assert b"".join(shingle.to_bytes(4, order) for shingle in run) not in memory
