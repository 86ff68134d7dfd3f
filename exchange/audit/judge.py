"""One record after another, in the order of the log: signed, allowed where it stands, true of the log itself.

A stream in which something is wrong is judged no further, but the signatures of its records are still checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from events.access import SignedStatement
from events.card import card_of
from events.entries import EntryType
from events.envelope import Event, Header, SignedEvent
from events.errors import EventsError, Malformed, NotAMember, WrongReference
from events.register import Register
from events.rule import KINDS
from events.workflow import admit_register, admit_review
from exchange.audit.books import Book, Books
from exchange.audit.finding import Check, Findings, Where, expected_and_got, kept_by
from exchange.audit.reads import Reads
from exchange.audit.shelf import Shown
from exchange.audit.signatures import Signed
from exchange.audit.tree import Tree
from keys.errors import InvalidKey
from keys.labels import Label

NO_DEVICE = "an event or statement is from a device that the register does not know"


class Item(NamedTuple):
    """A record at its place in the log, read but not judged; `work` is its number among the signatures to check.

    `parsed` is None for completions, and for what could not be read (`flaw` says why).
    """

    entry: int
    shown: Shown
    parsed: SignedEvent | SignedStatement | None
    work: int | None
    flaw: str

    @property
    def where(self) -> Where:
        """Its place, for a finding."""
        return Where(self.shown.stream, self.shown.number, self.shown.digest, self.entry)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A piece of the log, read: its records, and the signatures to be checked."""

    items: list[Item]
    work: list[Signed]


