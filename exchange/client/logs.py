"""What a person does with the log: announce it, get a receipt for an event, write out what one has verified."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from events import logged
from events.checkpoint import Checkpoint, Witnessed
from events.entries import EntryType
from events.errors import BadNote
from events.kinds.log import LogAnnounced
from events.notes import Vkey
from events.policy import Policy
from events.receipts import Receipt
from events.register import Register
from events.review import Review
from exchange.client.client import Client, Entry
from exchange.client.compose import Draft
from exchange.client.errors import ClientError, NotFound
from exchange.client.history import Standing
from keys.recipient import Recipient

TRIES = 12
WAIT_S = 0.5


@dataclass(frozen=True, slots=True)
class Proved:
    """A receipt, checked as its reader will check it."""

    receipt: Receipt
    witnessed: Witnessed


def policy_of(log: str, url: str, witnesses: Sequence[tuple[str, str, str]], quorum: str) -> Policy:
    """A policy of one log: witnesses as (name, key, address), the quorum none, any, all or a number.

    Raises ClientError.
    """
    lines = [f"log {log} {url}", *(" ".join(("witness", *one)).rstrip() for one in witnesses)]
    if quorum == "none" or not witnesses:
        lines.append("quorum none")
    else:
        lines += [f"group quorum-group {quorum} {' '.join(name for name, _, _ in witnesses)}", "quorum quorum-group"]
    try:
        return Policy.parse("\n".join(lines) + "\n")
    except BadNote as error:
        raise ClientError(f"{error}; nothing was sent") from None


async def server_log(client: Client) -> Vkey:
    """The key of the log that the server says it keeps."""
    text = (await client.remote.service()).log
    try:
        return Vkey.parse(text)
    except BadNote as error:
        raise ClientError(f"the server names no log: {error}; nothing was sent") from None


def announcement(policy: Policy) -> Draft:
    """Announce a log and its witnesses to everybody of the register."""
    return Draft("log.announced", LogAnnounced.Clear(policy.text))


async def receipt(client: Client, state: Register | Review, entry: Entry) -> Proved:
    """A receipt for an event against a checkpoint that a quorum witnessed; waits a little for one.

    Raises ClientError if no log was announced, NotFound if no quorum has witnessed the event yet.
    """
    person = client.replay.history.latest.by_device(entry.header.author)
    if person is None:
        raise NotFound("the author of this event is not in the register")
    author = Recipient(person.signing, person.sealing)
    log, seq = client.replay.log, entry.header.seq
    for _ in range(TRIES):
        standing = await log.refresh()
        if standing is None:
            raise ClientError("no log was announced, so there is nothing a receipt could prove: colloquy log announce")
        checkpoint = _believed(standing)
        proof = await log.covered(state.id, seq, EntryType.ENVELOPE, entry.id, checkpoint) if checkpoint else None
        if checkpoint and proof:
            hashes = tuple(bytes.fromhex(one) for one in proof.hashes)
            envelope = client.envelope(state.id, seq)
            found = logged.receipt_for(envelope, author, proof.index, hashes, checkpoint.note)
            return Proved(found, logged.check(found, standing.policy).witnessed)
        await asyncio.sleep(WAIT_S)
    raise NotFound("no quorum of witnesses has seen this event yet; nothing was written. Try again in a minute")


def _believed(standing: Standing) -> Checkpoint | None:
    """The newest checkpoint that meets the policy: a witnessed one, unless no witness is required."""
    if standing.witnessed is not None:
        return standing.witnessed.checkpoint
    return standing.checkpoint if standing.policy.quorum == "none" else None
