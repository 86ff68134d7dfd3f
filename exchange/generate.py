"""Files made from the code: the OpenAPI document, the table of kinds for people and for the browser."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

import events.kinds  # noqa: F401  (fills the table)
from events.rule import KINDS, Rule, StreamKind
from exchange.server import openapi

ROOT = Path(__file__).resolve().parents[1]
HEAD = "<!-- Made by `make generate` from events/kinds; do not edit. -->\n"


def kinds_table() -> str:
    """The table of kinds as Markdown."""
    lines = [
        HEAD,
        "| kind | verb | by | of | during | sealed for | about | after |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rule in sorted(KINDS.values(), key=lambda row: (row.stream != StreamKind.REGISTER, row.name)):
        cells = (
            f"`{rule.name}`",
            rule.verb,
            ", ".join(sorted(rule.by)),
            "—" if rule.stream is StreamKind.REGISTER else ", ".join(sorted(rule.of)),
            "any step" if len(rule.during) == 6 else ", ".join(sorted(rule.during)),
            rule.circle or "—",
            _about(rule),
            rule.para,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def kinds_json() -> str:
    """The table of kinds for programs in other languages."""
    rows = {name: _row(rule) for name, rule in sorted(KINDS.items())}
    return json.dumps(rows, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def openapi_json() -> str:
    """The OpenAPI document."""
    return json.dumps(openapi.document(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


FILES: dict[str, Callable[[], str]] = {
    "docs/spec/kinds.md": kinds_table,
    "docs/spec/kinds.json": kinds_json,
    "docs/spec/openapi.json": openapi_json,
}


def main() -> int:
    """Write the files, or with --check compare them; returns the exit status."""
    stale = [name for name, make in FILES.items() if not _same(name, make())]
    if "--check" in sys.argv:
        for name in stale:
            sys.stderr.write(f"{name} is not current: run make generate\n")
        return 1 if stale else 0
    for name in stale:
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES[name](), "utf-8")
    return 0


def _same(name: str, text: str) -> bool:
    path = ROOT / name
    return path.exists() and path.read_text("utf-8") == text


def _about(rule: Rule) -> str:
    if not rule.about.most:
        return "—"
    count = {(1, 1): "one", (0, 1): "at most one"}.get((rule.about.least, rule.about.most), "any")
    return f"{count} of " + ", ".join(f"`{name}`" for name in sorted(rule.about.kinds))


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "verb": rule.verb,
        "summary": rule.summary,
        "stream": rule.stream,
        "by": sorted(rule.by),
        "of": sorted(rule.of),
        "during": sorted(rule.during),
        "circle": rule.circle,
        "about": {"kinds": sorted(rule.about.kinds), "least": rule.about.least, "most": rule.about.most},
        "files": rule.files,
        "revisable": rule.revisable,
        "translated": rule.translated,
        "genesis": rule.genesis,
        "para": rule.para,
        "clear": _schema(rule.clear),
        "sealed": _schema(rule.sealed) if rule.sealed else None,
    }


def _schema(struct: type[msgspec.Struct]) -> Any:
    return msgspec.json.schema(struct)


if __name__ == "__main__":
    sys.exit(main())
