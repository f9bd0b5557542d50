"""Computes open time from hours of operation: weekly windows in a time zone, and dates with windows of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from router.durations import SEARCHABLE
from router.model import OpeningHours, TimeSlice

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When something falls due that open hours will not see within ``HORIZON``."""

HORIZON = SEARCHABLE + timedelta(days=1)
"""How far ahead due instants are looked for. Hours that open for a minute a week would otherwise cost thousands of days
for each contact. No contact is found that has waited longer, and no time in a rule is longer."""
DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60
Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Holds one open time in minutes after midnight, 0 to 1439. It includes the start and not the end.

    An end that is not after the start is on the next day; a window from 0 to 0 is a whole day.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not (0 <= self.start < MINUTES_A_DAY and 0 <= self.end < MINUTES_A_DAY):
            raise ValueError("a window starts and ends within a day: minutes 0 to 1439")

    def on(self, day: date, zone: ZoneInfo) -> Interval:
        midnight = datetime.combine(day, datetime.min.time())
        end = self.end if self.end > self.start else self.end + MINUTES_A_DAY
        opens = _instant(midnight + timedelta(minutes=self.start), zone, closing=False)
        return opens, _instant(midnight + timedelta(minutes=end), zone, closing=True)


@dataclass(frozen=True)
class Calendar:
    """Holds open times: ``weekly`` by weekday (Monday is 0), ``overrides`` by date (an empty tuple is a closed day).

    An override replaces the windows that begin on its date; a window of the evening before continues past midnight. If
    daylight-saving time skips a local time, it is the instant of the change. If it repeats one, hours open at the first
    and close at the second.
    """

    zone: ZoneInfo
    weekly: Mapping[int, tuple[Window, ...]]
    overrides: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)
    _days: dict[date, tuple[Interval, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, hours: OpeningHours) -> Calendar:
        """Raises ValueError where this machine's data know no such time zone."""
        try:
            zone = ZoneInfo(hours.zone)
        except (ZoneInfoNotFoundError, OSError, ValueError) as error:
            raise ValueError(f"the time zone {hours.zone!r} is not known") from error
        weekly = {day: _windows(slices) for day, slices in hours.weekly.items()}
        return cls(zone, weekly, {day: _windows(slices) for day, slices in hours.dated.items()})

    def open_time(self, start: datetime, end: datetime) -> timedelta:
        """Returns how long it is open between two instants; zero if the second is not after the first."""
        start, end = _utc(start), _utc(end)
        total = timedelta()
        for opens, closes in self._open(start, end):
            total += max(min(closes, end) - max(opens, start), timedelta())
        return total

    def is_open(self, at: datetime) -> bool:
        at = _utc(at)
        return any(opens <= at < closes for opens, closes in self._open(at, at))

    def open_until(self, at: datetime) -> datetime:
        """Returns up to when it stays open from then on, at most a day ahead; the instant itself if it is closed."""
        at = _utc(at)
        return next((closes for opens, closes in self._open(at, at) if opens <= at < closes), at)

    def after(self, start: datetime, amount: timedelta) -> datetime:
        """Returns the first open instant by which it has been open for that long.

        A step that falls due when a window ends is therefore due at the next opening. ``NEVER`` means that hours do not
        open for so long.
        """
        start, left = _utc(start), amount
        reached = start
        for opens, closes in self._windows_of_days(start, self._horizon(start)):
            begins = max(opens, reached)
            if closes <= begins:
                continue
            if left < closes - begins:
                return begins + left
            left -= closes - begins
            reached = closes
        return NEVER

    def _horizon(self, start: datetime) -> datetime:
        """Returns how far to look. If no weekday has hours, nothing opens after the last of the dates."""
        if any(self.weekly.values()):
            return start + HORIZON
        last = max(self.overrides, default=None)
        return start if last is None else max(start, datetime.combine(last, datetime.min.time(), UTC) + 2 * DAY)

    def _open(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """Returns the open intervals that could touch the time between two instants, merged, in order."""
        current: Interval | None = None
        for opens, closes in self._windows_of_days(start, end):
            if current is not None and opens <= current[1]:
                current = current[0], max(current[1], closes)
                continue
            if current is not None:
                yield current
            current = opens, closes
        if current is not None:
            yield current

    def _windows_of_days(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """Yields the open intervals of each date that could touch the time between two instants, in order.

        They may overlap. Clocks that are set back over midnight show a date again, and windows last for up to a day.
        The dates around the time therefore count too. Nothing is computed for days that the caller does not reach.
        """
        day = start.astimezone(self.zone).date() - 2 * DAY
        last = end.astimezone(self.zone).date() + DAY
        while day <= last:
            yield from self._on(day)
            day += DAY

    def _on(self, day: date) -> tuple[Interval, ...]:
        known = self._days.get(day)
        if known is None:
            windows = self.overrides.get(day, self.weekly.get(day.weekday(), ()))
            found = sorted(window.on(day, self.zone) for window in windows)
            known = self._days[day] = tuple((opens, closes) for opens, closes in found if opens < closes)
        return known


def _windows(slices: tuple[TimeSlice, ...]) -> tuple[Window, ...]:
    return tuple(Window(start, end) for start, end in slices)


def _utc(at: datetime) -> datetime:
    """Returns the time in UTC, because Python compares two times of one zone by the wall clock, an hour off across a
    change."""
    return at.astimezone(UTC)


def _instant(local: datetime, zone: ZoneInfo, *, closing: bool) -> datetime:
    """Returns the instant of a local time; of a time that occurs twice the second if ``closing``."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first > second:  # the local time is skipped (PEP 495)
        return _change(second, first, zone)
    return second if closing else first


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Returns the instant at which the zone's offset changes: later than ``before``, not later than ``after``."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        same = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return before + timedelta(seconds=high)
