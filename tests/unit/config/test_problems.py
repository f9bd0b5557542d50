"""Problems, and the names that were probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.problems import Problem, Problems, as_written, did_you_mean, nearest, printable


def test_a_problem_is_one_line_that_an_editor_can_follow():
    assert str(Problem("rules/a.toml", 3, 7, "unknown key 'x'")) == "rules/a.toml:3:7: unknown key 'x'"


def test_a_place_without_lines_is_named_alone():
    assert str(Problem("environment:X", 0, 0, "unknown variable")) == "environment:X: unknown variable"


def test_nothing_from_a_file_can_move_the_cursor_or_turn_the_line_round():
    problem = Problem("a\nb.toml", 1, 1, "got \x1b[31m\u202e\x9b\u2028\ud800 and ümlaut")
    assert str(problem) == "a\\nb.toml:1:1: got \\x1b[31m\\u202e\\x9b\\u2028\\ud800 and ümlaut"


@given(st.text())
def test_what_is_printed_is_printable(text):
    assert all(char.isprintable() or char == "\u3000" or char.isspace() for char in printable(text))
    assert not set(printable(text)) & {chr(code) for code in [*range(32), *range(127, 160), 0x2028, 0x2029, 0x202E]}


def test_problems_are_sorted_by_place_and_reported_once():
    late, early, elsewhere = Problem("b", 10, 1, "x"), Problem("b", 9, 2, "y"), Problem("a", 99, 1, "z")
    problems = Problems([late, early, late, elsewhere])
    assert problems.problems == (elsewhere, early, late)
    assert str(problems) == "a:99:1: z\nb:9:2: y\nb:10:1: x"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Biling", "Billing"), ("billing", "Billing"), ("Claim", "Claims"), ("xyz", None), ("", None), ("a" * 9999, None)],
)
def test_the_nearest_name_is_found_case_aside(name, meant):
    assert nearest(name, ["Claims", "Billing"]) == meant


def test_a_suggestion_is_put_after_a_message():
    assert did_you_mean("Biling", ["Billing"]) == " (did you mean 'Billing'?)"
    assert did_you_mean("Biling", []) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (5, "5"), (0.5, "0.5"), ('a"b', '"a\\"b"'), ("x" * 99, '"' + "x" * 57 + '..."'), ({}, "a table"),
     ([1], "a list"), (float("inf"), "inf")],
)  # fmt: skip
def test_a_value_is_shown_as_the_file_has_it(value, text):
    assert as_written(value) == text


def test_a_number_of_thousands_of_digits_is_not_written_out():
    assert as_written(10**5000) == as_written(-(10**5000)) == "a huge number"


def test_a_message_that_quotes_something_endless_keeps_its_ends_and_stays_a_line_that_can_be_read():
    reported = str(Problem("f.toml", 1, 1, f'expected a duration, got "{"9" * 20_000}" (write "15m")'))
    assert len(reported) < 1_000
    assert reported.startswith('f.toml:1:1: expected a duration, got "999')
    assert reported.endswith('9" (write "15m")')
    assert " … " in reported
