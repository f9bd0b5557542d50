"""What people look at: tables, times, names; text from outside always escaped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from router.problems import printable

WIDE = 1000
"""Columns where nobody's screen bounds them: a line of a file or a pipe is never broken."""

PLACES = 2
"""Units of a duration that people read: 1h12m, not 1h12m3s."""


def console() -> Console:
    """Standard output. Nothing printed is taken for markup: names of queues may hold anything."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(width=width, markup=False, highlight=False, emoji=False)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def text(value: object, style: str = "") -> Text:
    """One cell or line; ``None`` is empty."""
    return Text("" if value is None else printable(str(value)), style=style)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A heading that begins with ``>`` is of a column of figures; with none at all there is no line of headings."""
    headed = any(headings)
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=headed)
    for heading in headings:
        figures = heading.startswith(">")
        made.add_column(heading.removeprefix(">"), justify="right" if figures else "left", overflow="fold")
    for row in rows:
        made.add_row(*(value if isinstance(value, Text) else text(value) for value in row))
    return made


def print_lines(lines: Iterable[Text], out: Console) -> None:
    """Elsewhere than on a terminal as they are, all at once: there may be thousands."""
    if out.is_terminal:
        for line in lines:
            out.print(line, soft_wrap=True)
        return
    out.file.write("".join(f"{line.plain}\n" for line in lines))


def print_table(made: RenderableType, out: Console) -> None:
    """Elsewhere than on a terminal without the blanks that fill up the last column."""
    if out.is_terminal:
        out.print(made)
        return
    with out.capture() as captured:
        out.print(made)
    for line in captured.get().splitlines():
        out.print(Text(line.rstrip()), soft_wrap=True)


def span(duration: timedelta | None) -> str:
    """The two largest units: ``1h12m``; ``-`` before a negative one; empty for ``None``."""
    if duration is None:
        return ""
    left = int(abs(duration).total_seconds())
    counts: list[tuple[str, int]] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or counts:
            counts.append((unit, count))
    shown = "".join(f"{count}{unit}" for unit, count in counts[:PLACES] if count)
    return f"-{shown}" if shown and duration < timedelta() else shown or "0s"


def lateness(late: timedelta | None) -> str:
    if late is None:
        return ""
    return f"{span(late)} late" if late >= timedelta() else f"{span(-late)} left"


def instant(at: datetime | None) -> str:
    """UTC, to the second."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else round(duration.total_seconds(), 3)


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
