"""The log: which one it is, and whose cosignatures make its checkpoints believed."""

from __future__ import annotations

from typing import Annotated

import msgspec

from events.act import Act
from events.errors import BadNote, Malformed
from events.policy import MAX_POLICY, Policy
from events.register import Register
from events.rule import Role, StreamKind, kind

PolicyText = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_POLICY)]


@kind(
    "log.announced",
    verb="log announce",
    stream=StreamKind.REGISTER,
    by={Role.OFFICER},
    para="ToR 3 (a), 10",
)
class LogAnnounced:
    """Announce the log, its witnesses and their quorum; the newest announcement counts."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        policy: PolicyText

    @staticmethod
    def evolve(state: Register, act: Act) -> Register:
        try:
            policy = Policy.parse(act.clear.policy)
        except BadNote as error:
            raise Malformed(f"expected a policy of the log, got one that is none: {error}") from None
        if len(policy.logs) != 1:
            raise Malformed(f"expected a policy of exactly one log, got {len(policy.logs)}")
        return msgspec.structs.replace(state, log=policy.text, log_since=act.header.time)
