"""Runs the jobs of the service on time: the poll, the look at moved contacts, the reading of the names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from router import events
from router.daemon.router import Router
from router.ledger.errors import LedgerUnavailable
from router.runtime import DaemonThreads

FOLLOW_EVERY = timedelta(seconds=1)
GRACE = 1.0
"""Seconds. A cycle that has work to do continues until the next poll. Ending there is therefore not late."""
LATE_CYCLES = 2
"""Polls without a cycle begun, after which the jobs are scheduled again."""


class PeriodicTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires at once, then every ``interval``. Missed runs are not made up for.

    APScheduler's own ``IntervalTrigger`` visits all the runs that were missed, one by one. After a step of the clock by
    a year these are 31 million for a job of each second, in minutes and gigabytes, to run it once.
    """

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        if previous_fire_time is None:
            return now
        following = previous_fire_time + self._interval
        return following if following > now else now + self._interval


class _OnThreads(BasePoolExecutor):  # type: ignore[misc]
    """Runs the scheduler's jobs on threads that do not hold up the end of the process."""

    def __init__(self, threads: DaemonThreads) -> None:
        super().__init__(threads)


class Jobs:
    """Schedules the jobs of one router, and schedules them again when the clock or a long poll has stopped them."""

    def __init__(self, app: Router) -> None:
        self._app = app
        self._polling = False
        self._every = app.settings.poll.every
        self._polled_at = app.clock.monotonic()
        self._checked_at = datetime.now(UTC)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": _OnThreads(app.pool)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self) -> None:
        for name, (work, every) in self._jobs().items():
            self._scheduler.add_job(work, PeriodicTrigger(every), id=name)
        later = datetime.now(UTC) + self._app.settings.poll.sweep  # the names have just been read
        self._scheduler.modify_job("directory", next_run_time=later)
        self._scheduler.start()

    def stop(self) -> None:
        """Starts no job any more; those that run go on."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def keep_time(self) -> None:
        """Schedules the jobs again if they would not run on time, or if a reload changed how often it polls.

        A step back of the system clock stops APScheduler's jobs for as long as it was set back, and only scheduling
        them again helps. The same holds if a poll does not begin for any other reason.
        """
        every = self._app.settings.poll.every
        if every != self._every:
            self._every = every
            self._scheduler.reschedule_job("poll", trigger=PeriodicTrigger(every))
        set_back = self._clock_set_back()
        silent = self._app.clock.monotonic() - self._polled_at
        late = not self._polling and silent > LATE_CYCLES * every.total_seconds()
        if late:
            self._log_late(silent)
            self._polled_at = self._app.clock.monotonic()
        if late or set_back:
            for name, (_, interval) in self._jobs().items():
                self._scheduler.reschedule_job(name, trigger=PeriodicTrigger(interval))

    def poll(self) -> None:
        """Ends a cycle and begins the next; never raises."""
        self._polled_at, self._polling = self._app.clock.monotonic(), True
        every = self._app.settings.poll.every
        try:
            self._app.acting.poll(until=self._polled_at + every.total_seconds(), every=every)
        except LedgerUnavailable as problem:
            self._app.safety.ledger.report(problem)
        except Exception:
            events.log_cycle_failed(self._app.cycle.number)
        finally:
            self._polling = False
            self._catch_up(every.total_seconds())

    def _jobs(self) -> dict[str, tuple[Callable[[], None], timedelta]]:
        poll = self._app.settings.poll
        jobs = {"poll": (self.poll, poll.every), "directory": (self._refresh, poll.sweep)}
        return {**jobs, "follow": (self._follow, FOLLOW_EVERY)} if self._app.working else jobs

    def _follow(self) -> None:
        try:
            self._app.follower.look()
        except Exception:
            events.log_follow_failed()

    def _refresh(self) -> None:
        self._app.prune()
        self._app.names.refresh()  # an operation that fails is logged where it fails; the names stay as they were

    def _catch_up(self, every: float) -> None:
        """Begins the next poll at once if this one ran into it, because the scheduler has skipped it then."""
        took = self._app.clock.monotonic() - self._polled_at
        if took < every or self._app.stopping.is_set():
            return
        if took > every + GRACE:
            self._log_late(took)
        self._scheduler.modify_job("poll", next_run_time=datetime.now(UTC))

    def _clock_set_back(self) -> bool:
        before, self._checked_at = self._checked_at, datetime.now(UTC)
        return self._checked_at < before

    def _log_late(self, seconds: float) -> None:
        every = self._app.settings.poll.every.total_seconds()
        events.log_cycle_late(cycle=self._app.cycle.number, seconds=seconds, every=every)
