"""A server under Python's profiler: `python -m benchmarks.profiled DATA STATS`, ended by SIGTERM."""

from __future__ import annotations

import cProfile
import sys
from pathlib import Path

from exchange.server import service
from exchange.settings import ServerSettings


def main(data: Path, stats: Path) -> int:
    """Serve until told to stop, then write where the event loop's time went."""
    profile = cProfile.Profile()
    status = profile.runcall(service.run, ServerSettings(data=data, port=0, log_level="warning"))
    profile.dump_stats(stats)
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
