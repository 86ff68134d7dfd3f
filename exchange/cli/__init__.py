"""The command line: verbs derived from the table of kinds, words a diplomat understands."""

from __future__ import annotations

from exchange.cli.app import main

__all__ = ["main"]
