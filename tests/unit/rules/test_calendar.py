"""Open hours, by waits that people can check on a calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from router.durations import SEARCHABLE
from router.model import OpeningHours
from router.rules.calendar import NEVER, Calendar, Window
from router.rules.clock import closed, elapsed, instant

BERLIN = ZoneInfo("Europe/Berlin")
NINE_TO_FIVE = (Window(9 * 60, 17 * 60),)
OFFICE = Calendar(BERLIN, dict.fromkeys(range(5), NINE_TO_FIVE))
HOUR = timedelta(hours=1)


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


def test_a_night_and_a_weekend_do_not_count():
    friday, monday = local("2026-06-12T16:00"), local("2026-06-15T10:00")
    assert elapsed(friday, monday, OFFICE) == 2 * HOUR
    assert instant(friday, 2 * HOUR, OFFICE) == monday


def test_open_from_the_start_up_to_and_not_including_the_end():
    assert not closed(local("2026-06-12T09:00"), OFFICE)
    assert closed(local("2026-06-12T08:59:59"), OFFICE)
    assert not closed(local("2026-06-12T16:59:59"), OFFICE)
    assert closed(local("2026-06-12T17:00"), OFFICE)


def test_what_falls_due_at_the_end_is_due_at_the_next_opening():
    assert instant(local("2026-06-12T16:00"), HOUR, OFFICE) == local("2026-06-15T09:00")


def test_what_falls_due_at_once_while_closed_is_due_at_the_next_opening():
    assert instant(local("2026-06-13T12:00"), timedelta(), OFFICE) == local("2026-06-15T09:00")


def test_a_holiday_is_left_out_and_a_short_day_is_short():
    calendar = Calendar(BERLIN, OFFICE.weekly, {date(2026, 12, 24): (Window(9 * 60, 12 * 60),), date(2026, 12, 25): ()})
    eve, monday = local("2026-12-24T11:00"), local("2026-12-28T10:00")
    assert calendar.open_time(eve, monday) == 2 * HOUR


def test_a_window_over_midnight_goes_on_into_a_holiday():
    night = Calendar(BERLIN, dict.fromkeys(range(7), (Window(22 * 60, 6 * 60),)), {date(2026, 12, 25): ()})
    assert night.is_open(local("2026-12-25T05:59"))
    assert not night.is_open(local("2026-12-25T06:00"))
    assert not night.is_open(local("2026-12-25T23:00"))
    assert not night.is_open(local("2026-12-26T05:00"))
    assert night.is_open(local("2026-12-26T22:00"))


def test_a_window_from_midnight_to_midnight_is_the_whole_day():
    always = Calendar(BERLIN, dict.fromkeys(range(7), (Window(0, 0),)))
    assert always.open_time(local("2026-03-28T00:00"), local("2026-03-30T00:00")) == 47 * HOUR
    assert always.open_time(local("2026-10-24T00:00"), local("2026-10-26T00:00")) == 49 * HOUR


@pytest.mark.parametrize(
    ("window", "opens", "closes"),
    [
        (Window(150, 300), "2026-03-29T01:00Z", "2026-03-29T03:00Z"),  # 02:30 is skipped: opens at the change
        (Window(60, 150), "2026-03-29T00:00Z", "2026-03-29T01:00Z"),  # closes at the change
    ],
)
def test_a_local_time_that_is_skipped_is_the_instant_of_the_change(window, opens, closes):
    assert window.on(date(2026, 3, 29), BERLIN) == (datetime.fromisoformat(opens), datetime.fromisoformat(closes))


def test_a_window_within_the_skipped_hour_is_empty():
    calendar = Calendar(BERLIN, {6: (Window(130, 170),)})
    assert calendar.open_time(local("2026-03-29T00:00"), local("2026-03-30T00:00")) == timedelta()


def test_a_local_time_that_occurs_twice_opens_at_the_first_and_closes_at_the_second():
    window = Window(150, 160)  # 02:30 to 02:40
    opens, closes = window.on(date(2026, 10, 25), BERLIN)
    assert (opens, closes) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 40, tzinfo=UTC))


def test_a_window_that_ends_as_the_repeated_hour_begins_ends_with_its_second_beginning():
    opens, closes = Window(60, 120).on(date(2026, 10, 25), BERLIN)
    assert (opens, closes) == (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC))


def test_windows_that_overlap_count_once():
    calendar = Calendar(BERLIN, {0: (Window(9 * 60, 12 * 60), Window(11 * 60, 13 * 60))})
    assert calendar.open_time(local("2026-06-15T00:00"), local("2026-06-16T00:00")) == 4 * HOUR


def test_hours_that_never_open_are_never_due():
    assert Calendar(BERLIN, {}).after(local("2026-06-12T16:00"), HOUR) == NEVER


def test_the_second_before_the_first_is_no_time():
    assert OFFICE.open_time(local("2026-06-12T12:00"), local("2026-06-12T11:00")) == timedelta()


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (0, 1440), (1440, 0)])
def test_a_window_stays_within_a_day(start, end):
    with pytest.raises(ValueError, match="within a day"):
        Window(start, end)


def test_a_calendar_is_made_of_what_connect_tells():
    reported = OpeningHours(
        zone="Europe/Berlin",
        weekly=dict.fromkeys(range(5), ((9 * 60, 17 * 60),)),
        dated={date(2026, 6, 15): ((12 * 60, 0),), date(2026, 6, 16): ()},
    )
    calendar = Calendar.of(reported)
    assert calendar.open_time(local("2026-06-12T16:00"), local("2026-06-17T10:00")) == 14 * HOUR
    assert calendar.is_open(local("2026-06-15T23:59"))
    assert not calendar.is_open(local("2026-06-16T00:00"))


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "Europe"])
def test_a_time_zone_that_nobody_knows_is_said_to_be_unknown(zone):
    with pytest.raises(ValueError, match="zone"):
        Calendar.of(OpeningHours(zone=zone, weekly={}, dated={}))


def test_without_hours_in_the_week_the_last_date_is_the_end_of_the_search():
    calendar = Calendar(BERLIN, {}, {date(2026, 6, 15): NINE_TO_FIVE})
    assert calendar.after(local("2026-06-12T16:00"), 7 * HOUR) == local("2026-06-15T16:00")
    assert calendar.after(local("2026-06-12T16:00"), 8 * HOUR) == NEVER
    assert calendar.after(local("2026-06-15T18:00"), timedelta()) == NEVER


def test_how_long_it_stays_open():
    assert OFFICE.open_until(local("2026-06-12T09:00")) == local("2026-06-12T17:00")
    assert OFFICE.open_until(local("2026-06-12T17:00")) == local("2026-06-12T17:00")
    always = Calendar(BERLIN, dict.fromkeys(range(7), (Window(0, 0),)))
    assert always.open_until(local("2026-06-12T12:00")) >= local("2026-06-13T12:00")


@pytest.mark.parametrize("windows", [(Window(0, 0),), (Window(0, 720), Window(720, 0)), (Window(540, 1020),)])
@pytest.mark.parametrize("days", [0, 1, 3, 30, 89])
def test_a_due_instant_costs_only_the_days_up_to_it(windows, days):
    """Counts the days that were computed: hours without a closing must not be followed to the horizon."""
    calendar = Calendar(ZoneInfo("Europe/Berlin"), dict.fromkeys(range(7), windows))
    start = datetime(2026, 10, 20, 9, 30, tzinfo=UTC)
    open_for = calendar.open_time(start, start + timedelta(days=days))
    due = calendar.after(start, open_for)
    assert calendar.open_time(start, due) == open_for
    assert len(calendar._days) <= days + 6


def test_hours_that_hardly_ever_open_cost_no_more_days_than_a_contact_can_wait():
    a_minute_a_week = Calendar(BERLIN, {0: (Window(0, 1),)})
    assert a_minute_a_week.after(local("2026-10-20T09:30"), timedelta(hours=720)) == NEVER
    assert len(a_minute_a_week._days) < 800


@pytest.mark.parametrize("amount", [timedelta(days=90), timedelta(days=729), SEARCHABLE])
def test_hours_around_the_clock_reach_every_time_that_a_rule_may_have(amount):
    around_the_clock = Calendar(BERLIN, dict.fromkeys(range(7), (Window(0, 0),)))
    start = local("2026-06-12T16:00").astimezone(UTC)
    assert instant(start, amount, around_the_clock) == start + amount


def test_what_no_rule_may_have_is_not_searched_for():
    around_the_clock = Calendar(BERLIN, dict.fromkeys(range(7), (Window(0, 0),)))
    assert instant(local("2026-06-12T16:00"), SEARCHABLE + timedelta(days=3), around_the_clock) == NEVER


def test_hours_of_a_minute_a_week_cost_no_more_days_than_a_contact_can_wait():
    calendar = Calendar(BERLIN, {0: (Window(0, 1),)})
    assert instant(local("2026-06-12T16:00"), SEARCHABLE, calendar) == NEVER
    assert len(calendar._days) < SEARCHABLE.days + 9
