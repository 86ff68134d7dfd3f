"""Every kind of event beside its rule; importing this package fills the table."""

from __future__ import annotations

from events.kinds import (
    breach,
    desk_review,
    dialogue,
    disclosure,
    keys,
    log,
    members,
    opening,
    people,
    release,
    report,
    response,
    summary,
    translation,
)

__all__ = [
    "breach",
    "desk_review",
    "dialogue",
    "disclosure",
    "keys",
    "log",
    "members",
    "opening",
    "people",
    "release",
    "report",
    "response",
    "summary",
    "translation",
]
