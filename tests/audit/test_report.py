"""Reports: what others wrote stays text in them, and they say what was found before anything else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from events.access import Want
from exchange.audit import page as pages
from exchange.audit.finding import MAX_FINDINGS, Check, Findings, Severity, Where
from exchange.audit.page import page
from exchange.audit.report import Report
from exchange.audit.text import text
from tests.audit.test_engine import audited
from tests.support.logged import Logged
from tests.support.world import World


@pytest.fixture
async def report() -> Report:
    world = World().to_dialogue()
    logged = Logged(world).announce()
    logged.read("oth", Want(world.last["response.submitted"].id, 0, 0))
    return await audited(logged)


async def test_faults_come_first(report: Report) -> None:
    for form in (text(report), page(report)):
        assert form.index("not theirs to read") < form.index("What was not checked")
        assert form.index("1 faults") < form.index("not theirs to read")
        assert "rule 18; G 5; check 18 (reader)" in form
        assert report.root in form
        assert "W: " in form
        assert form.count("VDA-2026") >= 1


async def test_what_others_wrote_stays_text(report: Report) -> None:
    hostile = '<script>alert("x")</script><img src=x onerror=y>\x1b[31m'
    finding = msgspec.structs.replace(report.findings[0], got=hostile, what=hostile, para=hostile)
    line = msgspec.structs.replace(report.streams[-1], broken=hostile, name=hostile)
    bad = msgspec.structs.replace(
        report, findings=(finding,), streams=(line,), unchecked=(hostile,), quorum=hostile, log=hostile,
        witnesses={hostile: 0}, checkpoint=hostile, contradicting=hostile,
    )  # fmt: skip
    shown = page(bad)
    assert "<script" not in shown
    assert "<img" not in shown
    assert shown.count("&lt;script&gt;") >= 8
    assert "default-src &#x27;none&#x27;" in shown or "default-src 'none'" in shown
    assert pages._STYLE in shown


async def test_json_says_the_same(report: Report) -> None:
    assert msgspec.json.decode(json.dumps(msgspec.to_builtins(report)), type=Report) == report


def test_findings_are_bounded() -> None:
    findings = Findings()
    for number in range(MAX_FINDINGS + 5):
        findings.fault(Check.LOGGED, Where(number=number), "x", "y", "z")
    findings.fault(Check.LOGGED, Where(number=0), "x", "y", "z")
    assert (len(findings.all()), findings.unsaid) == (MAX_FINDINGS, 5)
    assert {finding.severity for finding in findings.all()} == {Severity.FAULT}


def test_every_check_is_described() -> None:
    assert [check.described.number for check in Check] == list(range(1, len(Check) + 1))
    listed = re.findall(r"^\| (\d+) \| (\w+) \|", Path("docs/spec/audit.md").read_text(), re.MULTILINE)
    assert listed == [(str(check.described.number), check.value) for check in Check]
