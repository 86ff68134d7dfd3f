"""The checkpoints as they are signed: by the log that the register announces, by the witnesses its policy asks for."""

from __future__ import annotations

from collections.abc import Iterator

from events.checkpoint import Cosigned, Head
from events.errors import BadNote
from events.notes import Note
from events.policy import Policy
from exchange.audit.finding import NOWHERE, Check, Findings, Where
from exchange.audit.source import Source

PARA = "ToR 3 (a), 10"


class Notes:
    """What was proved of the checkpoints; empty where nothing was."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self.witnessed = b""
        self.origin = ""
        self.quorum = ""
        self.cosigned: tuple[Cosigned, ...] = ()
        self.witnessed_size = 0
        self.unchecked: list[str] = []

    async def witness(self) -> None:
        """Fetch the witnessed checkpoint; before the newest one, so that it is not the newer."""
        self.witnessed = await self._source.witnessed() or b""

    def conclude(self, newest: Note, head: Head, text: str) -> Iterator[tuple[int, bytes, Where]]:
        """Check the signatures by the policy; yields size and root of what must be of the same log."""
        if not text:
            self.unchecked.append("Signature and witnesses of the checkpoint: the register announces no log yet.")
            return
        policy = Policy.parse(text)
        self.quorum = policy.in_words()
        try:
            policy.checkpoint(newest)
            self.origin = head.origin
        except BadNote as error:
            what = "The newest checkpoint is not signed by the announced log."
            expected = f"a signature by {policy.logs[0].key.name}"
            self._findings.fault(Check.CHECKPOINT, NOWHERE, what, expected, str(error), para=PARA)
        if not policy.deciding:
            self.unchecked.append("Witnesses: the announced policy asks for none, so nobody else vouches for this log.")
        if self.witnessed:
            yield from self._witness_of(policy, self.witnessed)
        elif policy.deciding:
            what = "No checkpoint was witnessed."
            self._findings.fault(Check.WITNESSES, NOWHERE, what, f"cosignatures of {self.quorum}", "none", para=PARA)

    def _witness_of(self, policy: Policy, data: bytes) -> Iterator[tuple[int, bytes, Where]]:
        try:
            witnessed = policy.witnessed(Note.parse(data))
        except BadNote as error:
            what = "The witnessed checkpoint does not meet the announced policy."
            expected = f"cosignatures of {self.quorum}"
            self._findings.fault(Check.WITNESSES, NOWHERE, what, expected, str(error), para=PARA)
            return
        self.cosigned, self.witnessed_size = witnessed.cosigned, witnessed.head.size
        yield witnessed.head.size, witnessed.head.root, NOWHERE
