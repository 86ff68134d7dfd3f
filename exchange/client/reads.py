"""Who fetched what, as the record of reading tells it: every statement verified, and proved to be in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from events.access import Access, Completion, SignedStatement
from events.entries import EntryType
from events.errors import Malformed
from events.register import Register
from events.review import Review
from exchange.client.client import Client
from exchange.client.errors import ServerLied, ServerRefused
from keys.errors import BadSignature, InvalidKey
from keys.recipient import Recipient

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Read:
    """A device said it would read an object of an event from byte `start` on, at `time` (milliseconds).

    `sent` is how many bytes the server says it sent for the whole statement; None if it did not say that it finished.
    """

    reader: bytes
    event: bytes
    object: int
    start: int
    time: int
    sent: int | None


async def reads_of(
    client: Client, state: Review | Register, progress: Progress = lambda _done, _total: None
) -> Sequence[Read] | None:
    """The record of reading a stream, oldest first; None for those it is not shown to. Raises ServerLied.

    That the record is whole is for the audit of the log to say.
    """
    record, after = _Record(client.replay.history.latest, state.id), -1
    try:
        while page := await client.remote.accesses(state.id, after):
            for number, (kind, data) in enumerate(page, after + 1):
                record.take(number, kind, data)
            after += len(page)
    except ServerRefused as error:
        if error.problem.code == "not-found":
            return None
        raise
    except (Malformed, BadSignature, InvalidKey) as error:
        raise ServerLied(10, f"the server shows a record of reading that its reader did not sign: {error}") from None
    await _check_logged(client, state.id, record.numbered, progress)
    return record.reads()


class _Record:
    """Statements and completions as they come, each taken once: a server cannot make the record endless."""

    def __init__(self, register: Register, stream: bytes) -> None:
        self._register = register
        self._stream = stream
        self._accesses: dict[bytes, Access] = {}
        self._sent: dict[bytes, int] = {}
        self.numbered: list[tuple[int, bytes]] = []

    def take(self, number: int, kind: int, data: bytes) -> None:
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
        self.numbered.append((number, access.id))

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
            raise ServerLied(4, "the server shows a record of reading by a device that the register does not know")
        access = signed.verify(Recipient(person.signing, person.sealing))
        if access.statement.stream != self._stream:
            raise ServerLied(14, "the server shows a record of reading that is about another stream")
        return access


async def _check_logged(
    client: Client, stream: bytes, statements: Sequence[tuple[int, bytes]], progress: Progress
) -> None:
    """Prove that each statement is in the log; where no log was announced there is none to be in."""
    if await client.replay.log.refresh() is None:
        return
    for done, (number, statement) in enumerate(statements, 1):
        await client.replay.log.included(stream, number, EntryType.STATEMENT, statement)
        progress(done, len(statements))
