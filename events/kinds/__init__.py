"""Every kind of event beside its rule; importing this package fills the table."""

from __future__ import annotations

from events.kinds import (
    desk_review,
    dialogue,
    keys,
    members,
    opening,
    people,
    report,
    response,
    summary,
    translation,
)

__all__ = [
    "desk_review",
    "dialogue",
    "keys",
    "members",
    "opening",
    "people",
    "report",
    "response",
    "summary",
    "translation",
]
