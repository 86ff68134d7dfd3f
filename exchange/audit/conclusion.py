"""What is left when the log is walked: entries without a record, records without an entry, and why that may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from events.entries import EntryType
from events.envelope import SignedEvent
from events.errors import Malformed
from exchange.audit.books import Books
from exchange.audit.finding import Check, Findings, Where
from exchange.audit.shelf import Shelf, Shown

NAMES = {
    EntryType.ENVELOPE: "an event",
    EntryType.STATEMENT: "an access statement",
    EntryType.COMPLETION: "a completion",
}


class Conclusion:
    """`missing` are the entries for which no record was shown, with their places in the log."""

    def __init__(self, books: Books, findings: Findings) -> None:
        self._books = books
        self._findings = findings
        self.missing: dict[bytes, int] = {}

    def explain(self, left: Sequence[Shown], shelf: Shelf) -> None:
        """Report what does not match; `left` are records that should be in the log by now."""
        self._explain_repeated(shelf.twice)
        unlogged = self._explain_edited(left)
        for shown in shelf.misplaced:
            what = "A record is in the log after one that comes later in its stream."
            self._findings.fault(Check.ORDER, _where(shown), what, "the stream's order", f"#{shown.number} late")
        for first, last in _runs(list(self.missing.values())):
            kinds = sorted({NAMES[EntryType(entry[0])] for entry, at in self.missing.items() if first <= at <= last})
            got = f"nothing for {last - first + 1} entries from {first} on ({', '.join(kinds)})"
            what = "Entries of the log are withheld: the server shows no record for them."
            self._findings.fault(Check.SHOWN, Where(entry=first), what, "a record for every entry", got)
        for shown in unlogged:
            what = f"{NAMES[shown.type].capitalize()} is shown that is not in the log."
            expected = "an entry of the log for every record shown"
            self._findings.fault(Check.LOGGED, _where(shown), what, expected, "none")

    def _explain_repeated(self, twice: Iterable[Shown]) -> None:
        for shown in twice:
            entry = bytes((shown.type,)) + shown.digest
            if entry in self.missing:
                where = Where(shown.stream, shown.number, shown.digest, self.missing.pop(entry))
                self._findings.fault(Check.ONCE, where, "A record is in the log twice.", "one entry", "another")
            else:
                what = "A record is shown in two places."
                self._findings.fault(Check.LOGGED, _where(shown), what, "one place", "another")
        for entry, at in list(self.missing.items()):
            stream = self._admitted(entry)
            if stream is not None:
                del self.missing[entry]
                where = Where(stream, None, entry[1:], at)
                self._findings.fault(Check.ONCE, where, "A record is in the log twice.", "one entry", "another")

    def _admitted(self, entry: bytes) -> bytes | None:
        """The stream of an event or statement that was in the log before."""
        for stream in list(self._books.summaries):
            book = self._books.book(stream)
            event = book.state is not None and entry[1:] in book.state.known
            if event or entry[1:] in book.open or entry[1:] in book.done:
                return stream
        return None

    def _explain_edited(self, left: Sequence[Shown]) -> list[Shown]:
        """Report records in whose place the log has another one; returns the rest.

        An event is known by the one that follows it and names its hash; a single record without an entry beside a
        single entry of its type without a record leaves no doubt either.
        """
        rest = []
        for shown in left:
            entry = self._logged_in_place_of(shown, left)
            if entry is None:
                rest.append(shown)
                continue
            where = Where(shown.stream, shown.number, shown.digest, self.missing.pop(entry))
            what = f"{NAMES[shown.type].capitalize()} is shown otherwise than it was logged: it was edited."
            expected, got = entry[1:].hex()[:16], shown.digest.hex()[:16]
            self._findings.fault(Check.UNCHANGED, where, what, f"the record {expected}", f"the record {got}")
        return rest

    def _logged_in_place_of(self, shown: Shown, left: Sequence[Shown]) -> bytes | None:
        if shown.type is EntryType.ENVELOPE:
            following = [other.data for other in left if other[:3] == (shown.type, shown.stream, shown.number + 1)]
            entry = bytes((shown.type,)) + _prev(following[0] if following else self._next(shown))
            if entry in self.missing:
                return entry
        alike = [entry for entry in self.missing if entry[0] == shown.type]
        alone = [other for other in left if other.type is shown.type]
        return alike[0] if len(alike) == len(alone) == 1 else None

    def _next(self, shown: Shown) -> bytes:
        return self._books.unadmitted.get((shown.stream, shown.number + 1), b"")


def _where(shown: Shown) -> Where:
    return Where(shown.stream, shown.number, shown.digest)


def _prev(envelope: bytes) -> bytes:
    """The hash of the event before, as an envelope names it."""
    try:
        return SignedEvent.parse(envelope)._header.prev  # noqa: SLF001
    except Malformed:
        return b""


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring places as first and last."""
    places = sorted(places)
    first = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at] != places[at - 1] + 1:
            yield places[first], places[at - 1]
            first = at
