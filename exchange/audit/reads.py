"""The records of reading: every statement lawful where it stands, every completion of one statement (G 5)."""

from __future__ import annotations

from events.access import Completion, SignedStatement, Want
from events.body import expected_body
from events.envelope import Header
from events.errors import EventsError, Malformed
from events.reading import entitled
from exchange.audit.books import Book, Books
from exchange.audit.finding import Check, Findings, Where

PARA = "G 5"


class Reads:
    """Statements and completions, judged by the state of their stream at their place in the log."""

    def __init__(self, books: Books, findings: Findings) -> None:
        self._books = books
        self._findings = findings

    def statement(self, book: Book, where: Where, signed: SignedStatement) -> None:
        """A statement whose signature held."""
        said = signed._statement  # noqa: SLF001
        book.summary.statements += 1
        if said.stream != book.stream:
            got = f"one for {said.stream.hex()[:16]}"
            what = "An access statement is shown beside another stream than its own."
            self._findings.fault(Check.STATEMENT, where, what, f"one for {book.stream.hex()[:16]}", got, para=PARA)
            return
        if where.record in book.open or where.record in book.done:
            what = "An access statement is in the log twice."
            self._findings.fault(Check.STATEMENT, where, what, "each statement once", "one again", para=PARA)
            return
        if book.summary.broken:
            # Nothing can be said of what was allowed after that; its completion is still looked for.
            book.open[where.record] = -1
            return
        book.open[where.record] = sum(self._check_want(book, where, said.reader, want) for want in said.wants)

    def completion(self, book: Book, where: Where, data: bytes) -> None:
        """A completion, as the server wrote it."""
        book.summary.completions += 1
        try:
            said = Completion.parse(data)
        except Malformed as error:
            self._findings.fault(Check.FORM, where, "A record cannot be read.", "a completion", str(error), para=PARA)
            return
        most = book.open.pop(said.statement, None)
        if most is None:
            again = said.statement in book.done
            what = "A completion is the second of its statement." if again else "A completion is of no statement."
            got = f"one of {said.statement.hex()[:16]}{' again' if again else ''}"
            self._findings.fault(Check.COMPLETION, where, what, "one for an open statement", got, para=PARA)
            return
        book.done.add(said.statement)
        if 0 <= most < said.sent:
            what = "More was sent than was asked for."
            self._findings.fault(Check.COMPLETION, where, what, f"at most {most} bytes", str(said.sent), para=PARA)

    def _check_want(self, book: Book, where: Where, reader: bytes, want: Want) -> int:
        """Whether a thing was there and open to the reader; returns the most bytes it can bring."""
        header = self._books.header(book, want.event)
        what = f"object {want.object} of {want.event.hex()[:16]}"
        if header is None:
            sentence = "A reader asked for an event that was not there."
            self._findings.fault(Check.STATEMENT, where, sentence, "an event of this stream", what, para=PARA)
            return 0
        size = _size(header, want.object)
        if size is None or want.start > size:
            sentence = "A reader asked for something that the event does not have."
            self._findings.fault(Check.STATEMENT, where, sentence, f"something of #{header.seq}", what, para=PARA)
            return 0
        register = self._books.history.latest
        if book.state is None or not entitled(register, book.state, reader, want.event, header, want.object):
            sentence = "A reader was served what was not theirs to read."
            expected = f"an active person for whom {what}, #{header.seq}, is"
            self._findings.fault(Check.READER, where, sentence, expected, reader.hex()[:16], para=PARA)
        return size - want.start


def _size(header: Header, number: int) -> int | None:
    """The most bytes that one thing of an event has; None if there is no such thing."""
    if number and number < len(header.objects):
        return header.objects[number].size
    if number:
        return None
    try:
        expected = expected_body(header)
    except EventsError:
        return None
    return expected.most if expected else None
