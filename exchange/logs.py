"""Structured logs: what happened and how long it took, never who wrote what, never a token, never a path with ids."""

from __future__ import annotations

import logging
from typing import Any

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(form: str, level: str) -> None:
    """Set up the log's form (console or json) and level, for this program and the libraries under it."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    # aiohttp's own error log prints requests with their paths.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)


def logger() -> Any:
    """The program's logger."""
    return structlog.get_logger()
