"""Reads hours of operation as Connect returns them."""

from datetime import date, timedelta

import pytest

from router.connect.answers import Denied, Rejected, Unknown
from router.model import HoursId, OpeningHours

pytestmark = pytest.mark.uses("threads", "sockets")

HOURS = HoursId("h1")
SINCE, UNTIL = date(2026, 12, 24), date(2026, 12, 26)


def clock(hours: int, minutes: int = 0) -> dict[str, int]:
    return {"Hours": hours, "Minutes": minutes}


def week(*config: dict[str, object], zone: str | None = "Europe/Berlin") -> dict[str, object]:
    named = {} if zone is None else {"TimeZone": zone}
    return {"HoursOfOperation": {"HoursOfOperationId": "h1", "Name": "Office", "Config": list(config), **named}}


def on(day: str, start: int, end: int) -> dict[str, object]:
    return {"Day": day, "StartTime": clock(start), "EndTime": clock(end)}


def refused(answer, status: int, code: str):
    return answer(status, b'{"Message": "no"}', {"x-amzn-ErrorType": code})


def test_the_week_and_each_date_are_read_in_two_calls(canned, connection):
    canned.says(
        week(on("MONDAY", 9, 12), on("MONDAY", 13, 17), on("SUNDAY", 22, 0)),
        {
            "EffectiveHoursOfOperationList": [
                {"Date": "2026-12-24", "OperationalHours": [{"Start": clock(9, 30), "End": clock(12)}]},
                {"Date": "2026-12-25", "OperationalHours": []},
                {"Date": "2026-12-26"},
            ]
        },
    )
    assert connection.instance.opening_hours(HOURS, since=SINCE, until=UNTIL) == OpeningHours(
        zone="Europe/Berlin",
        weekly={0: ((540, 720), (780, 1020)), 6: ((1320, 0),)},
        dated={SINCE: ((570, 720),), SINCE + timedelta(days=1): (), UNTIL: ()},
    )
    assert [request.path.partition("?")[2] for request in canned.requests] == [
        "",
        "fromDate=2026-12-24&toDate=2026-12-26",
    ]


@pytest.mark.parametrize("failing", [0, 1])
def test_half_of_it_is_nothing(canned, connection, answer, failing):
    whole = [week(on("MONDAY", 9, 12)), {"EffectiveHoursOfOperationList": []}]
    canned.says(*whole[:failing], refused(answer, 403, "AccessDeniedException"))
    assert isinstance(connection.instance.opening_hours(HOURS, since=SINCE, until=UNTIL), Denied)


def test_hours_that_are_gone_are_a_refusal(canned, connection, answer):
    canned.says(refused(answer, 404, "ResourceNotFoundException"))
    assert isinstance(connection.instance.opening_hours(HOURS, since=SINCE, until=UNTIL), Rejected)


@pytest.mark.parametrize(
    ("first", "second", "reported"),
    [
        (week(zone=None), {}, "TimeZone is missing"),
        (week({**on("MONDAY", 9, 12), "Day": "MOONDAY"}), {}, "Day is no day of the week"),
        (week({"Day": "MONDAY", "StartTime": clock(9)}), {}, "EndTime is no time of day"),
        (week(on("MONDAY", 9, 24)), {}, "EndTime is no time of day"),
        (week(), {"EffectiveHoursOfOperationList": [{"Date": "soon"}]}, "Date is no date"),
    ],
)
def test_an_answer_that_cannot_be_understood_names_the_member(canned, connection, first, second, reported):
    canned.says(first, second)
    found = connection.instance.opening_hours(HOURS, since=SINCE, until=UNTIL)
    assert isinstance(found, Unknown)
    assert found.message == reported
