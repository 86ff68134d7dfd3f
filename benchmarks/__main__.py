"""`python -m benchmarks`: measure everything, print a table, write build/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.accept import accept, growth
from benchmarks.audit import audits
from benchmarks.figure import Figure
from benchmarks.files import documents
from benchmarks.log import log
from benchmarks.review import reviews
from exchange import collector

RESULT = Path("build/bench.json")
README = Path("README.md")
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
PARTS = ["accept", "reviews", "documents", "log", "audits", "growth"]
LIBRARIES = ("aiohttp", "cryptography", "eventsourcing", "msgpack", "msgspec", "pynacl")


def main() -> int:
    """Measure; returns 0 even where a target is missed, for a figure is a figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--million", action="store_true", help="also fill a database with a million events")
    parser.add_argument("--only", nargs="*", choices=PARTS, help="some of them")
    parser.add_argument("--readme", action="store_true", help="put the table of the last run into README.md")
    given = parser.parse_args()
    if given.readme:
        _write_readme(json.loads(RESULT.read_text()))
        return 0
    collector.relax()
    figures = list(_measure(given.only, million=given.million))
    result = {"machine": _machine(), "figures": {figure.name: _plain(figure) for figure in figures}}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    _show(figures)
    return 0


def _measure(only: list[str] | None, *, million: bool) -> Iterator[Figure]:
    parts: dict[str, Callable[[Path], Iterator[Figure]]] = {
        "accept": accept,
        "reviews": reviews,
        "documents": documents,
        "log": log,
        "audits": lambda root: audits(root, million=million),
        "growth": lambda root: growth(root, million=million),
    }
    console = Console(stderr=True)
    for name, part in parts.items():
        if only and name not in only:
            continue
        root, began = Path(tempfile.mkdtemp(prefix="bench-", dir=_scratch())), time.monotonic()
        try:
            with console.status(f"measuring: {name}"):
                yield from part(root)
        finally:
            shutil.rmtree(root, ignore_errors=True)
        console.print(f"{name}: {time.monotonic() - began:.0f} s")


def _scratch() -> Path:
    """On the disk of the project: temporary directories are often memory."""
    path = RESULT.parent / "scratch"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _plain(figure: Figure) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(figure)
    return {**plain, "ratio": round(figure.ratio, 3), "met": figure.met}


def _machine() -> dict[str, Any]:
    age = (
        subprocess.run(["age", "--version"], capture_output=True, text=True, check=False).stdout
        if shutil.which("age")
        else ""
    )
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_GiB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES} | {"age": age.strip() or "absent"},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _show(figures: list[Figure]) -> None:
    table = Table(title="What was measured", title_justify="left")
    for column in ("figure", "ratio", "target", "", "what", "over"):
        table.add_column(column)
    for figure in figures:
        bound = f"{'≥' if figure.least else '≤'} {figure.target:g}"
        table.add_row(
            figure.name, f"{figure.ratio:.2f}", bound, "met" if figure.met else "MISSED", figure.what, figure.over
        )
    Console(width=None if sys.stdout.isatty() else 170).print(table)


def _write_readme(result: dict[str, Any]) -> None:
    """The table between the marks of the README is replaced by the last run's."""
    rows = ["| figure | ratio | target | what, over what |", "| --- | ---: | ---: | --- |"]
    for name, one in result["figures"].items():
        bound = f"{'≥' if one['least'] else '≤'} {one['target']:g}"
        shown = f"{one['ratio']:.2f}" + ("" if one["met"] else " (missed)")
        rows.append(f"| `{name}` | {shown} | {bound} | {one['what']}, over {one['over']} |")
    machine = result["machine"]
    line = f"Measured on {machine['cores']} cores of {machine['processor']}, {machine['memory_GiB']:g} GiB, Python {machine['python']}."
    text = README.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    README.write_text(f"{head}{BEGIN}\n" + "\n".join(rows) + f"\n\n{line}\n{END}{tail}")


if __name__ == "__main__":
    sys.exit(main())
