"""What an audit finds: faults and remarks, each with the check that found it, the rule and the paragraph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from events import errors

MAX_FINDINGS = 1000


class Severity(StrEnum):
    """A fault is against the rules; a remark is worth knowing (the timetable is indicative)."""

    FAULT = "fault"
    REMARK = "remark"


@dataclass(frozen=True, slots=True)
class Described:
    """A check: its number in docs/spec/audit.md, the rule of the protocol it keeps, and what it asks."""

    number: int
    rule: int
    asks: str


class Check(StrEnum):
    """The checks of an audit, by name."""

    FORM = "form"
    SIGNATURE = "signature"
    CHAIN = "chain"
    RULES = "rules"
    GRANTS = "grants"
    SHOWN = "shown"
    LOGGED = "logged"
    UNCHANGED = "unchanged"
    ORDER = "order"
    ONCE = "once"
    TREE = "tree"
    ROLLBACK = "rollback"
    FORK = "fork"
    SEEN = "seen"
    CHECKPOINT = "checkpoint"
    WITNESSES = "witnesses"
    STATEMENT = "statement"
    READER = "reader"
    COMPLETION = "completion"
    MEMORY = "memory"
    TIMETABLE = "timetable"
    TRANSLATIONS = "translations"

    @property
    def described(self) -> Described:
        """Number, rule and question of this check."""
        return DESCRIBED[self]


DESCRIBED = {
    check: Described(number, rule, asks)
    for number, (check, rule, asks) in enumerate(
        (
            (Check.FORM, 20, "Every record is well-formed and within its bounds."),
            (Check.SIGNATURE, 10, "Every event and statement is signed by the registered device it names."),
            (Check.CHAIN, 11, "Every stream is one chain from its genesis: none dropped, repeated or moved."),
            (
                Check.RULES,
                1,
                "Every event was allowed to its author: role, side, step, what it is about, for whom sealed.",
            ),
            (Check.GRANTS, 18, "Keys went to exactly the members, and changed with every removal."),
            (Check.SHOWN, 12, "For every entry of the log its record is shown."),
            (Check.LOGGED, 12, "Every record shown is in the log."),
            (Check.UNCHANGED, 11, "The records shown are those that were logged."),
            (Check.ORDER, 11, "The log has each stream's records in the stream's order."),
            (Check.ONCE, 11, "Nothing is in the log twice."),
            (Check.TREE, 12, "The entries shown lead to the root of the checkpoint."),
            (Check.ROLLBACK, 12, "The log did not become shorter."),
            (Check.FORK, 12, "The log continues what was audited before."),
            (Check.SEEN, 12, "What authors say they saw of the log is this log, and never less than before."),
            (Check.CHECKPOINT, 12, "The checkpoint is signed by the log that the register announces."),
            (Check.WITNESSES, 12, "The witnesses that the register's policy asks for saw this log."),
            (Check.STATEMENT, 15, "Every access statement is for its stream, about what exists there, and made once."),
            (Check.READER, 18, "Every reader was entitled when they asked."),
            (Check.COMPLETION, 11, "Every completion belongs to one earlier statement and its sizes."),
            (Check.MEMORY, 12, "What this audit remembers is what it wrote down."),
            (Check.TIMETABLE, 0, "Which steps are or were late; the timetable is indicative."),
            (Check.TRANSLATIONS, 0, "Which translations are missing or out of date."),
        ),
        1,
    )
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found: `stream` and `record` in hexadecimal, `number` in its stream, `entry` in the log."""

    severity: Severity
    check: Check
    rule: int
    para: str
    what: str
    expected: str
    got: str
    stream: str = ""
    number: int | None = None
    record: str = ""
    entry: int | None = None


_REFUSALS: tuple[tuple[type[errors.EventsError], Check, int], ...] = (
    (errors.WrongStream, Check.CHAIN, 5),
    (errors.Conflict, Check.CHAIN, 11),
    (errors.BadTime, Check.CHAIN, 11),
    (errors.WrongGrants, Check.GRANTS, 18),
    (errors.StaleKey, Check.GRANTS, 17),
    (errors.WrongCircle, Check.RULES, 14),
    (errors.AlreadyDone, Check.RULES, 14),
    (errors.OtherRevision, Check.RULES, 14),
    (errors.Refused, Check.RULES, 1),
    (errors.EventsError, Check.FORM, 20),
)


def kept_by(error: errors.EventsError) -> tuple[Check, int]:
    """The check and the rule that an error of admission belongs to."""
    return next((check, rule) for kind, check, rule in _REFUSALS if isinstance(error, kind))


def expected_and_got(error: errors.EventsError) -> tuple[str, str]:
    """What an error says was expected and what was there."""
    if isinstance(error, errors.Refused):
        return error.expected, error.got
    return "a well-formed record", str(error)


@dataclass(frozen=True, slots=True)
class Where:
    """What a finding is about: a stream, a number in it, a record's SHA-256, an entry of the log."""

    stream: bytes = b""
    number: int | None = None
    record: bytes = b""
    entry: int | None = None


NOWHERE = Where()


class Findings:
    """What was found, each thing once; beyond a limit they are counted only."""

    def __init__(self, known: Iterable[Finding] = (), unsaid: int = 0) -> None:
        self._found = dict.fromkeys(known)
        self.unsaid = unsaid

    def fault(
        self, check: Check, where: Where, what: str, expected: str, got: str, *, rule: int | None = None, para: str = ""
    ) -> None:
        """Something is wrong."""
        self._add(Severity.FAULT, check, where, what, (expected, got), rule, para)

    def remark(self, check: Check, where: Where, what: str, expected: str, got: str, para: str = "") -> None:
        """Something is worth knowing."""
        self._add(Severity.REMARK, check, where, what, (expected, got), None, para)

    def take(self, found: Iterable[Finding]) -> None:
        """Findings made elsewhere."""
        for finding in found:
            self._put(finding)

    def all(self) -> tuple[Finding, ...]:
        """All of them, in the order they were found."""
        return tuple(self._found)

    def _add(
        self,
        severity: Severity,
        check: Check,
        where: Where,
        what: str,
        contrast: tuple[str, str],
        rule: int | None,
        para: str,
    ) -> None:
        finding = Finding(
            severity=severity,
            check=check,
            rule=check.described.rule if rule is None else rule,
            para=para,
            what=what,
            expected=contrast[0],
            got=contrast[1],
            stream=where.stream.hex(),
            number=where.number,
            record=where.record.hex(),
            entry=where.entry,
        )
        self._put(finding)

    def _put(self, finding: Finding) -> None:
        if finding in self._found:
            return
        if len(self._found) >= MAX_FINDINGS:
            self.unsaid += 1
            return
        self._found[finding] = None
