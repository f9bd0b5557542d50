import io
from datetime import timedelta

import pytest
from rich.console import Console

from router.cli.output import decisions, records
from router.cli.output.tables import count, print_lines, table, text
from router.durations import lateness, span


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (0.4, "0s"), (59, "59s"), (60, "1m"), (61, "1m1s"), (3600, "1h"), (3605, "1h"), (4320, "1h12m"),
     (86_400, "1d"), (90_061, "1d1h"), (-61, "-1m1s"), (-0.4, "0s")],
)  # fmt: skip
def test_a_duration_is_told_in_its_two_largest_units(seconds, shown):
    assert span(timedelta(seconds=seconds)) == shown


def test_late_and_not_yet_late_read_differently():
    assert lateness(timedelta(minutes=72)) == "1h12m late"
    assert lateness(timedelta(minutes=-5)) == "5m left"
    assert lateness(timedelta()) == "0s late"
    assert lateness(None) == ""


def test_one_is_singular():
    assert [count(number, "error") for number in (0, 1, 2)] == ["0 errors", "1 error", "2 errors"]


def test_a_cell_holds_no_control_characters():
    assert text("a\x1b[31m\nb").plain == "a\\x1b[31m\\nb"


def test_a_heading_of_figures_is_aligned_to_the_right():
    made = table(("queue", ">waiting"), [("Billing", 12)])

    assert [(column.heading, column.right) for column in made.columns] == [("queue", False), ("waiting", True)]


@pytest.mark.parametrize(("columns", "cells"), [(decisions.COLUMNS, 12), (records.COLUMNS, 8)])
def test_the_rule_is_shown_on_a_terminal_of_80_columns(columns, cells):
    written = io.StringIO()
    out = Console(file=written, width=80, force_terminal=True, color_system=None)
    headings = [one.heading for one in columns]
    row = ["x" * 36] * cells
    row[headings.index("rule")] = "billing-overflow"
    row[headings.index("contact")] = "6513270e-269e-4d37-b2a7-4de452e6b438"
    for name, value in {"late": "51m34s late", "decision": "transfer", "decided at": "2026-12-01 03:33:57Z"}.items():
        if name in headings:
            row[headings.index(name)] = value

    out.print(table(columns, [row]))
    shown = written.getvalue()

    assert "billing-o" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_line_that_is_too_long_for_a_terminal_hangs_below_its_beginning():
    written = io.StringIO()
    out = Console(file=written, width=30, force_terminal=True, color_system=None)

    print_lines([text("  target 30m: breach at 2026-12-01 01:44:04Z, 2h24m late"), text("short")], out)

    assert written.getvalue() == ("  target 30m: breach at\n      2026-12-01 01:44:04Z,\n      2h24m late\nshort\n")


def test_a_pipe_gets_a_long_line_whole():
    written = io.StringIO()
    out = Console(file=written, width=30)

    print_lines([text("  target 30m: breach at 2026-12-01 01:44:04Z, 2h24m late")], out)

    assert written.getvalue().count("\n") == 1
