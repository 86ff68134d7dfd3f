"""A server with a review in its dialogue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.live import Live
from tests.support.world import World


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with Live(tmp_path, World().to_dialogue()) as live:
        await live.push()
        yield live
