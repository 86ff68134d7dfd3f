"""An audit's report as one HTML page: no script, nothing from elsewhere, everything of others escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from exchange.audit.finding import Finding, Severity
from exchange.audit.report import Line, Report
from exchange.audit.text import extent, grounds, moment, place, seen_by, verdict

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .5rem; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; } pre { white-space: pre-wrap; }
code { font-size: .85em; overflow-wrap: anywhere; }
.verdict { border-left: .4rem solid #2d6a2d; padding: .5rem 1rem; background: #f0f6f0; font-weight: 600; }
.verdict.faults { border-color: #a02020; background: #faf0f0; }
article { border-left: .2rem solid #a02020; padding-left: 1rem; margin: 1rem 0; break-inside: avoid; }
article.remark { border-color: #888; } article p { margin: .2rem 0; } .grounds { color: #555; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } section { break-inside: avoid-page; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_COLUMNS = ("Step", "Events", "Readings", "Completed", "Without end", "Faults", "Remarks")


def page(report: Report) -> str:
    """The report as HTML, findings first."""
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Audit of the log, {moment(report.time)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield "<h1>Audit of the log</h1>"
    yield f'<p class="verdict{"" if report.sound else " faults"}">{escape(verdict(report))}</p>'
    faults = [finding for finding in report.findings if finding.severity is Severity.FAULT]
    remarks = [finding for finding in report.findings if finding.severity is Severity.REMARK]
    yield from _section("Faults", (*map(_finding, faults), *_more(report)), "None.")
    yield from _section("What was audited", [_facts(report)])
    yield from _section("Register and reviews", (_stream(line, report) for line in report.streams))
    yield from _section("What was checked", [_checks(report)])
    yield from _section("What was not checked", [_list(report.unchecked)])
    notes = (report.checkpoint, report.contradicting)
    yield from _section("Checkpoints", (f"<pre><code>{escape(note)}</code></pre>" for note in notes if note))
    yield from _section("Remarks", map(_finding, remarks), "None.")
    yield "</main>\n</body>\n</html>"


def _section(title: str, parts: Iterable[str], otherwise: str = "") -> Iterator[str]:
    shown = list(parts)
    yield f"<section>\n<h2>{escape(title)}</h2>"
    yield from shown or [f"<p>{escape(otherwise)}</p>"]
    yield "</section>"


def _finding(finding: Finding) -> str:
    record = f"<p>Record <code>{escape(finding.record)}</code></p>" if finding.record else ""
    return (
        f'<article class="{escape(finding.severity)}"><h3>{escape(finding.what)}</h3>'
        f"<p>{escape(place(finding))}</p>"
        f"<p>Expected {escape(finding.expected)}; got {escape(finding.got)}.</p>"
        f'<p class="grounds">{escape(grounds(finding))}</p>{record}</article>'
    )


def _more(report: Report) -> list[str]:
    return [f"<p>{report.unsaid} more were found that are not listed.</p>"] if report.unsaid else []


def _facts(report: Report) -> str:
    facts = (
        ("Time", escape(moment(report.time))),
        ("Register", f"<code>{escape(report.register)}</code>"),
        ("Log", escape(report.log or "not announced")),
        ("Size", str(report.size)),
        ("Root", f"<code>{escape(report.root)}</code>"),
        ("Checked", escape(extent(report))),
        ("Quorum of witnesses", escape(report.quorum or "none announced")),
        ("Witnessed by", "<br>".join(map(escape, seen_by(report)))),
    )
    rows = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{value}</td></tr>' for name, value in facts)
    return f"<table>{rows}</table>"


def _stream(line: Line, report: Report) -> str:
    """One stream: its counts, and what was found in it."""
    values = (line.events, line.statements, line.completions, line.unfinished, line.faults, line.remarks)
    heads = "".join(f'<th scope="col"{_right(at)}>{escape(name)}</th>' for at, name in enumerate(_COLUMNS))
    cells = "".join(f"<td{_right(at)}>{value}</td>" for at, value in enumerate((escape(line.step or "-"), *values)))
    found = [finding for finding in report.findings if finding.stream == line.stream]
    broken = f"<p>Judged no further after {escape(line.broken)}.</p>" if line.broken else ""
    return (
        f"<h3>{escape(line.name)}</h3><p><code>{escape(line.stream)}</code></p>"
        f"<table><tr>{heads}</tr><tr>{cells}</tr></table>{broken}{_list([f.what for f in found])}"
    )


def _checks(report: Report) -> str:
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("No.", "Check", "Rule", "Found"))
    rows = "".join(
        f'<tr><td class="number">{counted.number}</td><td>{escape(counted.asks)}</td><td>{counted.rule or "-"}</td>'
        f"<td>{_found(counted.faults, counted.remarks)}</td></tr>"
        for counted in report.checks
    )
    return f"<table><tr>{heads}</tr>{rows}</table>"


def _found(faults: int, remarks: int) -> str:
    return f"{faults} faults, {remarks} remarks" if faults or remarks else "nothing"


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


def _right(column: int) -> str:
    return ' class="number"' if column else ""
