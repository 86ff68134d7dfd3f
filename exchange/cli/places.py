"""Where fetched files go: under a harmless name, and never over what is there."""

from __future__ import annotations

from pathlib import Path

from exchange.client.errors import ClientError


def safe_name(name: str) -> str:
    """A file name without anything that leads elsewhere or hides."""
    kept = "".join(char for char in Path(name.replace("\\", "/")).name if char.isprintable() and char not in '<>:"|?*')
    return kept.strip(". ") or "file"


def free(target: Path) -> Path:
    """A name that is not taken; nothing of a person's is ever overwritten."""
    for number in range(1000):
        candidate = target if not number else target.with_name(f"{target.stem} ({number}){target.suffix}")
        if not candidate.exists():
            return candidate
    raise ClientError(f"{target} exists a thousand times already")
