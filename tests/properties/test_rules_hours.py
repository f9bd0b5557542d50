"""Open time against an oracle that counts minutes and knows nothing of folds and gaps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.rules.calendar import NEVER, Calendar, Window
from tests.builders.effort import scaled

MINUTE = timedelta(minutes=1)
SPAN = 6 * 24 * 60
"""Minutes that the oracle looks at: two days before the day in the middle, and more than three from it on."""

DAYS = [  # a day on which something happens, or nothing, and the zone
    ("America/New_York", date(2026, 3, 8)),  # 02:00 becomes 03:00
    ("America/New_York", date(2026, 11, 1)),  # 02:00 becomes 01:00
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # by half an hour
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Beirut", date(2026, 10, 25)),  # midnight becomes 23:00 of the day before
    ("America/Havana", date(2026, 3, 8)),  # midnight becomes 01:00
    ("Pacific/Apia", date(2011, 12, 30)),  # the day does not exist
    ("Europe/London", date(2028, 2, 29)),
    ("UTC", date(2026, 6, 15)),
]


@cache
def clock_face(zone: str, day: date) -> tuple[datetime, tuple[datetime, ...]]:
    """Returns the first instant, and the local time at it and at every minute after."""
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    there = ZoneInfo(zone)
    return first, tuple((first + index * MINUTE).astimezone(there).replace(tzinfo=None) for index in range(SPAN))


def open_minutes(zone: str, day: date, calendar: Calendar) -> list[bool]:
    """Returns the minutes between the first time the clock shows the start and the last time it shows the end.

    If the clock never shows one of them, the first time after it counts.
    """
    _, wall = clock_face(zone, day)
    is_open = [False] * SPAN
    for offset in range(-4, 6):
        on = day + timedelta(days=offset)
        windows = calendar.overrides.get(on, calendar.weekly.get(on.weekday(), ()))
        for window in windows:
            midnight = datetime(on.year, on.month, on.day)  # noqa: DTZ001  # what the wall shows has no zone
            opens = midnight + window.start * MINUTE
            closes = midnight + (window.end + (1440 if window.end <= window.start else 0)) * MINUTE
            first = next((index for index in range(SPAN) if wall[index] >= opens), SPAN)
            skipped = next((index for index in range(SPAN) if wall[index] > closes), SPAN)
            last = next((index for index in reversed(range(SPAN)) if wall[index] == closes), skipped)
            for index in range(first, last):
                is_open[index] = True
    return is_open


minutes = st.integers(0, 1439) | st.sampled_from([0, 30, 60, 90, 119, 120, 121, 150, 180, 23 * 60, 1439])
windows = st.lists(st.builds(Window, minutes, minutes), max_size=2).map(tuple)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[str, date, Calendar]:
    zone, day = draw(st.sampled_from(DAYS))
    weekly = draw(st.dictionaries(st.integers(0, 6), windows, max_size=7))
    dates = st.integers(-2, 3).map(lambda offset: day + timedelta(days=offset))
    overrides = draw(st.dictionaries(dates, windows, max_size=2))
    return zone, day, Calendar(ZoneInfo(zone), weekly, overrides)


inside = st.integers(24 * 60, 4 * 24 * 60)  # a day from both ends of what the oracle sees


@given(calendars(), inside, inside)
@settings(max_examples=scaled(150))
def test_open_time_is_the_number_of_open_minutes(given_calendar, one, other):
    zone, day, calendar = given_calendar
    first, _ = clock_face(zone, day)
    begin, end = sorted((one, other))
    expected = sum(open_minutes(zone, day, calendar)[begin:end])
    assert calendar.open_time(first + begin * MINUTE, first + end * MINUTE) == expected * MINUTE


@given(calendars(), inside)
@settings(max_examples=scaled(150))
def test_it_is_open_in_the_open_minutes(given_calendar, at):
    zone, day, calendar = given_calendar
    first, _ = clock_face(zone, day)
    assert calendar.is_open(first + at * MINUTE) is open_minutes(zone, day, calendar)[at]


@given(calendars(), inside, st.integers(0, 2000))
@settings(max_examples=scaled(150))
def test_what_falls_due_is_due_in_the_first_open_minute_that_follows_so_many(given_calendar, begin, amount):
    zone, day, calendar = given_calendar
    first, _ = clock_face(zone, day)
    is_open = open_minutes(zone, day, calendar)
    seen, expected = 0, None
    for index in range(begin, 5 * 24 * 60):
        if is_open[index]:
            if seen == amount:
                expected = index
                break
            seen += 1
    found = calendar.after(first + begin * MINUTE, amount * MINUTE)
    if expected is None:
        assert found >= first + 5 * 24 * 60 * MINUTE
    else:
        assert found == first + expected * MINUTE


@given(calendars(), inside, st.integers(0, 200_000))
def test_the_clock_shows_the_amount_when_it_is_due(given_calendar, begin, seconds):
    zone, day, calendar = given_calendar
    start = clock_face(zone, day)[0] + begin * MINUTE
    due = calendar.after(start, timedelta(seconds=seconds))
    if due != NEVER:
        assert calendar.open_time(start, due) == timedelta(seconds=seconds)
        assert calendar.is_open(due)


@given(calendars(), st.lists(inside, min_size=3, max_size=3))
def test_open_time_adds_up(given_calendar, instants):
    zone, day, calendar = given_calendar
    first, _ = clock_face(zone, day)
    one, two, three = (first + index * MINUTE for index in sorted(instants))
    assert calendar.open_time(one, three) == calendar.open_time(one, two) + calendar.open_time(two, three)


@pytest.mark.parametrize(("zone", "day"), DAYS)
def test_the_days_are_what_they_are_said_to_be(zone, day):
    _, wall = clock_face(zone, day)
    jumps = [after - before for before, after in pairwise(wall) if after - before != MINUTE]
    assert len(jumps) == (0 if zone in ("UTC", "Europe/London") else 1)
