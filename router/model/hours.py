"""Hours of operation as Connect tells them: a week in a time zone, and dates of which it told the hours one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

TimeSlice = tuple[int, int]
"""Start and end in minutes after midnight, each 0 to 1439. An end that is not after the start is on the next day: from
0 to 0 is a whole day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """``weekly`` is by weekday, Monday is 0, and a day that is missing is closed. ``dated`` has the effective hours of
    single dates, overrides and holidays applied; an empty tuple is a day that stays closed. ``zone`` is an IANA name.
    """

    zone: str
    weekly: Mapping[int, tuple[TimeSlice, ...]]
    dated: Mapping[date, tuple[TimeSlice, ...]]
