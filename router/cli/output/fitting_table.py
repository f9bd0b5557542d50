"""Fits a table to the width of a terminal: it shortens ids, cuts text with ``…``, then drops columns by priority."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

GAP = 2
LEAST = 12
SHORT_ID = 8
"""Characters of a contact id in a narrow table. Every command accepts them in place of the id."""


@dataclass(frozen=True, slots=True)
class Column:
    """Describes a column.

    Its cells are cut to ``least`` characters at the narrowest, and never if that is ``None``. Cells of ``ids`` are
    shown whole or as ``SHORT_ID`` characters. ``drop`` is its turn when columns must be dropped, the highest first; 0:
    it is always shown. A column ``on_screen`` is only shown on a terminal.
    """

    heading: str
    right: bool = False
    least: int | None = LEAST
    drop: int = 0
    ids: bool = False
    on_screen: bool = False


@dataclass(frozen=True, slots=True)
class FittingTable:
    """Holds the cells of a table. Its columns are chosen when it is drawn; no cell is ever wrapped."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[RenderableType]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        natural = [self._natural(index, console, options) for index in range(len(self.columns))]
        shown = [index for index, one in enumerate(self.columns) if console.is_terminal or not one.on_screen]
        widths = fitted([self.columns[index] for index in shown], [natural[index] for index in shown],
                        options.max_width)  # fmt: skip
        headed = any(one.heading for one in self.columns)
        made = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold", show_header=headed)
        kept = [(index, width) for index, width in zip(shown, widths, strict=True) if width is not None]
        for index, width in kept:
            column = self.columns[index]
            heading = _cut(Text(column.heading), width, column)
            made.add_column(heading, justify="right" if column.right else "left", no_wrap=True)
        for row in self.rows:
            made.add_row(*(_cut(row[index], width, self.columns[index]) for index, width in kept))
        yield made

    def _natural(self, index: int, console: Console, options: ConsoleOptions) -> int:
        """Returns the width of the widest cell of a column."""
        cells = [Text(self.columns[index].heading), *(row[index] for row in self.rows)]
        return max(Measurement.get(console, options, cell).maximum for cell in cells)


def _cut(cell: RenderableType, width: int, column: Column) -> RenderableType:
    """Returns the cell in at most so many characters. An id is cut without a mark, because its first characters are an
    id too."""
    if not isinstance(cell, Text) or cell.cell_len <= width:
        return cell
    if column.ids:
        return Text(cell.plain[:width], style=cell.style)
    cut = cell.copy()
    cut.truncate(width, overflow="ellipsis")
    return cut


def fitted(columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int | None]:
    """Returns the width of each column, ``None`` for one that is dropped."""
    widths: list[int | None] = list(natural)
    if _total(widths) <= room:
        return widths
    widths = [min(width, SHORT_ID) if one.ids else width for one, width in zip(columns, natural, strict=True)]
    least = [
        width if one.least is None or one.ids or width is None else min(width, one.least)
        for one, width in zip(columns, widths, strict=True)
    ]
    droppable = sorted((index for index, one in enumerate(columns) if one.drop), key=lambda at: columns[at].drop)
    while _total(least) > room and droppable:
        dropped = droppable.pop()
        least[dropped] = widths[dropped] = None
    while _total(widths) > room:
        spare = {at: width for at, width in enumerate(widths) if width is not None and width > (least[at] or 0)}
        if not spare:
            break
        widest = max(spare, key=lambda at: spare[at])
        widths[widest] = spare[widest] - 1
    return widths


def _total(widths: Sequence[int | None]) -> int:
    """Returns the width of a table; the last column has no gap behind it."""
    kept = [width for width in widths if width is not None]
    return sum(kept) + GAP * max(len(kept) - 1, 0)
