"""What all tests share."""

from __future__ import annotations

from exchange import logs

logs.configure("console", "error")
