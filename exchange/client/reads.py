"""Who fetched what, by the record of reading: what readers signed, and what the server says it sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from events.access import Access, Completion, SignedStatement
from events.entries import EntryType
from events.errors import Malformed
from events.register import Register
from events.review import Review
from exchange.client.client import Client
from exchange.client.errors import ServerLied, ServerRefused
from keys.errors import BadSignature
from keys.recipient import Recipient


@dataclass(frozen=True, slots=True)
class Read:
    """A device said it would read an object of an event from byte `start` on, at `time` (milliseconds).

    `sent` is how many bytes the server says it sent for the statement; None if it did not say that it finished.
    """

    reader: bytes
    event: bytes
    object: int
    start: int
    time: int
    sent: int | None


async def reads_of(client: Client, review: Review) -> Sequence[Read] | None:
    """The record of reading a review, each statement's signature verified; None for those who may not see it.

    That the record is whole is for the audit of the log to say. Raises ServerLied.
    """
    record, after = _Record(client.replay.history.latest, review.id), -1
    try:
        while page := await client.remote.accesses(review.id, after):
            for kind, data in page:
                record.take(kind, data)
            after += len(page)
    except ServerRefused:
        return None
    except (Malformed, BadSignature) as error:
        raise ServerLied(20, f"the record of reading holds what is no record: {error}") from None
    return record.reads()


class _Record:
    """Statements and completions as they come, each taken once: a server cannot make the record endless."""

    def __init__(self, register: Register, stream: bytes) -> None:
        self._register = register
        self._stream = stream
        self._accesses: dict[bytes, Access] = {}
        self._sent: dict[bytes, int] = {}

    def take(self, kind: int, data: bytes) -> None:
        """Take one record; raises Malformed, BadSignature, ServerLied."""
        if kind == EntryType.COMPLETION:
            completion = Completion.parse(data)
            if completion.statement not in self._accesses or completion.statement in self._sent:
                raise ServerLied(11, "the record of reading ends one reading twice, or one that never began")
            self._sent[completion.statement] = completion.sent
            return
        access = self._verified(SignedStatement.parse(data))
        if access.id in self._accesses:
            raise ServerLied(11, "the record of reading holds one statement twice")
        self._accesses[access.id] = access

    def reads(self) -> list[Read]:
        """What was read, in the record's order."""
        return [
            Read(said.reader, want.event, want.object, want.start, said.time, self._sent.get(access.id))
            for access in self._accesses.values()
            for said in (access.statement,)
            for want in said.wants
        ]

    def _verified(self, signed: SignedStatement) -> Access:
        person = self._register.by_device(signed.claimed_reader)
        if person is None:
            raise BadSignature("a statement of a device that the register does not know")
        access = signed.verify(Recipient(person.signing, person.sealing))
        if access.statement.stream != self._stream:
            raise ServerLied(14, "the record of reading holds a statement about another stream")
        return access
