"""Python's cycle collector, set for programs that keep many small objects for long."""

from __future__ import annotations

import gc


def relax() -> None:
    """Look for cycles rarely: folded reviews live long and hold none, and searching them costs a fifth of all work."""
    gc.set_threshold(50_000, 50, 100)
