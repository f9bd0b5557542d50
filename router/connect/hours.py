"""Reads when hours of operation are open: DescribeHoursOfOperation and GetEffectiveHoursOfOperations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

from router.connect.answers import Failure
from router.connect.api import Answered
from router.connect.fields import Row, Unreadable, number, part, required
from router.connect.reads import BRIEF, Reads, readable
from router.model import HoursId, OpeningHours, TimeSlice

T = TypeVar("T")

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def read_hours(reads: Reads, hours_id: HoursId, *, since: date, until: date) -> OpeningHours | Failure:
    """Returns the week, and the effective hours of each date from ``since`` to ``until``, both included.

    The service model does not define an end of 00:00. The administrator guide ("How to specify midnight") writes the
    end of the day so.
    """
    week = _read(reads, "DescribeHoursOfOperation", _week, hours_id)
    if not isinstance(week, OpeningHours):
        return week
    dates = {"FromDate": since.isoformat(), "ToDate": until.isoformat()}
    dated = _read(reads, "GetEffectiveHoursOfOperations", lambda body: _dated(body, week), hours_id, **dates)
    return replace(week, dated=dated) if isinstance(dated, Mapping) else dated


def _read(reads: Reads, operation: str, parse: Callable[[Row], T], hours_id: HoursId, **parameters: str) -> T | Failure:
    answer = reads.get(operation, patience=BRIEF, HoursOfOperationId=hours_id, **parameters)
    found = readable(parse, answer.body, answer.request_id) if isinstance(answer, Answered) else answer
    return reads.record_health(operation, found, about=hours_id)


def _week(body: Row) -> OpeningHours:
    hours = part(body, "HoursOfOperation")
    weekly: dict[int, list[TimeSlice]] = defaultdict(list)
    for row in _rows(hours, "Config"):
        weekly[_weekday(row)].append(_slice(row, "StartTime", "EndTime"))
    by_day = {day: tuple(slices) for day, slices in weekly.items()}
    return OpeningHours(zone=required(hours, "TimeZone"), weekly=by_day, dated={})


def _dated(body: Row, week: OpeningHours) -> Mapping[date, tuple[TimeSlice, ...]]:
    """Returns the hours of each date, also of dates that Connect does not list because an override closes them.

    AWS does not document the form of a closed date. A date that only the overrides name has the hours for which they
    open it. A date that no list names is closed if it is between listed dates, and these include days with the usual
    hours of their weekday. Every other date has the hours of its weekday.
    """
    listed = {
        _date(row): tuple(_slice(one, "Start", "End") for one in _rows(row, "OperationalHours"))
        for row in _rows(body, "EffectiveHoursOfOperationList")
    }
    overridden = _overridden(body)
    usual = (day for day, hours in listed.items() if hours and hours == week.weekly.get(day.weekday()))
    if any(day not in overridden for day in usual):
        first, last = min(listed), max(listed)
        between = (first + timedelta(days=n) for n in range((last - first).days))
        return dict.fromkeys(between, ()) | overridden | listed
    return overridden | listed


def _overridden(body: Row) -> dict[date, tuple[TimeSlice, ...]]:
    """Returns for each date with an override the times for which it is open; none if it is closed."""
    found: dict[date, tuple[TimeSlice, ...]] = {}
    for row in _rows(body, "EffectiveOverrideHoursList"):
        open_hours = (one for one in _rows(row, "OverrideHours") if one.get("OperationalStatus") == "OPEN")
        day = _date(row)
        found[day] = (*found.get(day, ()), *(_slice(one, "Start", "End") for one in open_hours))
    return found


def _rows(row: Row, member: str) -> Iterable[Mapping[str, Any]]:
    rows = row.get(member) or ()
    if not isinstance(rows, list | tuple) or not all(isinstance(one, Mapping) for one in rows):
        raise Unreadable(f"{member} is no list of structures")
    return rows


def _weekday(row: Row) -> int:
    day = required(row, "Day")
    if day not in DAYS:
        raise Unreadable("Day is no day of the week")
    return DAYS.index(day)


def _date(row: Row) -> date:
    try:
        return date.fromisoformat(required(row, "Date"))
    except ValueError:
        raise Unreadable("Date is no date") from None


def _slice(row: Row, start: str, end: str) -> TimeSlice:
    return _minutes(row, start), _minutes(row, end)


def _minutes(row: Row, member: str) -> int:
    """Returns minutes after midnight."""
    time = part(row, member)
    hours, minutes = number(time, "Hours"), number(time, "Minutes")
    if hours is None or minutes is None or not (0 <= hours < 24 and 0 <= minutes < 60):
        raise Unreadable(f"{member} is no time of day")
    return hours * 60 + minutes
