from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.connect.fields import is_unset, parse_timestamp

AT = datetime(2026, 1, 10, 12, 0, 5, 240_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        AT.timestamp(),
        str(AT.timestamp()),
        "2026-01-10T12:00:05.240Z",
        "2026-01-10T12:00:05.240000+00:00",
        "2026-01-10T14:00:05.24+02:00",
        "2026-01-10T12:00:05.240",
    ],
)
def test_every_way_of_writing_an_instant_is_read_as_utc(value):
    at = parse_timestamp(value)
    assert at == AT
    assert isinstance(at, datetime)
    assert at.tzinfo is UTC


@pytest.mark.parametrize(
    "value", ["soon", "", 1e30, float("nan"), float("inf"), True, None, ["2026"], "2026-13-01T00:00:00Z"]
)
def test_what_is_no_time_is_handed_on_for_its_row_to_be_refused(value):
    assert parse_timestamp(value) is value


@given(st.integers(0, 3_000_000_000_000_000))
def test_any_instant_survives_as_iso_and_as_epoch(microseconds):
    at = datetime(2000, 1, 1, tzinfo=timezone(timedelta(hours=5))) + timedelta(microseconds=microseconds)
    assert parse_timestamp(at.isoformat()) == at
    epoch = parse_timestamp(at.timestamp())
    assert isinstance(epoch, datetime)
    assert abs(epoch - at) < timedelta(milliseconds=1)


def test_the_stand_in_for_no_value_is_no_value():
    unset = parse_timestamp("1970-01-01T00:00:00.001Z")
    assert isinstance(unset, datetime)
    assert is_unset(unset)
    assert not is_unset(AT)
