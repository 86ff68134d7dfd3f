"""The witness itself: judges a checkpoint, cosigns it if it continues the last one, keeps evidence of a fork."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from events.checkpoint import Checkpoint, Head, cosign
from events.errors import BadNote
from events.forks import Evidence
from events.notes import Note, Signature, Vkey
from events.witnessing import AddCheckpoint, Verdict, judge
from exchange.clock import Clock
from exchange.logs import logger
from exchange.notekeys import HeldKey
from exchange.witness.book import Book, Last
from exchange.witness.errors import NotConsistent, NotSigned, OtherSize, UnknownLog, Unreadable

MAX_FORKS = 100


class Witness:
    """A key, the logs it looks at, and its book."""

    def __init__(self, key: HeldKey, logs: Iterable[Vkey], book: Book, forks: Path, clock: Clock) -> None:
        self._key = key
        self._logs = tuple(logs)
        self._book = book
        self._forks = forks
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> Signature:
        """Cosign what continues its log; returns the cosignature, raises a WitnessError."""
        try:
            request = AddCheckpoint.parse(body)
            head = Head.parse(request.note.text)
        except BadNote as error:
            raise Unreadable(str(error)) from None
        checkpoint = self._signed(request.note, head)
        made: list[Signature] = []

        def decide(last: Last | None) -> Last:
            self._check(last, request, checkpoint)
            # A clock set back must not let this witness contradict a time it has signed.
            time = max(self._clock() // 1000, last.time if last else 0)
            made.append(cosign(self._key.vkey.name, self._key.secret, checkpoint.note.text, time))
            return Last(_bare(checkpoint).signed(*made), time)

        self._book.step(head.origin, decide)
        return made[0]

    def _signed(self, note: Note, head: Head) -> Checkpoint:
        keys = [log for log in self._logs if log.name == head.origin]
        if not keys:
            raise UnknownLog("this is not a log of this witness")
        try:
            return Checkpoint.verify(note, keys)
        except BadNote as error:
            raise NotSigned(str(error)) from None

    def _check(self, last: Last | None, request: AddCheckpoint, checkpoint: Checkpoint) -> None:
        verdict = judge(last.head if last else None, request, checkpoint.head)
        if verdict is Verdict.OLD_TOO_LARGE:
            raise Unreadable("expected an old size up to the checkpoint's, got a larger one")
        if verdict is Verdict.FORKED and last is not None:
            self._keep(Evidence((), last.note, _bare(checkpoint)))
        if verdict in (Verdict.FORKED, Verdict.OTHER_OLD_SIZE):
            raise OtherSize(last.head.size if last else 0)
        if verdict is Verdict.NOT_CONSISTENT:
            raise NotConsistent("expected a proof that the tree only grew, got none that holds")

    def _keep(self, evidence: Evidence) -> None:
        """Write evidence of a fork, once for each pair of trees."""
        name = hashlib.sha256(evidence.old.text.encode() + evidence.new.text.encode()).hexdigest()[:16]
        path = self._forks / f"{name}.txt"
        if path.exists() or len(list(self._forks.glob("*.txt"))) >= MAX_FORKS:
            return
        temporary = path.with_suffix(".new")
        temporary.write_bytes(evidence.encode())
        temporary.replace(path)
        logger().error("fork", evidence=path.name)


def _bare(checkpoint: Checkpoint) -> Note:
    """A checkpoint with its log's own signatures, without what others added."""
    note, log = checkpoint.note, checkpoint.log
    return Note(note.text, tuple(one for one in note.signatures if (one.name, one.key_id) == (log.name, log.id)))
