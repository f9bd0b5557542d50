"""Computes pauses: times at which a rule's clock is stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.model import Contact, Details
from router.rules.calendar import NEVER, Interval
from router.rules.clock import OpenTimes, elapsed, instant

ROUNDED = timedelta(seconds=1)
"""TotalPauseDurationInSeconds is in whole seconds, and its timestamps are not (botocore service model)."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Holds open hours (``None``: always open) without the pauses, which are in order, apart, and in the past."""

    hours: OpenTimes | None
    pauses: tuple[Interval, ...]

    def open_time(self, start: datetime, end: datetime) -> timedelta:
        return elapsed(start, end, self.hours) - sum(
            (elapsed(max(begins, start), min(ends, end), self.hours) for begins, ends in self.pauses), timedelta()
        )

    def after(self, start: datetime, amount: timedelta) -> datetime:
        """Returns the instant; a step that falls due when a pause begins is due when it ends."""
        due = instant(start, amount, self.hours)
        for begins, ends in self.pauses:
            if begins <= due < NEVER:
                amount += elapsed(max(begins, start), ends, self.hours)
                due = instant(start, amount, self.hours)
        return due

    def is_open(self, at: datetime) -> bool:
        return self.hours is None or self.hours.is_open(at)

    def open_until(self, at: datetime) -> datetime:
        return NEVER if self.hours is None else self.hours.open_until(at)


def running(hours: OpenTimes | None, pauses: tuple[Interval, ...]) -> OpenTimes | None:
    return Interrupted(hours, pauses) if pauses else hours


def stood_still(
    segments: Iterable[Contact], start: datetime, now: datetime, hours: OpenTimes | None
) -> tuple[Interval, ...]:
    """Returns when a clock that started then was stopped, for the pauses of the contact and of those it came from.

    The contacts are given newest first, each with its details. Connect has the last pause of each to the instant, and
    of those before only their sum. They are taken to be within the clock's time and open hours, as early as possible: a
    step may be late, never early.
    """
    found: list[Interval] = []
    until = now
    for segment in segments:
        found.extend(_pauses(segment, start, until, hours))
        until = min(segment.initiated_at or until, until)
    return tuple(_merged(pause for pause in found if pause[1] > start))


def _pauses(segment: Contact, start: datetime, until: datetime, hours: OpenTimes | None) -> Iterator[Interval]:
    """Returns the pauses of one segment, none after its successor began."""
    details = segment.details
    if details is None or not details.has_paused:
        return
    until = min(segment.disconnected_at or until, until)
    begins = min(details.paused_at or until, until)
    resumed = details.resumed_at
    ends = min(resumed, until) if resumed is not None and resumed >= begins else until
    if details.paused_at is not None and begins < ends:
        yield begins, ends
    since = max(start, segment.initiated_at or start)
    total = _before_the_last(details, ends - begins)
    if since < begins and total != timedelta():
        yield since, begins if total is None else min(instant(since, total, hours), begins)


def _before_the_last(details: Details, last: timedelta) -> timedelta | None:
    """Returns how long the pauses before the last were, at most; ``None`` means that some have an unknown length."""
    if details.pauses == 1 and details.paused_at is not None:
        return timedelta()
    if details.paused_for is None:
        return None
    rest = details.paused_for + ROUNDED - last
    return rest if rest > timedelta() else None


def _merged(pauses: Iterable[Interval]) -> Iterator[Interval]:
    current: Interval | None = None
    for begins, ends in sorted(pauses):
        if current is not None and begins <= current[1]:
            current = current[0], max(current[1], ends)
            continue
        if current is not None:
            yield current
        current = begins, ends
    if current is not None:
        yield current
