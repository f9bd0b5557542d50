"""Hours of operation in the world of an example: open or closed now, whatever the date, and open until now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from router.decide.example_directory import queue_id_of
from router.model import Directory, HoursId, Queue, QueueId
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


def hours_in(example: Example, directory: Directory, now: datetime) -> Mapping[HoursId, Calendar]:
    """Those by name, and each queue's own: as its own table says, else as ``hours.queue`` does, else open."""
    named = {hours.id: example.hours.get(hours.name, "open") for hours in directory.hours}
    for name, given in example.hours.items():
        found = directory.opening_hours(name)
        if found is not None:
            named[found.id] = given
    for queue in directory.queues:
        if queue.hours_id is not None:
            named[queue.hours_id] = _of_queue(queue, example, directory)
    return {hours_id: AlwaysOpen() if given == "open" else ClosedSince(now) for hours_id, given in named.items()}


def _of_queue(queue: Queue, example: Example, directory: Directory) -> Literal["open", "closed"]:
    given: dict[QueueId, bool] = {queue_id_of(name, directory): is_open for name, is_open in example.open.items()}
    if queue.id in given:
        return "open" if given[queue.id] else "closed"
    return example.hours.get(QUEUES_OWN, "open")


def unknown_hours(example: Example, directory: Directory) -> str | None:
    """Hours that the example tells of and no rule asks about: a name that was mistyped proves nothing."""
    names = (name for name in example.hours if name != QUEUES_OWN)
    return next((name for name in names if directory.opening_hours(name) is None), None)
