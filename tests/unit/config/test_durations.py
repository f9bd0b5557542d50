"""Reads durations from text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from router.durations import LONGEST, Duration, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("2d", timedelta(days=2)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("1d4s", timedelta(days=1, seconds=4)),
        ("0s", timedelta()),
        ("007m", timedelta(minutes=7)),
        ("3650d", LONGEST),
    ],
)
def test_a_duration_is_read(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", " ", "15", "m", "15M", " 15m", "15m ", "1h 30m", "1.5h", "-5m", "+5m", "30m1h", "5m5m", "15min", "1w", "1h30",
     "१५m", "15m\n", "1e3s", "1_000s", "P1D", "00:15:00"],
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match='"1h30m"'):
        parse_duration(text)


@pytest.mark.parametrize("text", ["3650d1s", "87601h", "99999999999999999999d", "9" * 5000 + "s"])
def test_a_duration_of_more_than_ten_years_is_refused(text):
    with pytest.raises(ValueError, match="longer than a duration may be"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=1, minutes=30), "1h30m"),
        (timedelta(days=2), "2d"),
        (timedelta(milliseconds=1999), "1s"),
        (timedelta(milliseconds=-500), "0s"),
        (timedelta(minutes=-90), "-1h30m"),
    ],
)
def test_a_duration_is_written_as_short_as_it_can_be(duration, text):
    assert format_duration(duration) == text


@given(st.integers(0, int(LONGEST.total_seconds())))
def test_what_is_written_is_read_as_the_same(seconds):
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


def read(text: str) -> timedelta | str:
    """Returns the duration, or why there is none."""
    try:
        return parse_duration(text)
    except ValueError as refused:
        return str(refused)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    outcome = read(text)
    assert outcome >= timedelta() if isinstance(outcome, timedelta) else "duration" in outcome


@given(st.text(alphabet="0123456789dhms", max_size=12) | st.text(max_size=5))
def test_the_schema_and_the_reader_agree(text):
    schema = TypeAdapter(Duration).json_schema()
    # A JSON Schema's "$" may also match before a last line end; nobody's editor writes one into a TOML text by chance.
    fits = Draft202012Validator(schema).is_valid(text) and not text.endswith("\n")
    outcome = read(text)
    assert fits == (isinstance(outcome, timedelta) or "longer" in outcome)


@pytest.mark.parametrize("value", [15, 1.5, True, None, [], {}, b"15m"])
def test_a_field_takes_text_only(value):
    with pytest.raises(ValidationError, match="expected a duration such as"):
        TypeAdapter(Duration).validate_python(value)


def test_a_field_is_written_back_as_text():
    adapter = TypeAdapter(Duration)
    assert adapter.dump_python(adapter.validate_python("90m"), mode="json") == "1h30m"
    assert adapter.validate_python(timedelta(minutes=5)) == timedelta(minutes=5)
