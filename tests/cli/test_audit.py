"""The oversight group at work: real processes, a real server, and one whose disk somebody altered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.cast import Cast

pytestmark = pytest.mark.xdist_group("colloquy-audit")


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    cast = Cast(tmp_path_factory.mktemp("cast") / "stage")
    cast._enter("oversight", "Noor Haddad", "oversight", "", cast.stage.actors["officer"])
    yield cast
    cast.stage.stop_server()


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_an_audit_from_nothing_and_one_of_what_is_new(cast: Cast, tmp_path: Path) -> None:
    first = cast.run("oversight", "audit", "--full", "--report", str(tmp_path / "reports"))
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Nothing is wrong in" in first.stdout
    assert "What was not checked" in first.stdout
    written = sorted((tmp_path / "reports").iterdir())
    assert [path.suffix for path in written] == [".html", ".json", ".txt"]
    assert written[2].read_text() in first.stdout
    before = json.loads(written[1].read_text())
    cast.run("nrl", "show", "Q1")
    again = cast.run("oversight", "--json", "audit", "--report", str(tmp_path / "reports"))
    report = json.loads(again.stdout)
    assert (again.returncode, report["sound"], report["full"]) == (0, True, False)
    assert report["before"] == before["size"]
    assert len(list((tmp_path / "reports").iterdir())) == 6


def test_the_page_has_no_script_and_nothing_from_elsewhere(cast: Cast, tmp_path: Path) -> None:
    cast.run("oversight", "audit", "--report", str(tmp_path))
    page = Page()
    text = next(tmp_path.glob("*.html")).read_text()
    page.feed(text)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "form"}
    assert not any({"src", "href", "action"} & attributes.keys() for _, attributes in page.tags)
    assert "VDA-2026" in text
    assert "http" not in text.replace("http-equiv", "")


def test_nobody_else_audits(cast: Cast) -> None:
    for who in ("officer", "vda"):
        refused = cast.run(who, "audit")
        assert refused.returncode == 3
        assert "oversight group" in refused.stderr
    assert cast.run("vda", "oversight").returncode == 3


def test_where_reviews_stand(cast: Cast) -> None:
    found = json.loads(cast.run("oversight", "--json", "oversight").stdout)
    review = found["reviews"][0]
    assert (review["review"], review["step"], review["breaches"]) == ("VDA-2026", "dialogue", 0)
    assert {"whose": "NRL", "what": "follow up or close", "count": 1} in review["turns"]
    assert review["translations"] > 0
    assert found["totals"]["steps"]["dialogue"] == 1
    cast.tick(60 * 24 * 400)
    shown = cast.run("oversight", "oversight")
    assert shown.returncode == 0
    late = json.loads(cast.run("oversight", "--json", "oversight").stdout)["reviews"][0]["late"]
    assert {"dialogue", "whole-review"} <= {step["step"] for step in late}
    assert all(step["days"] > 0 and step["paragraph"] for step in late)
    assert f"dialogue: {next(s['days'] for s in late if s['step'] == 'dialogue')} days" in shown.stdout
    remarks = json.loads(cast.run("oversight", "--json", "audit").stdout)["findings"]
    assert {finding["severity"] for finding in remarks} == {"remark"}
    assert any(finding["check"] == "timetable" and finding["para"] == "ToR 24" for finding in remarks)


def test_a_database_that_was_altered_behind_the_server(cast: Cast, tmp_path: Path) -> None:
    """Somebody with the server's disk puts another reader's name under a reading on record."""
    cast.run("tsr", "show", "Q1")
    sound = json.loads(cast.run("oversight", "--json", "audit").stdout)
    with sqlite3.connect(cast.stage.root / "server" / "events.sqlite") as database:
        sql = "SELECT rowid, state FROM stored_events WHERE topic LIKE '%stated%' ORDER BY rowid DESC LIMIT 1"
        row, state = database.execute(sql).fetchone()
        database.execute("UPDATE stored_events SET state=? WHERE rowid=?", (state[:-1] + bytes([state[-1] ^ 1]), row))
    found = cast.run("oversight", "--json", "audit", "--full")
    report = json.loads(found.stdout)
    faults = [finding for finding in report["findings"] if finding["severity"] == "fault"]
    assert found.returncode == 5
    assert {finding["check"] for finding in faults} == {"unchanged", "completion"}
    assert "edited" in faults[-1]["what"]
    assert (report["size"], report["root"]) == (sound["size"], sound["root"])
    told = cast.run("oversight", "audit", "--report", str(tmp_path))
    assert told.returncode == 5
    assert "edited" in told.stdout
    assert "edited" in next(tmp_path.glob("*.html")).read_text()
