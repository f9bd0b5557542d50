"""Formats tables, times and names for people, and escapes all text from outside."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from rich.console import Console, RenderableType
from rich.progress_bar import ProgressBar
from rich.text import Text

from router.cli.output.fitting_table import LEAST, Column, FittingTable
from router.problems import printable

WIDE = 1000
"""Columns of a file or a pipe, wide enough that no line is broken."""

"""The units of a duration that are shown: 1h12m, not 1h12m3s."""


BAR = 8
"""Characters of a bar."""


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leaves a lost reader to ``main``; the library would end the process with status 1."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Returns standard output, or standard error, as a console without markup, because names of queues may contain
    anything."""
    width = None if (sys.stderr if stderr else sys.stdout).isatty() else WIDE
    return _Console(width=width, stderr=stderr, markup=False, highlight=False, emoji=False)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def text(value: object, style: str = "") -> Text:
    """Returns a cell or a line. ``None`` is empty."""
    return Text("" if value is None else printable(str(value)), style=style)


def table(headings: Sequence[str | Column], rows: Iterable[Sequence[RenderableType | object]]) -> FittingTable:
    """Returns a table that fits every width. A heading that is only text is a column that is always shown; ``>`` before
    it aligns the column right. If all headings are empty, none is shown."""
    columns = [one if isinstance(one, Column) else _column(one) for one in headings]
    return FittingTable(columns, [[_cell(value) for value in row] for row in rows])


def _column(heading: str) -> Column:
    figures = heading.startswith(">")
    return Column(heading.removeprefix(">"), right=figures, least=None if figures else LEAST)


def _cell(value: object) -> RenderableType:
    return value if isinstance(value, Text | ProgressBar) else text(value)


HANGING = 4
"""Columns by which the rest of a wrapped line is indented more than the line."""


def print_lines(lines: Iterable[Text], out: Console) -> None:
    """Prints lines. A terminal gets long ones wrapped, with a hanging indent. Other output is one write, because there
    may be thousands."""
    if out.is_terminal:
        for line in lines:
            for part in _wrapped(line, out):
                out.print(part, soft_wrap=True)
        return
    out.file.write("".join(f"{line.plain}\n" for line in lines))


def _wrapped(line: Text, out: Console) -> Iterator[Text]:
    indent = len(line.plain) - len(line.plain.lstrip())
    if line.cell_len <= out.width or out.width < indent + 2 * HANGING:
        yield line
        return
    for number, part in enumerate(line[indent:].wrap(out, out.width - indent - HANGING)):
        part.rstrip()
        yield Text(" " * (indent + (HANGING if number else 0))).append_text(part)


def print_table(made: RenderableType, out: Console) -> None:
    """Prints a table. If the output is no terminal, lines have no blanks at their end."""
    if out.is_terminal:
        out.print(made)
        return
    with out.capture() as captured:
        out.print(made)
    for line in captured.get().splitlines():
        out.print(Text(line.rstrip()), soft_wrap=True)


LITTLE_LEFT = 0.8
"""The share of a promise from which little of it is left."""


def pressure(used: float | None) -> str:
    """Returns the colour for the used share of a promise: legible on light and on dark backgrounds."""
    if used is None:
        return ""
    return "red" if used >= 1 else "yellow" if used >= LITTLE_LEFT else "green"


def percent(used: float | None) -> Text:
    """Returns the used share of a promise, rounded down; therefore only a broken promise has 100 %. ``None`` is
    empty."""
    return text(None if used is None else f"{int(used * 100)}%", pressure(used))


def bar(used: float | None) -> RenderableType:
    """Returns the used share of a promise as a bar. ``None`` is empty."""
    if used is None:
        return text("")
    colour = pressure(used)
    return ProgressBar(
        total=1.0, completed=min(used, 1.0), width=BAR, style="bright_black", complete_style=colour,
        finished_style=colour,
    )  # fmt: skip


def instant(at: datetime | None) -> str:
    """Returns the time in UTC, to the second. ``None`` is empty."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else round(duration.total_seconds(), 3)


def count(number: int, one: str, many: str | None = None) -> str:
    """Returns a number with its noun: ``1 error``, ``2 errors``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
