"""A world as an honest server logs it and shows it to an auditor, in memory; every part of it can be made to lie."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from events import merkle
from events.access import Completion, Statement, Want
from events.checkpoint import Head, cosign, log_key, witness_key
from events.entries import EntryType, entry
from events.envelope import SignedEvent
from events.kinds.log import LogAnnounced
from events.notes import Note
from keys.labels import Label
from keys.notes import NoteKey
from tests.support.world import Said, World

PAGE = 50
ORIGIN = "log.example"


class Logged:
    """`log` is what the tree is of, `shown` and `accesses` what is shown of each stream."""

    def __init__(self, world: World, *, page: int = PAGE) -> None:
        self.world = world
        self.page = page
        self.key = NoteKey.generate()
        self.witness = NoteKey.generate()
        self.log: list[bytes] = []
        self.shown: dict[bytes, list[bytes]] = {}
        self.accesses_shown: dict[bytes, list[tuple[int, bytes]]] = {}
        self.size: int | None = None
        self.cosigned_at = world.time // 1000
        self.change_note: Callable[[Note], Note] = lambda note: note
        self.asked: list[str] = []
        self._taken: dict[bytes, int] = {}
        self._levels: list[list[bytes]] = []

    # -- the honest part

    @property
    def policy(self) -> str:
        log, witness = log_key(ORIGIN, self.key), witness_key("w.example", self.witness)
        return f"log {log.text()}\nwitness W {witness.text()}\nquorum W\n"

    def announce(self) -> Logged:
        self.world.do(Said("officer", "log.announced", LogAnnounced.Clear(self.policy)))
        return self.take()

    def take(self) -> Logged:
        """Log what is new in the world, in the order of its times."""
        new = []
        for rank, (stream, records) in enumerate(self.world.records.items()):
            shown = self.shown.setdefault(stream, [])
            for envelope, _ in records[self._taken.get(stream, 0) :]:
                new.append((SignedEvent.parse(envelope)._header.time, rank, envelope))
                shown.append(envelope)
            self._taken[stream] = len(records)
        for _, _, envelope in sorted(new, key=lambda one: one[:2]):
            self.enter(EntryType.ENVELOPE, envelope)
        return self

    def enter(self, kind: EntryType, record: bytes) -> None:
        self.log.append(entry(kind, hashlib.sha256(record).digest()))

    def statement(self, who: str, *wants: Want, **changes: object) -> bytes:
        """A signed statement about the review."""
        identity = self.world.actors[who].identity
        fields = {
            "v": 1,
            "stream": self.world.review.id,
            "reader": identity.fingerprint,
            "time": self.world.time,
            "nonce": secrets.token_bytes(16),
            "wants": wants,
        }
        signed = Statement(**{**fields, **changes}).encode()
        return signed + identity.sign(Label.ACCESS, signed)

    def completion(self, statement: bytes, sent: int) -> bytes:
        return Completion(1, hashlib.sha256(statement).digest(), self.world.time, sent).encode()

    def access(self, kind: EntryType, record: bytes, stream: bytes = b"") -> bytes:
        """Log and show a record of reading the review."""
        self.accesses_shown.setdefault(stream or self.world.review.id, []).append((kind.value, record))
        self.enter(kind, record)
        return record

    def read(self, who: str, *wants: Want, sent: int = 0) -> bytes:
        """A lawful reading as the server puts it on record."""
        statement = self.access(EntryType.STATEMENT, self.statement(who, *wants))
        self.access(EntryType.COMPLETION, self.completion(statement, sent))
        return statement

    def root(self, size: int) -> bytes:
        self._grow()
        return merkle.root(size, lambda level, index: self._levels[level][index])

    def note(self) -> Note:
        size = len(self.log) if self.size is None else self.size
        return self.change_note(Head(ORIGIN, size, self.root(size)).signed(self.key))

    def _grow(self) -> None:
        row = [merkle.leaf_hash(one) for one in self.log]
        self._levels = [row]
        while len(row) > 1:
            row = merkle.parents(row[: len(row) & ~1])
            self._levels.append(row)

    # -- the source

    async def checkpoint(self) -> bytes:
        return self.note().encode()

    async def witnessed(self) -> bytes | None:
        note = self.note()
        return note.signed(cosign("w.example", self.witness, note.text, self.cosigned_at)).encode()

    async def entries(self, start: int, end: int) -> list[bytes]:
        self.asked.append(f"entries {start}-{end}")
        return self.log[start:end]

    async def consistency(self, old: int, new: int) -> list[bytes]:
        self._grow()
        return merkle.consistency_proof(old, new, lambda level, index: self._levels[level][index])

    async def streams(self) -> list[tuple[bytes, int | None, int | None]]:
        newest = {stream: len(shown) - 1 for stream, shown in self.accesses_shown.items()}
        return [(stream, len(shown) - 1, newest.get(stream, -1)) for stream, shown in self.shown.items()]

    async def envelopes(self, stream: bytes, after: int) -> list[bytes]:
        self.asked.append(f"envelopes {stream.hex()[:8]} {after}")
        return self.shown.get(stream, [])[after + 1 : after + 1 + self.page]

    async def accesses(self, stream: bytes, after: int) -> list[tuple[int, bytes]]:
        return self.accesses_shown.get(stream, [])[after + 1 : after + 1 + self.page]
