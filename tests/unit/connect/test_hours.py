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


def override(day: str, *hours: tuple[str, int, int]) -> dict[str, object]:
    """Builds a row of EffectiveOverrideHoursList; each of ``hours`` is a status with a start and an end."""
    return {
        "Date": day,
        "OverrideHours": [
            {"OverrideName": "Holiday", "OperationalStatus": status, "Start": clock(start), "End": clock(end)}
            for status, start, end in hours
        ],
    }


def listed(day: str, *hours: tuple[int, int]) -> dict[str, object]:
    return {"Date": day, "OperationalHours": [{"Start": clock(start), "End": clock(end)} for start, end in hours]}


DAILY = week(*(on(day, 9, 17) for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")))
CHRISTMAS = UNTIL - timedelta(days=1)
USUAL = (listed("2026-12-24", (9, 17)), listed("2026-12-26", (9, 17)))
NINE_TO_FIVE = ((540, 1020),)


@pytest.mark.parametrize(
    ("effective", "overrides", "dated"),
    [
        pytest.param([], [override("2026-12-25", ("CLOSED", 0, 0))], {CHRISTMAS: ()}, id="only the override"),
        pytest.param(USUAL, [override("2026-12-25", ("CLOSED", 0, 0))], {CHRISTMAS: ()}, id="between other dates"),
        pytest.param([], [override("2026-12-25")], {CHRISTMAS: ()}, id="an override without hours"),
        pytest.param([], [override("2026-12-25", ("OPEN", 10, 12))], {CHRISTMAS: ((600, 720),)}, id="open for less"),
        pytest.param(
            [],
            [override("2026-12-25", ("OPEN", 10, 12)), override("2026-12-25", ("OPEN", 14, 15))],
            {CHRISTMAS: ((600, 720), (840, 900))},
            id="one date in two rows",
        ),
        pytest.param(
            [listed("2026-12-25", (9, 12))],
            [override("2026-12-25", ("CLOSED", 12, 0))],
            {CHRISTMAS: ((540, 720),)},
            id="the effective hours count before the override",
        ),
        pytest.param(USUAL, [], {CHRISTMAS: ()}, id="no list names it"),
    ],
)
def test_a_closed_date_is_closed_in_every_form_in_which_connect_may_return_it(
    canned, connection, effective, overrides, dated
):
    canned.says(DAILY, {"EffectiveHoursOfOperationList": effective, "EffectiveOverrideHoursList": overrides})
    found = connection.instance.opening_hours(HOURS, since=SINCE, until=UNTIL)
    usual = {} if effective != USUAL else dict.fromkeys((SINCE, UNTIL), NINE_TO_FIVE)
    assert isinstance(found, OpeningHours)
    assert found.dated == {**usual, **dated}


def test_dates_between_overrides_have_the_hours_of_their_weekday_if_connect_lists_only_overrides(canned, connection):
    overrides = [override(f"2026-12-{day}", ("OPEN", 9, 17)) for day in (24, 26)]
    canned.says(DAILY, {"EffectiveHoursOfOperationList": USUAL, "EffectiveOverrideHoursList": overrides})
    found = connection.instance.opening_hours(HOURS, since=SINCE, until=UNTIL)
    assert isinstance(found, OpeningHours)
    assert found.dated == dict.fromkeys((SINCE, UNTIL), NINE_TO_FIVE)


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
