"""An audit's report in plain text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import fill

from exchange.audit.finding import Finding, Severity
from exchange.audit.report import Report

WIDTH = 100


def text(report: Report) -> str:
    """The report, findings first."""
    return "\n".join(_lines(report)) + "\n"


def verdict(report: Report) -> str:
    """The outcome in one sentence."""
    remarks = f"{len(report.findings) - report.faults + report.unsaid} remarks"
    if report.sound:
        return f"Nothing is wrong in {report.size} entries of the log; {remarks}."
    return f"{report.faults} faults, {remarks}, in {report.size} entries of the log."


def place(finding: Finding) -> str:
    """Where a finding is: stream, number, entry."""
    parts = [f"stream {finding.stream[:16]}"] if finding.stream else []
    parts += [f"#{finding.number}"] if finding.number is not None else []
    parts += [f"entry {finding.entry} of the log"] if finding.entry is not None else []
    return ", ".join(parts) or "the log"


def grounds(finding: Finding) -> str:
    """Why it matters and how it was found: rule, paragraph, check."""
    parts = [f"rule {finding.rule}"] if finding.rule else []
    parts += [finding.para] if finding.para else []
    return "; ".join([*parts, f"check {finding.check.described.number} ({finding.check})"])


def extent(report: Report) -> str:
    """How much was checked now, and how much before."""
    if report.full or not report.before:
        return f"all {report.size} entries"
    return f"entries {report.before} to {report.size}; those before were audited earlier"


def seen_by(report: Report) -> list[str]:
    """Who witnessed the log, when, and how fresh that is."""
    lines = []
    for name, time in sorted(report.witnesses.items()):
        minutes = max(0, report.time - time) // 60_000
        lines.append(f"{name}: {moment(time)}, {minutes} minutes before this audit, at {report.witnessed} entries")
    return lines or ["nobody"]


def moment(time: int) -> str:
    """A time as people read it, in UTC."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _lines(report: Report) -> Iterator[str]:
    yield from ("Audit of the log", "================", "", verdict(report), "")
    yield from (f"Time      {moment(report.time)}", f"Register  {report.register}", f"Log       {report.log or '-'}")
    yield from (f"Size      {report.size}", f"Root      {report.root}", f"Checked   {extent(report)}")
    yield f"Quorum    {report.quorum or '-'}"
    yield from (f"{'Witnesses' if not at else '':<9} {line}" for at, line in enumerate(seen_by(report)))
    for severity, title in ((Severity.FAULT, "Faults"), (Severity.REMARK, "Remarks")):
        yield from _titled(title)
        found = [finding for finding in report.findings if finding.severity is severity]
        for finding in found:
            yield from _finding(finding)
        if not found:
            yield "None."
        elif severity is Severity.FAULT and report.unsaid:
            yield f"... and {report.unsaid} more."
    yield from _titled("Streams")
    yield from _streams(report)
    yield from _titled("What was checked")
    for counted in report.checks:
        rule = f" (rule {counted.rule})" if counted.rule else ""
        what = f"{counted.faults} faults, {counted.remarks} remarks" if counted.faults or counted.remarks else "nothing"
        yield f"{counted.number:>2}  {counted.asks}{rule}: {what}"
    yield from _titled("What was not checked")
    yield from (f"- {line}" for line in report.unchecked)
    yield from _titled("Checkpoint")
    yield report.checkpoint
    if report.contradicting:
        yield from _titled("A checkpoint that cannot be of the same history")
        yield report.contradicting


def _titled(title: str) -> tuple[str, str, str]:
    return ("", title, "-" * len(title))


def _finding(finding: Finding) -> Iterator[str]:
    yield fill(f"{finding.what} [{place(finding)}]", WIDTH)
    yield fill(f"expected {finding.expected}; got {finding.got}", WIDTH, initial_indent="   ", subsequent_indent="   ")
    yield f"   {grounds(finding)}"
    if finding.record:
        yield f"   record {finding.record}"


def _streams(report: Report) -> Iterator[str]:
    yield f"{'':<12} {'step':<12} {'events':>8} {'readings':>8} {'without end':>11} {'faults':>6} {'remarks':>7}"
    for line in report.streams:
        numbers = f"{line.events:>8} {line.statements:>8} {line.unfinished:>11} {line.faults:>6} {line.remarks:>7}"
        yield f"{line.name:<12} {line.step:<12} {numbers}"
