"""Responds to the calls about hours of operation."""

from __future__ import annotations

from datetime import date, time, timedelta

from router.sandbox.directory import DAYS
from router.sandbox.instance import SandboxHours, Window
from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.refusal import invalid_parameter

LONGEST = timedelta(days=366)


def list_hours_of_operations(call: OperationCall) -> Result:
    page, token = call.page(list(call.state.register.hours.values()), default=100)
    return {
        "HoursOfOperationSummaryList": [
            {
                "Id": hours.id,
                "Arn": hours.arn,
                "Name": hours.name,
                "LastModifiedTime": hours.modified_at,
                "LastModifiedRegion": call.world.identity.region,
            }
            for hours in page
        ],
        "NextToken": token,
    }


def describe_hours_of_operation(call: OperationCall) -> Result:
    hours = _hours(call)
    return {
        "HoursOfOperation": {
            "HoursOfOperationId": hours.id,
            "HoursOfOperationArn": hours.arn,
            "Name": hours.name,
            "Description": hours.description,
            "TimeZone": hours.zone,
            "Config": [
                {"Day": day, "StartTime": _slice(start), "EndTime": _slice(end)}
                for day, windows in hours.week.items()
                for start, end in windows
            ],
            "LastModifiedTime": hours.modified_at,
            "LastModifiedRegion": call.world.identity.region,
        }
    }


def get_effective_hours_of_operations(call: OperationCall) -> Result:
    """Lists each local day with its hours, overrides applied. Both dates are included."""
    hours = _hours(call)
    first, last = _date(call, "FromDate"), _date(call, "ToDate")
    if not first <= last <= first + LONGEST:
        raise invalid_parameter("ToDate must be at most a year after FromDate, and not before it")
    form = call.world.behaviours.closed_date
    days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    closed = {day for day in days if not _windows(hours, day) and _is_overridden(hours, day)}
    return {
        "EffectiveHoursOfOperationList": [
            {
                "Date": day.isoformat(),
                "OperationalHours": [{"Start": _slice(a), "End": _slice(b)} for a, b in _windows(hours, day)],
            }
            for day in days
            if form == "empty_list" or day not in closed
        ],
        "EffectiveOverrideHoursList": [
            row for day in days if form != "left_out" or day not in closed for row in _override_rows(hours, day)
        ],
        "TimeZone": hours.zone,
    }


def _hours(call: OperationCall) -> SandboxHours:
    return call.one(call.state.register.hours, call.params["HoursOfOperationId"], "Hours of operation")


def _date(call: OperationCall, member: str) -> date:
    try:
        return date.fromisoformat(call.params[member])
    except ValueError:
        raise invalid_parameter(f"{member} is no date") from None


def _windows(hours: SandboxHours, day: date) -> tuple[Window, ...]:
    for override in hours.overrides:
        if override.first <= day <= override.last:
            return override.windows
    return hours.week.get(DAYS[day.weekday()], ())


def _is_overridden(hours: SandboxHours, day: date) -> bool:
    return any(override.first <= day <= override.last for override in hours.overrides)


def _override_rows(hours: SandboxHours, day: date) -> list[Result]:
    rows = []
    for override in hours.overrides:
        if override.first <= day <= override.last:
            windows = override.windows or ((time(0, 0), time(0, 0)),)
            status = "OPEN" if override.windows else "CLOSED"
            rows.append(
                {
                    "Date": day.isoformat(),
                    "OverrideHours": [
                        {
                            "Start": _slice(start),
                            "End": _slice(end),
                            "OverrideName": override.name,
                            "OperationalStatus": status,
                        }
                        for start, end in windows
                    ],
                }
            )
    return rows


def _slice(instant: time) -> Result:
    return {"Hours": instant.hour, "Minutes": instant.minute}
