"""Checks when a clock was stopped for pauses, from what Connect returns about them."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from router.model import Contact, Details
from router.rules.calendar import NEVER, Calendar, Window
from router.rules.pauses import Interrupted, running, stood_still
from tests.builders.contacts import NOW, contact, minutes

BY_DAY = Calendar(ZoneInfo("UTC"), dict.fromkeys(range(7), (Window(8 * 60, 18 * 60),)))


def ago(count: float) -> datetime:
    return NOW - minutes(count)


def paused(
    *, at: float | None = None, until: float | None = None, total: float | None = None, count: int | None = None
):
    """Returns a task initiated two hours ago; times are in minutes ago."""
    details = Details(
        paused_at=None if at is None else ago(at),
        resumed_at=None if until is None else ago(until),
        paused_for=None if total is None else minutes(total),
        pauses=count,
    )
    return contact(waited=120, details=details)


def still(*segments: Contact, start: float = 120, hours: Calendar | None = None) -> list[tuple[float, float]]:
    """Returns the times in minutes ago."""
    found = stood_still(segments, ago(start), NOW, hours)
    return [((NOW - begins) / minutes(1), (NOW - ends) / minutes(1)) for begins, ends in found]


SECOND = 1 / 60


def test_what_was_never_paused_never_stood_still():
    assert still(paused()) == []
    assert running(None, ()) is None
    assert running(BY_DAY, ()) is BY_DAY


def test_a_single_pause_is_known_to_the_instant():
    assert still(paused(at=60, until=40, total=20, count=1)) == [(60, 40)]


def test_a_pause_that_was_over_before_the_clock_started_does_not_matter():
    assert still(paused(at=60, until=40, total=20, count=1), start=40) == []


def test_a_pause_under_way_as_the_clock_started_counts_from_there():
    clock = running(None, stood_still((paused(at=60, until=40, total=20, count=1),), ago(50), NOW, None))
    assert clock is not None
    assert clock.open_time(ago(50), NOW) == minutes(40)


def test_of_the_pauses_before_the_last_the_clock_stands_still_as_early_as_can_be():
    assert still(paused(at=60, until=40, total=50, count=3)) == [(120, 90 - SECOND), (60, 40)]


def test_they_are_taken_to_be_within_the_time_of_the_clock():
    assert still(paused(at=60, until=40, total=50, count=3), start=70) == [(70, 40)]


def test_and_within_open_hours():
    """Uses a task of ten in the evening that was paused at half past eight for 30 minutes, after another such pause."""
    reported = Details(paused_at=ago(210), resumed_at=ago(180), paused_for=minutes(60), pauses=2)
    assert still(contact(now=ago(14 * 60), details=reported), start=14 * 60, hours=BY_DAY) == [(14 * 60, 180)]


def test_where_their_number_is_not_reported_there_may_have_been_one_of_less_than_a_second():
    assert still(paused(at=60, until=40, total=20)) == [(120, 120 - SECOND), (60, 40)]


def test_where_nobody_knows_how_long_they_were_all_of_the_time_before_does_not_count():
    assert still(paused(at=60, until=40, count=2)) == [(120, 40)]
    assert still(paused(at=60, until=40, total=10, count=2)) == [(120, 40)]  # the total is behind the timestamps


def test_a_pause_that_nobody_has_ended_goes_on():
    assert still(paused(at=60, count=1)) == [(60, 0)]
    assert still(paused(at=60, until=90, total=20, count=1)) == [(60, 0)]  # resumed before, and paused again


def test_pauses_of_which_no_time_is_reported_may_have_been_at_any():
    assert still(paused(total=30, count=1)) == [(120, 90 - SECOND)]
    assert still(paused(count=1)) == [(120, 0)]


def test_those_it_came_from_count_until_the_next_began():
    first = contact("c1", waited=300, disconnected_at=ago(120), details=Details(paused_at=ago(130), pauses=1))
    second = paused(at=60, until=40, total=20, count=1)
    assert still(second, first, start=300) == [(130, 120), (60, 40)]
    linked = replace(first, disconnected_at=None)  # still there, and paused: a task that another was made from
    assert still(second, linked, start=300) == [(130, 120), (60, 40)]


def test_nothing_was_paused_after_it_had_ended():
    ended = contact("c1", waited=300, disconnected_at=ago(130), details=Details(paused_at=ago(140), pauses=1))
    assert still(paused(), ended, start=300) == [(140, 130)]


def test_pauses_before_the_last_were_since_the_contact_began():
    first = contact("c1", waited=300, disconnected_at=ago(120), details=Details())
    assert still(paused(at=60, until=40, total=50, count=3), first, start=300) == [(120, 90 - SECOND), (60, 40)]


def test_a_pause_that_ended_at_once_took_nothing():
    assert still(paused(at=60, until=60, total=0, count=1)) == []


def test_pauses_reported_within_one_another_count_once():
    first = contact("c1", waited=300, disconnected_at=ago(120), details=paused(at=160, until=130, count=1).details)
    second = contact("c2", waited=120, details=paused(at=150, until=140, count=1).details)
    assert still(second, first, start=300) == [(160, 130)]


def test_pauses_reported_twice_count_once():
    reported = Details(paused_at=ago(150), resumed_at=ago(140), paused_for=minutes(10), pauses=1)
    first = contact("c1", waited=300, disconnected_at=ago(120), details=reported)
    assert still(contact("c2", waited=120, details=reported), first, start=300) == [(150, 140)]


def test_the_clock_goes_on_after_the_pause():
    clock = Interrupted(None, ((ago(60), ago(40)),))
    assert clock.open_time(ago(120), NOW) == minutes(100)
    assert clock.open_time(ago(120), ago(50)) == minutes(60)
    assert clock.after(ago(120), minutes(59)) == ago(61)
    assert clock.after(ago(120), minutes(61)) == ago(39)


def test_of_a_pause_under_way_as_the_clock_started_only_the_rest_counts():
    assert Interrupted(None, ((ago(60), ago(40)),)).after(ago(50), minutes(10)) == ago(30)
    assert Interrupted(None, ((ago(60), ago(40)),)).after(ago(30), minutes(10)) == ago(20)


def test_what_falls_due_as_a_pause_begins_is_due_as_it_ends():
    assert Interrupted(None, ((ago(60), ago(40)),)).after(ago(120), minutes(60)) == ago(40)


def test_a_pause_in_closed_time_takes_nothing():
    night = Interrupted(BY_DAY, ((ago(12 * 60), ago(6 * 60)),))
    assert night.open_time(ago(24 * 60), NOW) == BY_DAY.open_time(ago(24 * 60), NOW)
    assert night.after(ago(24 * 60), minutes(7 * 60)) == ago(3 * 60)


def test_hours_that_never_open_again_are_never_due():
    never = Calendar(ZoneInfo("UTC"), {})
    assert Interrupted(never, ((ago(60), ago(40)),)).after(ago(120), minutes(1)) == NEVER


def test_it_is_open_as_the_hours_are():
    assert Interrupted(None, ((ago(60), ago(40)),)).is_open(NOW)
    assert Interrupted(None, ((ago(60), ago(40)),)).open_until(NOW) == NEVER
    assert not Interrupted(BY_DAY, ((ago(60), ago(40)),)).is_open(ago(12 * 60))
    assert Interrupted(BY_DAY, ((ago(60), ago(40)),)).open_until(NOW) == ago(-6 * 60)
