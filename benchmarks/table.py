"""The figures of the last run as a Markdown table on standard output: `python -m benchmarks.table`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULT = Path("build/bench.json")


def lines(result: dict[str, Any]) -> Iterator[str]:
    """The table's lines, then the machine it was measured on."""
    yield "| figure | ratio | target | what, over what |"
    yield "| --- | ---: | ---: | --- |"
    for name, one in result["figures"].items():
        bound = f"{'≥' if one['least'] else '≤'} {one['target']:g}"
        shown = f"{one['ratio']:.2f}" + ("" if one["met"] else " (missed)")
        yield f"| `{name}` | {shown} | {bound} | {one['what']}, over {one['over']} |"
    machine = result["machine"]
    yield ""
    yield f"{machine['cores']} cores of {machine['processor']}, {machine['memory_GiB']:g} GiB, Python {machine['python']}."


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines(json.loads(RESULT.read_text()))) + "\n")
