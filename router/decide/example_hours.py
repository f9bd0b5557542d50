"""Hours of operation in the world of an example: open or closed now, whatever the date, and open until now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.model import Directory, HoursId
from router.rules.clock import Calendar
from router.rules.example import Example
from router.rules.form import QUEUES_OWN
from router.rules.hours import NEVER


class AlwaysOpen:
    """What the contact of an example has waited is open time."""

    def open_time(self, start: datetime, end: datetime) -> timedelta:
        return max(end - start, timedelta())

    def after(self, start: datetime, amount: timedelta) -> datetime:
        return start + amount

    def is_open(self, at: datetime) -> bool:
        return True

    def open_until(self, at: datetime) -> datetime:
        return NEVER


@dataclass(frozen=True, slots=True)
class ClosedSince:
    """Open until an instant and never again: so all that was waited until then is open time too."""

    closed_at: datetime

    def open_time(self, start: datetime, end: datetime) -> timedelta:
        return max(min(end, self.closed_at) - start, timedelta())

    def after(self, start: datetime, amount: timedelta) -> datetime:
        at = start + amount
        return at if at <= self.closed_at else NEVER

    def is_open(self, at: datetime) -> bool:
        return at < self.closed_at

    def open_until(self, at: datetime) -> datetime:
        return max(at, self.closed_at)


def all_open(directory: Directory) -> Mapping[HoursId, Calendar]:
    """Every hours of operation of the instance and the own ones of its queues."""
    own = (queue.hours_id for queue in directory.queues if queue.hours_id is not None)
    return dict.fromkeys((*(hours.id for hours in directory.hours), *own), AlwaysOpen())


def hours_in(
    example: Example, directory: Directory, opened: Mapping[HoursId, Calendar], now: datetime
) -> Mapping[HoursId, Calendar]:
    """``opened``, with what the example says: those by name, and each queue's own, as its own table says, else as
    ``hours.queue`` does."""
    if not (example.hours or example.open):
        return opened
    closed = ClosedSince(now)
    hours = dict(opened)
    if example.hours.get(QUEUES_OWN) == "closed":
        hours.update({queue.hours_id: closed for queue in directory.queues if queue.hours_id is not None})
    for name, given in example.hours.items():
        found = directory.opening_hours(name)
        if found is not None:
            hours[found.id] = AlwaysOpen() if given == "open" else closed
    for name, is_open in example.open.items():
        queue = directory.queue(name)
        if queue is not None and queue.hours_id is not None:
            hours[queue.hours_id] = AlwaysOpen() if is_open else closed
    return hours


def unknown_hours(example: Example, directory: Directory) -> str | None:
    """Hours that the example tells of and no rule asks about: a name that was mistyped proves nothing."""
    names = (name for name in example.hours if name != QUEUES_OWN)
    return next((name for name in names if directory.opening_hours(name) is None), None)
