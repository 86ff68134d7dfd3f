"""Tables for people, JSON for programs; nothing shown can steer a terminal."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

_KEPT_CONTROLS = frozenset("\n\t")
_ISOLATE, _POP = "\u2068", "\u2069"


def safe(text: str) -> str:
    """Text of others without terminal controls, each line kept to itself for mixed directions (UAX 9)."""
    shown = "".join(
        char if char in _KEPT_CONTROLS or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co") else "\ufffd"
        for char in text
    )
    return "\n".join(_isolated(line) for line in shown.split("\n"))


def _isolated(line: str) -> str:
    mixed = any(unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in line)
    return f"{_ISOLATE}{line}{_POP}" if mixed else line


class Output:
    """Where a command writes: a terminal, a pipe, or JSON on standard output."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet or as_json
        self.console = Console(
            highlight=False, soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 160
        )
        self.notes = Console(stderr=True, highlight=False, soft_wrap=True)

    def result(self, data: Any, show: Callable[[Console], None]) -> None:
        """The outcome of a command: `data` for programs, `show` for people."""
        if self.as_json:
            json.dump(data, sys.stdout, ensure_ascii=False, default=str)
            sys.stdout.write("\n")
        else:
            show(self.console)

    def say(self, text: str) -> None:
        """A remark for people."""
        if not self.quiet:
            self.notes.print(escape(text))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Callable[[Console], None]:
        """A table to be given to `result`; its cells are taken as plain text."""

        def show(console: Console) -> None:
            table = Table(
                title=escape(title) if title else None, title_justify="left", header_style="bold", expand=False
            )
            for column in columns:
                table.add_column(escape(column), overflow="fold")
            for row in rows:
                table.add_row(*(escape(safe(cell)) for cell in row))
            console.print(table)

        return show

    @contextmanager
    def counted(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar of things that are counted, on a terminal; yields a function of things done and in all."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda _done, _total: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.notes, transient=True) as bar:
            task = bar.add_task(escape(safe(what)), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar on a terminal, nothing elsewhere; yields a function of bytes done and in all."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda _done, _total: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.notes, transient=True) as bar:
            task = bar.add_task(escape(safe(what)), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
