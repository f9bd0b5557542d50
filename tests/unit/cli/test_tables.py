from datetime import timedelta

import pytest

from router.cli.output.tables import count, table, text
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
