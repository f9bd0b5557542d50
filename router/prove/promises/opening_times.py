"""States as formulas when hours of operation are open whose times of day a promise gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import z3

from router.prove.promises.logic import Formula, Time, all_of, any_of, micros
from router.prove.promises.verdict import Unsure
from router.rules.calendar import Calendar

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The instant from which absolute times of the formulas count."""
DAY = micros(timedelta(days=1))
MINUTE = micros(timedelta(minutes=1))
LONGEST = 31 * DAY
MONDAY = EPOCH.weekday() * DAY
"""How long before ``EPOCH`` its week began."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Holds the open times of a week, or of a day if all days are alike, as microseconds from its begin in UTC."""

    period: int
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, calendar: Calendar) -> Opening:
        days = [calendar.weekly.get(day, ()) for day in range(7)]
        alike = len(set(days)) == 1
        found = [
            (day * DAY + one.start * MINUTE, ((one.end - one.start - 1) % (24 * 60) + 1) * MINUTE)
            for day, windows in enumerate(days[:1] if alike else days)
            for one in windows
        ]
        period = DAY if alike else 7 * DAY
        ends = [(start, start + length) for start, length in found]
        inside = [(start, min(end, period)) for start, end in ends]
        return cls(period, _merged([*inside, *((0, end - period) for _, end in ends if end > period)]))

    @property
    def open_time(self) -> int:
        return sum(end - start for start, end in self.spans)

    def repeated(self, times: int) -> Opening:
        """Returns the same open times of so many periods in a row."""
        shifts = [number * self.period for number in range(times)]
        spans = [(start + shift, end + shift) for shift in shifts for start, end in self.spans]
        return Opening(times * self.period, _merged(spans))

    def is_open(self, at: Time) -> Formula:
        return any_of(all_of((at >= start, at < end)) for start, end in self.spans)

    def open_before(self, at: Time) -> Time:
        """Returns how long it has been open before the instant."""
        found, total = z3.IntVal(self.open_time), self.open_time
        for start, end in reversed(self.spans):
            total -= end - start
            found = z3.If(at < start, total, z3.If(at < end, total + at - start, found))
        return found

    def after(self, amount: Time) -> Time:
        """Returns the open instant before which it has been open for so long, or the period's end without one."""
        found, total = z3.IntVal(self.period), self.open_time
        for start, end in reversed(self.spans):
            total -= end - start
            found = z3.If(z3.And(amount >= total, amount < total + end - start), start + amount - total, found)
        return found


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return tuple(found)


def changes_of(calendar: Calendar, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yields the instants between two others at which hours open or close."""
    at = begin
    while at < end:
        opens = calendar.after(at, timedelta())
        at = calendar.open_until(opens)
        yield from (one for one in (opens, at) if one <= end)


@dataclass(eq=False)
class OpeningTimes:
    """States whether the given hours are open, and for how long, at instants of a scene.

    Times count from the begin of the wait, which is at ``began`` after ``EPOCH``. ``limit`` is up to when they matter.
    Each period in which a wait begins has the instants up to the limit in a row; instants before it, and all of them
    without a limit, are found by division.
    """

    given: Mapping[str, Calendar]
    solver: z3.Solver
    began: Time
    limit: int | None
    _openings: dict[str, Opening] = field(default_factory=dict)
    _wholes: dict[Opening, Opening] = field(default_factory=dict)
    _phases: dict[tuple[int, str], tuple[Time, Time]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._openings = {name: Opening.of(calendar) for name, calendar in self.given.items()}
        if self.limit is None:
            return
        if self.given and self.limit > LONGEST:
            raise Unsure("a promise with the times of day of hours is proved for up to 31 days")
        self._wholes = {one: one.repeated(self.limit // one.period + 2) for one in self._openings.values()}

    def __contains__(self, hours: str | None) -> bool:
        return hours in self._openings

    def is_open(self, hours: str, at: Time) -> Formula:
        opening = self._openings[hours]
        if self.limit is not None:
            return self._wholes[opening].is_open(self._begin(opening.period) + at)
        return opening.is_open(self._phase(opening.period, at)[1])

    def open_time(self, hours: str, begin: Time, end: Time, *, earlier: bool) -> Time:
        """Returns how long it is open between two instants; ``earlier`` if the first may be before the wait."""
        opening = self._openings[hours]
        return self._open_before(opening, end) - self._open_before(opening, begin, earlier=earlier)

    def due(self, hours: str, begin: Time, amount: int, *, earlier: bool) -> Time:
        """Returns the open instant at which it has been open for so long, or an instant after the limit."""
        opening = self._openings[hours]
        before = self._open_before(opening, begin, earlier=earlier)
        return self._wholes[opening].after(before + amount) - self._begin(opening.period)

    def changes(self) -> Iterator[Time]:
        """Yields the instants up to the limit at which hours open or close."""
        for opening, whole in self._wholes.items():
            edges = {edge for span in whole.spans for edge in span}
            yield from (edge - self._begin(opening.period) for edge in sorted(edges))

    def _open_before(self, opening: Opening, at: Time, *, earlier: bool = False) -> Time:
        """Returns the open time from the begin of the period in which the wait begins."""
        if self.limit is not None and not earlier:
            return self._wholes[opening].open_before(self._begin(opening.period) + at)
        turns, rest = self._phase(opening.period, at)
        return turns * opening.open_time + opening.open_before(rest)

    def _begin(self, period: int) -> Time:
        """Returns how long the period has lasted when the wait begins."""
        if (period, "") not in self._phases:
            turns, rest = self._phases[period, ""] = z3.FreshInt("turns"), z3.FreshInt("rest")
            self.solver.add(rest >= 0, rest < period, self.began + MONDAY == period * turns + rest)
        return self._phases[period, ""][1]

    def _phase(self, period: int, at: Time) -> tuple[Time, Time]:
        """Returns how many periods an instant is after the one in which the wait begins, and the time in its own."""
        key = period, str(at)
        if key not in self._phases:
            turns, rest = self._phases[key] = z3.FreshInt("turns"), z3.FreshInt("rest")
            self.solver.add(rest >= 0, rest < period, self._begin(period) + at == period * turns + rest)
        return self._phases[key]
