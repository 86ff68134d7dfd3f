"""The server: orders, stores and serves what it cannot read; it never touches a secret key."""

from __future__ import annotations

from exchange.server.service import run, serve

__all__ = ["run", "serve"]