class Judge:
    """The fold of the log."""

    def __init__(self, books: Books, tree: Tree, seen: dict[bytes, int], findings: Findings) -> None:
        self._books = books
        self._tree = tree
        self._findings = findings
        self._reads = Reads(books, findings)
        self.seen = seen
        self.older: dict[tuple[int, bytes], Where] = {}

    # -- reading

    def prepare(self, start: int, taken: Sequence[Shown | None]) -> Prepared:
        """Read a piece of the log that begins at entry `start`; new devices are learnt on the way."""
        items: list[Item] = []
        work: list[Signed] = []
        for entry, shown in enumerate(taken, start):
            if shown is not None:
                items.append(self._item(entry, shown, work))
        return Prepared(items, work)

    def _item(self, entry: int, shown: Shown, work: list[Signed]) -> Item:
        if shown.type is EntryType.COMPLETION:
            return Item(entry, shown, None, None, "")
        parsed: SignedEvent | SignedStatement
        try:
            if shown.type is EntryType.ENVELOPE:
                parsed, label = SignedEvent.parse(shown.data), Label.EVENT
                device = parsed.claimed_author
                if shown.stream == self._books.register:
                    self._learn(parsed)
            else:
                parsed, label = SignedStatement.parse(shown.data), Label.ACCESS
                device = parsed.claimed_reader
        except Malformed as error:
            return Item(entry, shown, None, None, str(error))
        key = self._books.key(device)
        if key is None:
            return Item(entry, shown, parsed, None, device.hex()[:16])
        work.append(Signed(key, label, shown.data))
        return Item(entry, shown, parsed, len(work) - 1, "")

    def _learn(self, signed: SignedEvent) -> None:
        _, clear = signed.claimed_genesis
        if "card" in clear:
            try:
                self._books.learn(card_of(clear).recipient())
            except (Malformed, InvalidKey):
                return  # admission will say what is wrong with it

    # -- judging

    def judge(self, prepared: Prepared, verdicts: bytes) -> None:
        """Judge a piece of the log; `verdicts` has a byte for each of its signatures, 1 if it holds."""
        for item in prepared.items:
            book, parsed = self._books.book(item.shown.stream), item.parsed
            if item.work is not None and verdicts[item.work]:
                if isinstance(parsed, SignedEvent):
                    self._event(book, item, Event(item.shown.digest, parsed._header))  # noqa: SLF001
                elif parsed is not None:
                    self._reads.statement(book, item.where, parsed)
            elif item.shown.type is EntryType.COMPLETION:
                self._reads.completion(book, item.where, item.shown.data)
            elif parsed is None:
                what, expected = "A record cannot be read.", "a well-formed record"
                self._findings.fault(Check.FORM, item.where, what, expected, item.flaw)
                _break(book, f"a record that cannot be read, entry {item.entry}")
            else:
                self._unsigned(book, item.where, item.flaw)
        self._books.flush()

    def _unsigned(self, book: Book, where: Where, device: str) -> None:
        if device:
            expected, got, rule = "a device of the register", device, 4
            what = "A record is from a device that the register does not know."
        else:
            expected, got, rule = "the signature of the device that it names", "one that does not hold", None
            what = "A signature does not hold."
        self._findings.fault(Check.SIGNATURE, where, what, expected, got, rule=rule)
        _break(book, f"a signature that does not hold, #{where.number}")

    def _event(self, book: Book, item: Item, event: Event) -> None:
        if event.header.seen is not None:
            self._check_seen(event.header, item.where)
        if event.stream != book.stream:
            what = "An event is shown in a stream it does not belong to."
            expected, got = f"one of {book.stream.hex()[:16]}", f"one of {event.stream.hex()[:16]}"
            self._findings.fault(Check.CHAIN, item.where, what, expected, got, rule=5)
            _break(book, f"an event of another stream, #{item.shown.number}")
        if not book.summary.broken:
            try:
                self._admit(book, event)
            except EventsError as error:
                self._refused(book, event.header, item.where, error)
            else:
                book.summary.admitted += 1
                self._books.keep(event, item.shown.data)
                return
        self._books.unadmitted[book.stream, item.shown.number] = item.shown.data

    def _admit(self, book: Book, event: Event) -> None:
        state, history = book.state, self._books.history
        if book.stream == self._books.register:
            book.state = admit_register(state if isinstance(state, Register) else None, event, history)
        else:
            book.state = admit_review(None if isinstance(state, Register) else state, event, history)

    def _refused(self, book: Book, header: Header, where: Where, error: EventsError) -> None:
        rule = KINDS.get(header.kind)
        para, (expected, got), (check, number) = rule.para if rule else "", expected_and_got(error), kept_by(error)
        register = self._books.book(self._books.register)
        if isinstance(error, WrongReference | NotAMember) and book is not register and register.summary.broken:
            what = f"{header.kind} relies on the register after it broke, and cannot be judged."
            self._findings.remark(check, where, what, expected, got, para)
        else:
            what = f"{header.kind} was not allowed where it stands."
            self._findings.fault(check, where, what, expected, got, rule=number, para=para)
        _break(book, f"{header.kind}, #{header.seq}")

    def _check_seen(self, header: Header, where: Where) -> None:
        """What an author saw of the log must be this log, before the event was in it, and not less than before."""
        size, root = header.seen.size, header.seen.root  # type: ignore[union-attr]
        entry = where.entry or 0
        before = self.seen.get(header.author, 0)
        if size > entry:
            what = "An author saw more of the log than there was before their own event."
            self._findings.fault(Check.SEEN, where, what, f"at most {entry} entries", str(size))
            return
        if size < before:
            # Two programs of one person do that, too; what was seen is still compared with this log.
            what = "An author saw less of the log than before."
            self._findings.remark(Check.SEEN, where, what, f"at least {before} entries", str(size))
        if size and size < self._tree.start:
            self.older.setdefault((size, root), where)
        elif self._tree.root(size) != root:
            self.another(where, size, root, self._tree.root(size))
        self.seen[header.author] = max(before, size)

    def another(self, where: Where, size: int, root: bytes, own: bytes) -> None:
        """An author saw another log than this one."""
        what = f"An author saw another history of the log at {size} entries."
        self._findings.fault(Check.SEEN, where, what, f"root {own.hex()[:16]}", f"root {root.hex()[:16]}")


def _break(book: Book, why: str) -> None:
    """Judge a stream no further; the first reason stands."""
    if not book.summary.broken:
        book.summary.broken = why
