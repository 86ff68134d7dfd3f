"""What an audit says: findings, each stream, what was checked, who witnessed the log, what was not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from events.review import Review
from events.timetable import late
from exchange.audit.finding import Check, Finding, Findings, Severity, Where
from exchange.audit.memory import Summary
from exchange.client import snapshot

if TYPE_CHECKING:
    from exchange.audit.engine import Walk

STALE_MS = 24 * 60 * 60 * 1000
UNCHECKED = (
    "Sealed content: an audit holds no keys and reads no word of it.",
    "What was never handed in to the server, or never logged and never shown to anybody.",
    "Whether the times that authors and the server claim are true, beyond their order.",
    "What readers did with what they were sent.",
)


class Line(msgspec.Struct, frozen=True):
    """One stream: the register, or a review by its year and State."""

    stream: str
    name: str
    step: str
    events: int
    statements: int
    completions: int
    unfinished: int
    broken: str
    faults: int
    remarks: int


class Counted(msgspec.Struct, frozen=True):
    """A check and what it found."""

    number: int
    check: Check
    asks: str
    rule: int
    faults: int
    remarks: int


class Report(msgspec.Struct, frozen=True):
    """An audit's outcome: times in milliseconds, `before` is the size that an earlier audit had reached.

    `checkpoint` is the newest note, `contradicting` one that cannot be of the same history, if there is any.
    """

    time: int
    register: str
    log: str
    size: int
    root: str
    before: int
    full: bool
    sound: bool
    findings: tuple[Finding, ...]
    unsaid: int
    streams: tuple[Line, ...]
    checks: tuple[Counted, ...]
    quorum: str
    witnesses: dict[str, int]
    witnessed: int
    unchecked: tuple[str, ...]
    checkpoint: str
    contradicting: str

    @property
    def faults(self) -> int:
        """How many findings are faults."""
        return sum(finding.severity is Severity.FAULT for finding in self.findings) + self.unsaid


def reported(walk: Walk, now: int, *, full: bool) -> Report:
    """The report of a finished walk."""
    found = Findings(walk.findings.all(), walk.findings.unsaid)
    summaries = walk.books.summaries
    reviews = {stream: _review(summary) for stream, summary in summaries.items()}
    for stream, summary in summaries.items():
        found.take(summary.remarks)
        _steps(found, stream, reviews[stream], now)
    _freshness(found, walk, now)
    findings = tuple(sorted(found.all(), key=lambda finding: finding.severity is Severity.REMARK))
    register = walk.books.register
    lines = [_line(stream, summary, reviews[stream], register, findings) for stream, summary in summaries.items()]
    return Report(
        time=now,
        register=register.hex(),
        log=walk.notes.origin,
        size=walk.head.size,
        root=walk.head.root.hex(),
        before=walk.before.size,
        full=full,
        sound=not any(finding.severity is Severity.FAULT for finding in findings),
        findings=findings,
        unsaid=found.unsaid,
        streams=tuple(sorted(lines, key=lambda line: (line.step != "", line.name, line.stream))),
        checks=tuple(_counted(check, findings) for check in Check),
        quorum=walk.notes.quorum,
        witnesses={one.witness: one.time * 1000 for one in walk.notes.cosigned},
        witnessed=walk.notes.witnessed_size,
        checkpoint=walk.checkpoint.decode(),
        contradicting=walk.contradicting.decode(),
        unchecked=(*walk.notes.unchecked, *_unjudged(lines), *UNCHECKED),
    )


def _review(summary: Summary) -> Review | None:
    return snapshot.load(summary.light, Review) if summary.light else None


def _steps(found: Findings, stream: bytes, review: Review | None, now: int) -> None:
    """The steps of the timetable that are or were late; indicative (G 9)."""
    for step in late(review, now) if review else ():
        done = f"done {step.done}" if step.done else "not done"
        what = f"The step “{step.name}” {'was' if step.done else 'is'} late."
        whose = ", ".join(code or "the secretariat" for code in step.whose)
        expected, got = f"by {step.due}, of {whose}", f"{done}, {step.days_late} days late"
        found.remark(Check.TIMETABLE, Where(stream), what, expected, got, step.para)


def _freshness(found: Findings, walk: Walk, now: int) -> None:
    """A log that nobody has looked at for a day may be shown to oneself alone."""
    newest = max((one.time * 1000 for one in walk.notes.cosigned), default=0)
    if newest and now - newest > STALE_MS:
        hours, sizes = (now - newest) // (60 * 60 * 1000), f"{walk.notes.witnessed_size} of {walk.head.size}"
        got = f"{hours} hours old, with {sizes} entries"
        what = "The newest cosignature is old: what followed was seen by no witness."
        found.remark(Check.WITNESSES, Where(), what, "one of the last 24 hours", got)


def _line(
    stream: bytes, summary: Summary, review: Review | None, register: bytes, findings: tuple[Finding, ...]
) -> Line:
    name = "register" if stream == register else f"{review.under_review}-{review.year}" if review else "unknown"
    mine = [finding.severity for finding in findings if finding.stream == stream.hex()]
    return Line(
        stream=stream.hex(),
        name=name,
        step=review.phase.value if review else "",
        events=summary.admitted,
        statements=summary.statements,
        completions=summary.completions,
        unfinished=summary.unfinished,
        broken=summary.broken,
        faults=mine.count(Severity.FAULT),
        remarks=mine.count(Severity.REMARK),
    )


def _counted(check: Check, findings: tuple[Finding, ...]) -> Counted:
    mine = [finding.severity for finding in findings if finding.check is check]
    described = check.described
    faults, remarks = mine.count(Severity.FAULT), mine.count(Severity.REMARK)
    return Counted(described.number, check, described.asks, described.rule, faults, remarks)


def _unjudged(lines: list[Line]) -> list[str]:
    return [f"{line.name} ({line.stream[:16]}) after {line.broken}." for line in lines if line.broken]
