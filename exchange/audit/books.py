"""The audit's books: of every stream its folded state and its statements of access, opened when they are needed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import msgspec

from events.envelope import Event, Header, SignedEvent
from events.errors import EventsError
from events.pmap import Map
from events.register import Register, RegisterHistory
from events.review import Review
from events.turns import outstanding, stale
from events.workflow import admit
from exchange.audit.finding import Check, Finding, Severity
from exchange.audit.memory import Altered, Detail, Memory, Summary
from exchange.client import snapshot
from keys.recipient import Recipient

HEADERS = 20_000
MANY = 500
SHARE = 4


@dataclass(slots=True)
class Book:
    """One stream at work; `open` are statements without completion, with the most bytes each can bring.

    `saved` is its state as it was written down after event `since`; `known` says that an earlier audit had it;
    `new` are the envelopes admitted last, not written down yet.
    """

    stream: bytes
    summary: Summary
    saved: bytes = b""
    since: int = -1
    known: bool = False
    state: Register | Review | None = None
    open: dict[bytes, int] = field(default_factory=dict)
    done: set[bytes] = field(default_factory=set)
    new: list[bytes] = field(default_factory=list)


class Books:
    """All streams; only those with something new are read from memory."""

    def __init__(self, memory: Memory, register: bytes) -> None:
        self._memory = memory
        self.register = register
        self.summaries = memory.summaries()
        self.history = RegisterHistory()
        self._keys: dict[bytes, Recipient] = {}
        self._opened: dict[bytes, Book] = {}
        self._headers: dict[bytes, Header] = {}
        self.unadmitted: dict[tuple[bytes, int], bytes] = {}
        self._fold_register()

    def book(self, stream: bytes) -> Book:
        """A stream's book; raises Altered."""
        book = self._opened.get(stream)
        if book is None:
            book = self._opened[stream] = self._open(stream)
        return book

    @property
    def opened(self) -> dict[bytes, Book]:
        """The books that were needed."""
        return self._opened

    # -- keys

    def key(self, device: bytes) -> Recipient | None:
        """The public halves of a device that the register names, or that a new event of it brings."""
        known = self._keys.get(device)
        if known is None and len(self.history):
            person = self.history.latest.by_device(device)
            if person is not None:
                known = self._keys[device] = Recipient(person.signing, person.sealing)
        return known

    def learn(self, key: Recipient) -> None:
        """A device's key from a card; its fingerprint binds it, whatever becomes of the event that brought it."""
        self._keys[key.fingerprint] = key

    # -- admitted envelopes

    def flush(self) -> None:
        """Write the newly admitted envelopes down."""
        for book in self._opened.values():
            if book.new and book.state is not None:
                self._memory.keep(book.stream, book.state.seq + 1 - len(book.new), book.new)
                book.new = []

    def header(self, book: Book, event: bytes) -> Header | None:
        """The header of an admitted event; raises Altered."""
        known = book.state.known.get(event) if book.state else None
        if book.state is None or known is None:
            return None
        found = self._headers.get(event)
        if found is None:
            recent = known.seq - (book.state.seq + 1 - len(book.new))
            envelope = book.new[recent] if recent >= 0 else self._memory.envelope(book.stream, known.seq) or b""
            if hashlib.sha256(envelope).digest() != event:
                raise Altered
            if len(self._headers) >= HEADERS:
                self._headers.clear()
            found = self._headers[event] = _header(envelope)
        return found

    def envelope(self, stream: bytes, seq: int) -> bytes | None:
        """An admitted envelope by its number."""
        return self._memory.envelope(stream, seq)

    # -- from memory and back

    def closed(self) -> dict[bytes, Detail]:
        """The opened books in full, with their summaries brought up to date."""
        return {stream: _closed(book) for stream, book in self._opened.items()}

    def _open(self, stream: bytes) -> Book:
        summary, detail = self.summaries.setdefault(stream, Summary()), self._memory.detail(stream)
        book = Book(stream, summary, detail.state, open=detail.open, done=set(detail.done))
        if stream == self.register:
            book.state = self.history.latest if len(self.history) else None
            return book
        state = snapshot.load(detail.state, Review) if detail.state else None
        if detail.state and state is None:
            raise Altered
        book.since = state.seq if state else -1
        if detail.head:
            book.state = self._folded(stream, state, detail.head)
            book.known = True
        return book

    def _fold_register(self) -> None:
        """The register after each of its events."""
        head = self._memory.detail(self.register).head
        if head:
            self._folded(self.register, None, head)

    def _folded(self, stream: bytes, state: Review | None, head: bytes) -> Register | Review:
        """A state with what follows it folded again: the signatures held when they were audited; raises Altered."""
        new: Register | Review | None = state
        try:
            for envelope in self._memory.envelopes(stream, state.seq if state else -1):
                new = admit(new, _trusted(envelope), self.history)
                if isinstance(new, Register):
                    self.history.add(new)
        except EventsError:
            raise Altered from None
        if new is None or new.head != head:
            raise Altered
        return new


def _trusted(envelope: bytes) -> Event:
    return Event(hashlib.sha256(envelope).digest(), _header(envelope))


def _header(envelope: bytes) -> Header:
    return SignedEvent.parse(envelope)._header  # noqa: SLF001


def _closed(book: Book) -> Detail:
    """A stream in full; its state is written down anew only when much has changed since it was.

    What follows is folded again. A long review seen for the first time is not written down at all: most of a long log
    is over, and will not be needed.
    """
    summary, state, saved = book.summary, book.state, book.saved
    summary.unfinished = len(book.open)
    if isinstance(state, Review):
        summary.light = snapshot.dump(_light(state))
        summary.remarks = tuple(_translations(state))
        since = state.seq - book.since
        if since > state.seq // SHARE if book.known else state.seq < MANY:
            saved = snapshot.dump(state)
    return Detail(saved, state.head if state else b"", book.open, sorted(book.done))


def _light(review: Review) -> Review:
    """A review without what grows with it; its timetable stays the same."""
    nothing: Map[bytes, object] = Map()
    grown = ("known", "documents", "translations", "translated", "sources", "disclosures", "shown", "requests")
    return msgspec.structs.replace(review, circles={}, **dict.fromkeys(grown, nothing))


def _translations(review: Review) -> list[Finding]:
    """What is missing of the translations, in one remark, and which assignments cannot be fulfilled, in another."""
    missing = outstanding(review)
    late = [entry for entry in review.translations.values() if not entry.event and stale(review, entry)]
    found = []
    if missing:
        first = missing[0]
        expected = f"every paper in {', '.join(review.languages)}"
        got = f"{len(missing)} parts missing, the first of #{review.known[first.source].seq} into {first.lang}"
        found.append(_remark(review, "Translations are outstanding.", expected, got))
    if late:
        got = f"{len(late)}, the first by #{min(entry.seq for entry in late)}"
        found.append(_remark(review, "Assignments can no longer be fulfilled.", "none", got))
    return found


def _remark(review: Review, what: str, expected: str, got: str) -> Finding:
    return Finding(
        severity=Severity.REMARK,
        check=Check.TRANSLATIONS,
        rule=0,
        para="ToR 49; G 14, 15, 21",
        what=what,
        expected=expected,
        got=got,
        stream=review.id.hex(),
    )
