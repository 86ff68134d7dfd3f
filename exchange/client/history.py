"""What a client believes of the log: one history that only grows, seen by a quorum of witnesses not long ago.

1 the checkpoint is signed by the announced log   4 what is shown of a stream is in it
2 it continues the one verified before            5 what other authors saw of the log is part of it
3 a quorum witnessed it, and when                 6 what one writes says what one has seen
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from events import merkle
from events.checkpoint import Checkpoint, Head, Witnessed
from events.entries import EntryType, entry
from events.envelope import Event, Seen
from events.errors import BadNote, NotProved
from events.notes import Note
from events.policy import Policy
from events.register import RegisterHistory
from exchange import wire
from exchange.client import forks
from exchange.client.cache import Cache, Remembered
from exchange.client.errors import ServerLied, ServerRefused, Unwitnessed
from exchange.client.remote import Remote

MAX_AGE_S = 7 * 24 * 3600
NOTED_AGE_S = 3600
TRIES = 4
WAIT_S = 0.7


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the log is verified: the newest checkpoint, and the newest one a quorum witnessed, if there is any."""

    checkpoint: Checkpoint
    witnessed: Witnessed | None
    policy: Policy
    time: int | None
    age: int | None

    @property
    def unwitnessed(self) -> int:
        """How many of the newest entries no quorum has witnessed yet."""
        return self.checkpoint.head.size - (self.witnessed.head.size if self.witnessed else 0)


