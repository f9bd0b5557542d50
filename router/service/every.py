"""When a job of the service runs: once in an interval, however long it could not."""

from __future__ import annotations

from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger


class Every(BaseTrigger):  # type: ignore[misc]
    """At once, then each ``interval``. What was missed is not made up for.

    APScheduler's own ``IntervalTrigger`` goes through all the runs that were missed, one by one: after a step of the
    clock by a year, 31 million of them for a job of each second, in minutes and gigabytes, to run it once.
    """

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        if previous_fire_time is None:
            return now
        following = previous_fire_time + self._interval
        return following if following > now else now + self._interval
