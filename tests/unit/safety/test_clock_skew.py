"""Checks that clock skew is logged when it changes, and that moves stop above five minutes either way."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from router.safety.clock_skew import ClockSkew


def told(*skews):
    guard_of = iter(skews)
    guard = ClockSkew(lambda: next(guard_of))
    with capture_logs() as lines:
        stops = [guard.stops() for _ in skews]
    return stops, [(line["log_level"], line["skew_s"]) for line in lines if line["event"] == "clock.skew"]


def seconds(count):
    return timedelta(seconds=count)


def test_a_clock_that_is_not_compared_yet_stops_nothing():
    assert told(None) == ([False], [])


@pytest.mark.parametrize("skew", [30, -30, 0])
def test_up_to_30_seconds_nothing_is_said(skew):
    assert told(seconds(skew)) == ([False], [])


@pytest.mark.parametrize("skew", [31, -31, 300, -300])
def test_above_30_seconds_it_warns_once_and_goes_on(skew):
    assert told(seconds(skew), seconds(skew)) == ([False, False], [("warning", skew)])


@pytest.mark.parametrize("skew", [301, -301])
def test_above_5_minutes_moving_stops_and_a_person_is_told_once(skew):
    assert told(seconds(skew), seconds(skew)) == ([True, True], [("error", skew)])


def test_that_the_clocks_agree_again_is_told_too():
    assert told(seconds(400), seconds(1)) == ([True, False], [("error", 400), ("warning", 1)])
