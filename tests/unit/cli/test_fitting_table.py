"""Tests how a table fits a terminal: ids stay usable, columns are dropped by priority, and no cell is wrapped."""

import io

import pytest
from rich.console import Console

from router.cli.output.fitting_table import Column, fitted
from router.cli.output.tables import bar, percent, table

ID = "93d544be-eeee-4355-af02-14835508e050"
COLUMNS = (Column("contact", ids=True), Column("queue", least=8, drop=1), Column("step", least=None, drop=2), "detail")


def drawn(width, *rows, columns=COLUMNS, terminal=True, **options):
    out = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, **options)
    out.print(table(columns, rows))
    return [line.rstrip() for line in out.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_a_wide_table_shows_everything():
    assert drawn(120, (ID, "Billing", 2, "a detail")) == [
        "contact                               queue    step  detail",
        f"{ID}  Billing  2     a detail",
    ]


def test_an_id_that_does_not_fit_is_its_first_eight_characters():
    assert drawn(50, (ID, "Billing", 2, "a detail"))[1] == "93d544be  Billing  2     a detail"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (41, "93d544be  Billing  2     a detail that i…"),
        (37, "93d544be  Billing  2     a detail th…"),
        (36, "93d544be  Billing  a detail that is…"),
        (28, "93d544be  a detail that is …"),
        (22, "93d544be  a detail th…"),
    ],
)
def test_text_is_cut_with_a_mark_and_then_columns_are_dropped_by_priority(width, line):
    assert drawn(width, (ID, "Billing", 2, "a detail that is long"))[1:] == [line]


def test_even_the_narrowest_terminal_gets_one_line_a_row():
    assert len(drawn(10, (ID, "Billing", 2, "a detail"))) == 2


def test_figures_are_never_cut():
    columns = (Column("n", right=True, least=None), Column("text", least=4))

    assert fitted(columns, (9, 30), 20) == [9, 9]


def test_a_bar_is_only_shown_on_a_terminal():
    columns = (Column("used", right=True), Column("", on_screen=True))

    assert drawn(40, (percent(0.5), bar(0.5)), columns=columns)[1].startswith(" 50%  ━━━━")
    assert drawn(40, (percent(0.5), bar(0.5)), columns=columns, terminal=False)[1] == " 50%"


@pytest.mark.parametrize(
    ("used", "shown", "colour"),
    [(0.5, "50%", "green"), (0.8, "80%", "yellow"), (0.999, "99%", "yellow"), (1.0, "100%", "red")],
)
def test_only_a_broken_promise_has_a_hundred_percent_and_is_red(used, shown, colour):
    assert (percent(used).plain, percent(used).style) == (shown, colour)
    assert percent(None).plain == ""
