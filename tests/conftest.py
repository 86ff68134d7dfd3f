"""What all tests share."""

from __future__ import annotations

from exchange.server import logs

logs.configure("console", "error")
