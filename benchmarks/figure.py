"""A figure: what was measured, over what, and what it should reach."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio with its target; `least` says whether more or less is better."""

    name: str
    ratio: float
    target: float
    what: str
    over: str
    least: bool = True
    measured: dict[str, Any] = {}
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.ratio >= self.target if self.least else self.ratio <= self.target


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of paired rounds."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def rounded(values: Sequence[float]) -> list[float]:
    """Values as they are written down."""
    return [float(f"{value:.4g}") for value in values]
