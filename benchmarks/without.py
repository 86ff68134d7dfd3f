"""A server that leaves one thing out, to be measured against: `python -m benchmarks.without record|checkpoints DATA`.

`record`: who may read is decided as always, the statement's signature is checked, but nothing is put on record.
`checkpoints`: the log's tree does not follow the database.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from exchange.server import service
from exchange.server.notary import Notary
from exchange.server.readings import Readings
from exchange.settings import ServerSettings


async def _decide(self: Readings, access: Any, _record: bytes, items: Any) -> None:
    self._check_entitled(await self._states.of(access.statement.stream), access, items)


async def _stay(_self: Notary) -> None:
    pass


def main(what: str, data: Path) -> int:
    """Serve until told to stop."""
    left_out = {
        "record": {(Readings, "_store"): _decide, (Readings, "complete"): lambda *_: None},
        "checkpoints": {(Notary, "_run"): _stay},
    }
    for (owner, name), instead in left_out[what].items():
        setattr(owner, name, instead)
    return service.run(ServerSettings(data=data, port=0, log_level="warning"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
