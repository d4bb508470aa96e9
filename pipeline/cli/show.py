"""How results reach a person or a program: results to stdout, all else to stderr."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pipeline.progress import Progress as ProgressProtocol
from pipeline.progress import Silent

WIDTH_IN_FILES = 200
"""Columns of a table that goes into a file or a pipe: a path should stand on one line."""

_width = None if sys.stdout.isatty() else WIDTH_IN_FILES
stdout = Console(highlight=False, soft_wrap=True, width=_width)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def write_json(document: object) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def write_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table on stdout."""
    table = Table(title=Text(title), title_justify="left")
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    stdout.print(table)


def write_line(text: str) -> None:
    """Print a line on stdout."""
    stdout.print(text, markup=False, emoji=False)


def write_note(text: str) -> None:
    """Print a line on stderr."""
    stderr.print(text, markup=False, emoji=False)


class _Bars:
    """Progress as bars on stderr."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, what: str, total: int) -> None:
        self._task = self._bars.add_task(what, total=total, doing="")

    def step(self, what: str) -> None:
        if self._task is not None:
            self._bars.update(self._task, advance=1, doing=what)

    def note(self, what: str) -> None:
        self._bars.console.print(what, markup=False, emoji=False)


@contextmanager
def progress_bars(*, quiet: bool, in_logs: bool = False) -> Iterator[ProgressProtocol]:
    """Show progress on stderr for the length of a block.

    Args:
        quiet: show nothing.
        in_logs: show how each round ended even where nobody watches a terminal.
    """
    if quiet or not (stderr.is_terminal or in_logs):
        yield Silent()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[doing]}", style="dim", markup=False),
    )
    with Progress(*columns, console=stderr) as bars:
        yield _Bars(bars)
