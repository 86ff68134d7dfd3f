"""Cosignatures gathered in the background (c2sp.org/tlog-witness): a witness that is slow or gone holds up nobody.

In each round all witnesses are asked about one checkpoint; as soon as a quorum has cosigned it, it is published.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from events.checkpoint import Head, cosigned_at, read_number
from events.errors import BadNote, EventsError
from events.notes import MAX_NOTE, Note, Signature, read_signatures, to_base64
from events.policy import Policy, Witness
from exchange import wire
from exchange.logs import logger
from exchange.server.notary import Notary
from exchange.server.states import States
from storage.errors import StorageError

ROUND_S = 0.5
ANSWER_S = 10.0
STRAGGLERS_S = 0.3
LONGEST_BACKOFF_S = 60.0
LONGEST_DOUBLING = 10
RENEWAL_MS = 10 * 60 * 1000
ATTEMPTS = 3


@dataclass(slots=True)
class _Known:
    """What is known of a witness: the size it cosigned last, and how long to leave it alone."""

    size: int = 0
    failures: int = 0
    not_before: float = 0.0


@dataclass(slots=True)
class Gatherer:
    """Asks the announced witnesses for their cosignatures, again and again."""

    notary: Notary
    states: States
    clock: Callable[[], int]
    _known: dict[bytes, _Known] = field(default_factory=dict)

    async def run(self) -> None:
        """Gather until cancelled."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as http:
            while True:
                note = self.notary.checkpoint
                policy = self._policy()
                if policy is not None and self._due(note, policy):
                    # What fails now is tried again in the next round.
                    with contextlib.suppress(StorageError, EventsError):
                        await self._round(http, policy, note)
                await asyncio.sleep(ROUND_S)

    def _policy(self) -> Policy | None:
        """The newest announced policy, if it is about this log and names anybody to ask."""
        text = self.states.register.log if len(self.states.history) else ""
        policy = Policy.parse(text) if text else None
        if policy is None or policy.logs[0].key != self.notary.vkey:
            return None
        return policy if any(witness.url for witness in policy.witnesses) else None

    def _due(self, note: Note, policy: Policy) -> bool:
        """Whether the newest checkpoint lacks cosignatures, or has had them for too long to show that it is new."""
        witnessed = self.notary.witnessed
        if witnessed is None or witnessed.text != note.text:
            return True
        times = [_held(witnessed, witness) for witness in policy.witnesses]
        held = {witness.name: time for witness, time in zip(policy.witnesses, times, strict=True) if time is not None}
        since = policy.met_at(held)
        return since is None or since * 1000 + RENEWAL_MS < self.clock()

    async def _round(self, http: aiohttp.ClientSession, policy: Policy, note: Note) -> None:
        now = asyncio.get_running_loop().time()
        asked = [witness for witness in policy.witnesses if witness.url and self._of(witness).not_before <= now]
        waiting = {asyncio.create_task(self._ask(http, witness, note)) for witness in asked}
        cosigned, published = note, False
        try:
            while waiting:
                patience = STRAGGLERS_S if published else None
                done, waiting = await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
                cosigned = cosigned.signed(*(line for task in done for line in task.result()))
                published = await self._published(policy, cosigned)
        finally:
            for task in waiting:
                task.cancel()

    async def _published(self, policy: Policy, note: Note) -> bool:
        try:
            policy.witnessed(note)
        except BadNote:
            return False
        await self.notary.keep_witnessed(note)
        return True

    async def _ask(self, http: aiohttp.ClientSession, witness: Witness, note: Note) -> tuple[Signature, ...]:
        """The cosignatures of one witness; empty if it does not answer as it should, then it is left alone a while."""
        known = self._of(witness)
        try:
            found = await self._cosignatures(http, witness, note, known)
        except (aiohttp.ClientError, TimeoutError, OSError, EventsError, ValueError):
            known.failures += 1
            wait = min(2.0 ** min(known.failures, LONGEST_DOUBLING) / 2, LONGEST_BACKOFF_S)
            known.not_before = asyncio.get_running_loop().time() + wait
            return ()
        known.failures, known.size = 0, Head.parse(note.text).size
        return found

    async def _cosignatures(
        self, http: aiohttp.ClientSession, witness: Witness, note: Note, known: _Known
    ) -> tuple[Signature, ...]:
        for _ in range(ATTEMPTS):
            data = await self._request(known.size, note)
            async with http.post(
                witness.url.rstrip("/") + "/add-checkpoint", data=data, allow_redirects=False
            ) as answer:
                body = await _bounded(answer)
                if answer.status == 409 and answer.content_type == "text/x.tlog.size":
                    known.size = read_number(body.decode("ascii").removesuffix("\n"))
                    self._tell_if_behind(witness, known.size, note)
                    continue
                if answer.status != 200:
                    raise BadNote(f"expected a cosignature, got status {answer.status}")
            return (_by(witness, note, read_signatures(body), self.clock() + wire.CLOCK_TOLERANCE_MS),)
        raise BadNote("expected a witness that agrees on a size, got one that does not")

    @staticmethod
    def _tell_if_behind(witness: Witness, size: int, note: Note) -> None:
        """An operator must know at once: what a witness saw is gone here, such as after an old backup was restored."""
        own = Head.parse(note.text).size
        if size > own:
            logger().error("log-behind-witness", witness=witness.name, witnessed=size, here=own)

    async def _request(self, old: int, note: Note) -> bytes:
        size = Head.parse(note.text).size
        hashes = await self.notary.consistency(old, size) if 0 < old < size else []
        return f"old {old}\n{''.join(to_base64(one) + chr(10) for one in hashes)}\n".encode() + note.encode()

    def _of(self, witness: Witness) -> _Known:
        return self._known.setdefault(witness.key.verifier.public, _Known())


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """What a witness answers, however it arrives; raises BadNote if it is longer than any answer may be."""
    data = bytearray()
    async for block in answer.content.iter_any():
        data += block
        if len(data) > MAX_NOTE:
            raise BadNote(f"expected an answer of at most {MAX_NOTE} bytes, got more")
    return bytes(data)


def _by(witness: Witness, note: Note, lines: tuple[Signature, ...], latest: int) -> Signature:
    """The newest line that is this witness's; raises BadNote if none is, if one does not hold or is after `latest`.

    One alone, for a note has room for so many; none from the future, for no client believes it and it never gets old.
    """
    mine = [line for line in lines if (line.name, line.key_id) == (witness.key.name, witness.key.id)]
    dated = [(cosigned_at(Note(note.text, (line,)), witness.key) or 0, line) for line in mine]
    if not dated:
        raise BadNote("expected a cosignature of this witness, got none")
    time, newest = max(dated, key=lambda pair: pair[0])
    if time * 1000 > latest:
        raise BadNote("expected a cosignature of now, got one of a time to come")
    return newest


def _held(note: Note, witness: Witness) -> int | None:
    try:
        return cosigned_at(note, witness.key)
    except BadNote:
        return None