class History:
    """The log as far as this device verified it; without an announced log there is nothing to check."""

    def __init__(
        self, remote: Remote, cache: Cache, register: RegisterHistory, clock: Callable[[], int], home: Path
    ) -> None:
        self._remote = remote
        self._cache = cache
        self._register = register
        self._clock = clock
        self._home = home
        self._known: Note | None = None
        self._checked: dict[bytes, int] = {}
        self._refreshing = asyncio.Lock()
        self.standing: Standing | None = None

    @property
    def policy(self) -> Policy | None:
        """The announced policy; None if no log was announced."""
        text = self._register.latest.log if len(self._register) else ""
        return Policy.parse(text) if text else None

    @property
    def seen(self) -> Seen | None:
        """Size and root of the newest checkpoint verified here, for the header of what one writes."""
        if self.standing is None or not self.standing.checkpoint.head.size:
            return None
        head = self.standing.checkpoint.head
        return Seen(head.size, head.root)

    async def refresh(self) -> Standing | None:
        """Verify the newest checkpoint and how it was witnessed; raises ServerLied or Unwitnessed."""
        policy = self.policy
        if policy is None:
            return None
        async with self._refreshing:
            checkpoint = _checked(policy, await self._remote.checkpoint())
            await self._continues(policy, checkpoint)
            self.standing = await self._stand(policy, checkpoint)
        return self.standing

    async def check(self, stream: bytes, seq: int, head: bytes, new: Iterable[Event]) -> None:
        """Check that a stream's newest event is in the log, and that authors saw no other log than this one.

        Raises ServerLied. Whatever comes before that event is in its chain; each author's client has checked what
        the author saw earlier, so the newest that each says to have seen is enough.
        """
        if self.policy is None or (self._checked.get(stream) == seq and not new):
            return
        newest = {event.header.author: event for event in new if event.header.seen is not None}
        most = max((event.header.seen.size for event in newest.values() if event.header.seen), default=0)
        standing = self.standing
        if standing is None or standing.checkpoint.head.size < most or not await self._holds(stream, seq, head):
            standing = await self.refresh()
            if standing is None:
                return
            await self.included(stream, seq, EntryType.ENVELOPE, head)
        for event in newest.values():
            await self._saw_this(event, standing.checkpoint)
        self._checked[stream] = seq

    async def _holds(self, stream: bytes, seq: int, event: bytes) -> bool:
        """Whether the checkpoint verified last covers an event already."""
        if self.standing is None:
            return False
        return await self.covered(stream, seq, EntryType.ENVELOPE, event, self.standing.checkpoint) is not None

    async def included(self, stream: bytes, seq: int, kind: EntryType, digest: bytes) -> None:
        """Check that a record is in the log as it was last verified; raises ServerLied."""
        if self.standing is None:
            raise ServerLied(12, "no checkpoint of the log was verified yet")
        if await self.covered(stream, seq, kind, digest, self.standing.checkpoint) is None:
            raise ServerLied(12, f"the server shows something that is not in its log (number {seq})")

    async def covered(
        self, stream: bytes, seq: int, kind: EntryType, digest: bytes, within: Checkpoint
    ) -> wire.Inclusion | None:
        """The proof that a record is in the log of a checkpoint, checked; None if it is not (or not yet) in it."""
        part, head = "events" if kind is EntryType.ENVELOPE else "access", within.head
        try:
            proof = await self._remote.inclusion(stream, seq, head.size, part)
            hashes = [bytes.fromhex(one) for one in proof.hashes]
            merkle.verify_inclusion(merkle.leaf_hash(entry(kind, digest)), proof.index, head.size, hashes, head.root)
        except (NotProved, ServerRefused):
            return None
        return proof

    async def _continues(self, policy: Policy, checkpoint: Checkpoint) -> None:
        """Check a checkpoint against the one verified before, and remember it."""
        before = self._known or self._recalled(policy)
        new = checkpoint.head
        if before is not None:
            old = Head.parse(before.text)
            if new.size < old.size:
                raise ServerLied(
                    12, f"the log shrank from {old.size} to {new.size} entries: the server shows an older history"
                )
            if old.size and (old.size, old.root) != (new.size, new.root):
                await self._prove_growth(policy, before, old, checkpoint)
        self._known = checkpoint.note
        if before is None or before.text != checkpoint.note.text:
            name = _memory(policy)
            self._cache.remember(name, [], Remembered(new.size, new.root, checkpoint.note.encode()))

    async def _prove_growth(self, policy: Policy, before: Note, old: Head, checkpoint: Checkpoint) -> None:
        new = checkpoint.head
        hashes = await forks.consistency(self._remote, old.size, new.size)
        try:
            merkle.verify_consistency(old.size, old.root, new.size, new.root, hashes)
        except NotProved:
            kept = await forks.keep(self._home, self._remote, policy, (before, checkpoint.note))
            raise ServerLied(
                12,
                f"the log of {new.size} entries does not continue the log of {old.size} entries that this device "
                f"verified: there are two histories. {kept}",
            ) from None

    async def _saw_this(self, event: Event, checkpoint: Checkpoint) -> None:
        """Check what an author says to have seen of the log against one's own view of it (rule 12)."""
        seen, head = event.header.seen, checkpoint.head
        if seen is None:
            return
        who, where = event.header.author.hex()[:16], f"event {event.header.seq}"
        if seen.size > head.size:
            raise ServerLied(
                12,
                f"device {who} had seen {seen.size} entries of the log when it wrote {where}, and the server shows "
                f"{head.size}: it withholds the rest",
            )
        try:
            if seen.size != head.size or seen.root != head.root:
                hashes = await forks.consistency(self._remote, seen.size, head.size)
                merkle.verify_consistency(seen.size, seen.root, head.size, head.root, hashes)
        except NotProved:
            raise ServerLied(
                12,
                f"device {who} had seen another history of the log ({seen.size} entries) when it wrote {where}. Ask "
                "its owner for the file that colloquy checkpoint writes, then: colloquy fork-evidence --with FILE",
            ) from None

    async def _stand(self, policy: Policy, checkpoint: Checkpoint) -> Standing:
        """How the log is witnessed; raises Unwitnessed if a quorum is required and has been missing for too long."""
        standing = await self._witnessed(policy, checkpoint)
        for _ in range(TRIES):
            if not self._too_old(standing):
                return standing
            # Witnesses are asked in the background: give them a moment before giving up.
            await asyncio.sleep(WAIT_S)
            standing = await self._witnessed(policy, checkpoint)
        if self._too_old(standing):
            since = (
                "never (or by a clock that is wrong)" if standing.age is None else f"{standing.age // 3600} hours ago"
            )
            raise Unwitnessed(
                f"the history was last witnessed {since}, and {policy.in_words()} must have witnessed it: "
                "it may not be the newest. Nothing was changed"
            )
        return standing

    async def _witnessed(self, policy: Policy, checkpoint: Checkpoint) -> Standing:
        data = await self._remote.witnessed()
        if data is None or policy.quorum == "none":
            return Standing(checkpoint, None, policy, None, None)
        try:
            witnessed = policy.witnessed(Note.parse(data))
        except BadNote as error:
            # An announcement of other witnesses leaves the old cosignatures behind for a moment.
            if self._announced_just_now():
                return Standing(checkpoint, None, policy, None, None)
            raise ServerLied(12, f"the witnessed checkpoint is none: {error}") from None
        await self._is_part(policy, witnessed.checkpoint, checkpoint)
        now = self._clock() // 1000
        time = quorum_time(policy, witnessed, now + wire.CLOCK_TOLERANCE_MS // 1000)
        return Standing(checkpoint, witnessed, policy, time, None if time is None else max(now - time, 0))

    async def _is_part(self, policy: Policy, witnessed: Checkpoint, checkpoint: Checkpoint) -> None:
        old, new = witnessed.head, checkpoint.head
        if old.size > new.size:
            # It was witnessed after the checkpoint was fetched: then it is the newer one that must continue ours.
            old, new = new, old
        if not old.size or (old.size, old.root) == (new.size, new.root):
            return
        try:
            hashes = await forks.consistency(self._remote, old.size, new.size)
            merkle.verify_consistency(old.size, old.root, new.size, new.root, hashes)
        except NotProved:
            kept = await forks.keep(self._home, self._remote, policy, (witnessed.note, checkpoint.note))
            raise ServerLied(12, f"witnesses were shown another history of the log than this device. {kept}") from None

    def _too_old(self, standing: Standing) -> bool:
        if standing.policy.quorum == "none" or self._announced_just_now():
            return False
        return standing.age is None or standing.age > MAX_AGE_S

    def _announced_just_now(self) -> bool:
        return self._clock() - self._register.latest.log_since < NOTED_AGE_S * 1000

    def _recalled(self, policy: Policy) -> Note | None:
        remembered = self._cache.remembered(_memory(policy))
        return Note.parse(remembered.state) if remembered else None


def quorum_time(policy: Policy, witnessed: Witnessed, latest: int) -> int | None:
    """When a quorum had seen it, in seconds; None if only with cosignatures from after `latest`: a clock is wrong."""
    return policy.met_at({one.witness: one.time for one in witnessed.cosigned if one.time <= latest})


def _checked(policy: Policy, data: bytes) -> Checkpoint:
    try:
        return policy.checkpoint(Note.parse(data))
    except BadNote as error:
        raise ServerLied(12, f"the server's checkpoint is not the announced log's: {error}") from None


def _memory(policy: Policy) -> bytes:
    """Under which name the newest checkpoint of a log is remembered."""
    return hashlib.sha256(b"log\x00" + policy.logs[0].key.text().encode()).digest()
