"""A witness: remembers how far a log has come, cosigns what continues it, and keeps what does not as evidence."""

from __future__ import annotations

from exchange.witness.service import WitnessSettings, run, serve

__all__ = ["WitnessSettings", "run", "serve"]
