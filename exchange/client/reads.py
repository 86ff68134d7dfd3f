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
    """The record of reading a stream, oldest first; None for those it is not shown to. Raises ServerLied."""
    try:
        records = await _records(client, state.id)
    except ServerRefused as error:
        if error.problem.code == "not-found":
            return None
        raise
    accesses, sent = _told(client, state, records)
    await _check_logged(client, state.id, accesses, progress)
    return [
        Read(access.statement.reader, want.event, want.object, want.start, access.statement.time, sent.get(access.id))
        for _, access in accesses
        for want in access.statement.wants
    ]


async def _records(client: Client, stream: bytes) -> list[tuple[int, bytes]]:
    records: list[tuple[int, bytes]] = []
    while page := await client.remote.accesses(stream, len(records) - 1):
        records += page
    return records


def _told(
    client: Client, state: Review | Register, records: Sequence[tuple[int, bytes]]
) -> tuple[list[tuple[int, Access]], dict[bytes, int]]:
    """The verified statements with their numbers, and how much was sent for each; raises ServerLied."""
    accesses: list[tuple[int, Access]] = []
    sent: dict[bytes, int] = {}
    try:
        for number, (kind, record) in enumerate(records):
            if kind == EntryType.COMPLETION:
                completion = Completion.parse(record)
                sent[completion.statement] = completion.sent
            else:
                accesses.append((number, _verified(client, state, SignedStatement.parse(record))))
    except (Malformed, BadSignature, InvalidKey) as error:
        raise ServerLied(10, f"the server shows a record of reading that its reader did not sign: {error}") from None
    return accesses, sent


def _verified(client: Client, state: Review | Register, signed: SignedStatement) -> Access:
    person = client.replay.history.latest.by_device(signed.claimed_reader)
    if person is None:
        raise ServerLied(4, "the server shows a record of reading by a device that the register does not know")
    access = signed.verify(Recipient(person.signing, person.sealing))
    if access.statement.stream != state.id:
        raise ServerLied(14, "the server shows a record of reading that is about another stream")
    return access


async def _check_logged(
    client: Client, stream: bytes, accesses: Sequence[tuple[int, Access]], progress: Progress
) -> None:
    """Prove that each statement is in the log; where no log was announced there is none to be in."""
    if await client.replay.log.refresh() is None:
        return
    for done, (number, access) in enumerate(accesses, 1):
        await client.replay.log.included(stream, number, EntryType.STATEMENT, access.id)
        progress(done, len(accesses))
