"""Releases of the client, announced by their digest: everybody can see whether what they run is what was announced."""

from __future__ import annotations

from typing import Annotated

import msgspec

from events.act import Act
from events.envelope import Hash
from events.errors import AlreadyDone
from events.register import Register, Release
from events.rule import Role, StreamKind, kind

ReleaseName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$(?!\n)")]


@kind(
    "release.announced",
    verb="release announce",
    stream=StreamKind.REGISTER,
    by={Role.OFFICER},
    para="G 5",
)
class ReleaseAnnounced:
    """Announce a release of the client by its SHA-256, in the log for everybody and for good."""

    class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        name: ReleaseName
        version: ReleaseName
        digest: Hash

    @staticmethod
    def evolve(state: Register, act: Act) -> Register:
        clear = act.clear
        if clear.digest in state.releases:
            raise AlreadyDone("a release not announced yet", "one that was")
        if any((one.name, one.version) == (clear.name, clear.version) for _, one in state.releases.items()):
            raise AlreadyDone(f"a version of {clear.name} not announced yet", clear.version)
        release = Release(clear.name, clear.version, act.header.seq)
        return msgspec.structs.replace(state, releases=state.releases.insert(clear.digest, release))
