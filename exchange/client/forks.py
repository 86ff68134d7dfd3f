"""Two histories of one log: kept, proved to others, and found by comparing with what somebody else was shown."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from events import merkle
from events.checkpoint import Checkpoint, Head
from events.errors import BadNote, NotProved
from events.forks import Evidence
from events.notes import Note
from events.policy import Policy
from exchange.client.errors import ServerLied, ServerRefused
from exchange.client.home import write_private
from exchange.client.remote import Remote

DIRECTORY = "evidence"
SUFFIX = ".fork"


async def keep(home: Path, remote: Remote, policy: Policy, notes: Sequence[Note]) -> str:
    """Keep two checkpoints that contradict each other, as evidence if they are any; says what was kept."""
    old, new = sorted(notes, key=lambda note: Head.parse(note.text).size)
    directory = home / DIRECTORY
    directory.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(old.encode() + new.encode()).hexdigest()[:16]
    try:
        found = await between(remote, policy, old, new)
    except (NotProved, BadNote, ServerRefused, ServerLied):
        for number, note in enumerate((old, new), 1):
            write_private(directory / f"{name}-{number}.checkpoint", note.encode())
        return f"Both checkpoints are kept in {directory}; the server gives nothing that proves a fork to others."
    write_private(directory / f"{name}{SUFFIX}", found.encode())
    return f"The evidence is kept in {directory}; colloquy fork-evidence writes it out."


async def between(remote: Remote, policy: Policy, old: Note, new: Note) -> Evidence:
    """Evidence that a log signed two histories; raises NotProved if what the server gives does not make any."""
    size, newer = Head.parse(old.text).size, Head.parse(new.text).size
    hashes: tuple[bytes, ...] = ()
    if size != newer:
        hashes = tuple(await consistency(remote, size, newer))
        if size and not size & (size - 1):
            hashes = (await remote.complete_root(size), *hashes)
    found = Evidence(hashes, old, new)
    found.verify(policy)
    return found


async def compare(remote: Remote, policy: Policy, mine: Checkpoint, other: Note) -> Evidence | None:
    """Compare another's checkpoint with one's own: evidence if they are of two histories, None if of one.

    Raises BadNote if it is not of this log, NotProved if the server shows nothing that would decide it.
    """
    theirs = policy.checkpoint(other)
    old, new = sorted((theirs, mine), key=lambda one: one.head.size)
    if not old.head.size or (old.head.size, old.head.root) == (new.head.size, new.head.root):
        return None
    try:
        hashes = await consistency(remote, old.head.size, new.head.size)
        merkle.verify_consistency(old.head.size, old.head.root, new.head.size, new.head.root, hashes)
    except NotProved:
        return await between(remote, policy, old.note, new.note)
    return None


async def consistency(remote: Remote, old: int, new: int) -> list[bytes]:
    """The hashes that the server gives between two sizes; none where it gives none, which proves nothing."""
    if old == new:
        return []
    try:
        return await remote.consistency(old, new)
    except ServerRefused:
        return []
