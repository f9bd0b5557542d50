"""The running service: APScheduler for time, signals for the operator, an orderly end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from router import events
from router.daemon.compose import Router
from router.daemon.control.server import ControlServer, SocketUnusable
from router.daemon.rules_watcher import RulesWatcher
from router.daemon.scheduling import DaemonThreads, PeriodicTrigger
from router.daemon.signals import acting_on
from router.daemon.systemd import Notifier
from router.ledger.errors import LedgerUnavailable
from router.telemetry.cycle_report import CycleReport, in_a_line
from router.telemetry.health import DEAD_AFTER

FOLLOW_EVERY = timedelta(seconds=1)
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0
GRACE = 1.0
"""Seconds: a cycle that has work to do goes on until the next poll, so ending there is not late."""
LATE_CYCLES = 2
"""Polls without a cycle begun, after which the jobs are scheduled anew."""


class _OnThreads(BasePoolExecutor):  # type: ignore[misc]
    """The scheduler's jobs on threads that do not keep the process alive."""

    def __init__(self, threads: DaemonThreads) -> None:
        super().__init__(threads)


class Daemon:
    """``run`` blocks until a signal (or ``stop``) ends it and answers the exit status. ``control`` is listened on from
    the first moment: whoever waits for an instance that does not answer wants to know why."""

    def __init__(
        self,
        app: Router,
        *,
        notifier: Notifier,
        reload: Callable[[], object],
        control: ControlServer | None = None,
        first: bool = True,
    ) -> None:
        self._app = app
        self._first = first
        self._stopped = self._turn_over = False
        self._notifier = notifier
        self._reload = reload
        self._control = control
        self._watcher = RulesWatcher(lambda: self._app.settings.rules.path, reload, stopping=app.stopping)
        self._wake = threading.Event()
        self._hup = False
        self._cycling = False
        self._every = app.settings.poll.every
        self._last_begun = self._last_completed = app.clock.monotonic()
        self._looked_at = datetime.now(UTC)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": _OnThreads(app.pool)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def run(self) -> int:
        stops = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop}
        with acting_on({**stops, signal.SIGHUP: self.reload_soon}):
            return self._run()

    def _run(self) -> int:
        app = self._app
        app.tell_started(again=not self._first)
        self._open_control()
        if self._connect():
            app.read_quotas()
            if app.working:
                app.follower.resume()
            self._app.vital.ready()
            self._schedule()
            events.log_service_ready(app.names.rules)
            self._last_completed = app.clock.monotonic()
            self._notifier.ready("watching" if app.working else "standing by")
            self._supervise()
        return self._end()

    def stop(self) -> None:
        self._stopped = True
        self._app.stop()
        self._wake.set()

    def hand_over(self) -> None:
        """Ends ``run``, but not the service: somebody builds the next one."""
        self._turn_over = True
        self._app.stop()
        self._wake.set()

    @property
    def handed_over(self) -> bool:
        return self._turn_over and not self._stopped

    @property
    def reload_wanted(self) -> bool:
        """Whether it was asked for, or the watched files have changed, and this turn did not come to it."""
        return self._hup or (self._app.settings.rules.reload == "watch" and self._watcher.behind)

    def reload_soon(self) -> None:
        self._hup = True
        self._wake.set()

    def _open_control(self) -> None:
        """A service that cannot be asked moves contacts all the same."""
        if self._control is None:
            return
        try:
            self._control.start()
        except SocketUnusable as problem:
            events.log_control_unusable(problem)
            self._control = None

    def _connect(self) -> bool:
        """Reads the instance until it answers: in service a wrong region or expired credentials are told and tried
        again, for somebody may mend them. ``False`` where the service was stopped meanwhile."""
        pause = FIRST_RETRY
        while (failure := self._app.names.load()) is not None:
            if not self._first:
                self._notifier.watchdog()  # systemd was told that it is ready, in its turn before
            self._app.tell_unreachable(failure, retry_in=pause)
            if self._app.stopping.wait(pause):
                return False
            pause = min(pause * 2, LONGEST_RETRY)
        return not self._app.stopping.is_set()

    def _schedule(self) -> None:
        for name, (work, every) in self._jobs().items():
            self._scheduler.add_job(work, PeriodicTrigger(every), id=name)
        later = datetime.now(UTC) + self._app.settings.poll.sweep  # the names have just been read
        self._scheduler.modify_job("directory", next_run_time=later)
        self._app.acting.finished, self._app.acting.glimpsed = self._finished, self._glimpsed
        self._acting = self._app.pool.submit(self._app.acting.run)
        self._scheduler.start()
        if self._app.settings.rules.reload == "watch":
            threading.Thread(target=self._watcher.run, name="watch", daemon=True).start()

    def _jobs(self) -> dict[str, tuple[Callable[[], None], timedelta]]:
        poll = self._app.settings.poll
        jobs = {"poll": (self._poll, poll.every), "directory": (self._refresh, poll.sweep)}
        return {**jobs, "follow": (self._follow, FOLLOW_EVERY)} if self._app.working else jobs

    def _poll(self) -> None:
        self._last_begun, self._cycling = self._app.clock.monotonic(), True
        every = self._app.settings.poll.every
        try:
            self._app.acting.poll(until=self._last_begun + every.total_seconds(), every=every)
        except LedgerUnavailable as problem:
            events.log_ledger_failed(problem)
        except Exception:
            events.log_cycle_failed(self._app.cycle.number)
        finally:
            self._cycling = False
            self._catch_up(every.total_seconds())

    def _glimpsed(self, report: CycleReport) -> None:
        self._app.vital.cycled(report)
        self._notifier.status(in_a_line(report))

    def _finished(self, report: CycleReport) -> None:
        self._last_completed = self._app.clock.monotonic()
        self._glimpsed(report)

    def _catch_up(self, every: float) -> None:
        """A cycle that ran into the next poll made the scheduler skip it: the next one begins now, not a poll later."""
        took = self._app.clock.monotonic() - self._last_begun
        if took < every or self._app.stopping.is_set():
            return
        if took > every + GRACE:
            events.log_cycle_late(cycle=self._app.cycle.number, seconds=took, every=every)
        self._scheduler.modify_job("poll", next_run_time=datetime.now(UTC))

    def _follow(self) -> None:
        try:
            self._app.follower.look()
        except LedgerUnavailable as problem:
            events.log_ledger_failed(problem)
        except Exception:
            events.log_follow_failed()

    def _refresh(self) -> None:
        self._app.prune()
        self._app.names.refresh()  # which operation failed is told where it does; the names stay as they were

    def _supervise(self) -> None:
        while not self._app.stopping.is_set():
            every = self._app.settings.poll.every.total_seconds()
            self._wake.wait(min(every, 1.0))
            self._wake.clear()
            if self._hup:
                self._hup = False
                self._reload()
            self._feed_the_watchdog(every)
            self._keep_to_the_poll()
            self._expire_pauses()
            self._keep_time(every)

    def _keep_time(self, every: float) -> None:
        """A step back of the system clock stops APScheduler's jobs for as long as it was set back, and only scheduling
        them again helps; so does a poll that does not begin for whatever other reason."""
        set_back = self._clock_set_back()
        silent = self._app.clock.monotonic() - self._last_begun
        late = not self._cycling and silent > LATE_CYCLES * every
        if late:
            events.log_cycle_late(cycle=self._app.cycle.number, seconds=silent, every=every)
            self._last_begun = self._app.clock.monotonic()
        if late or set_back:
            for name, (_, interval) in self._jobs().items():
                self._scheduler.reschedule_job(name, trigger=PeriodicTrigger(interval))

    def _clock_set_back(self) -> bool:
        before, self._looked_at = self._looked_at, datetime.now(UTC)
        return self._looked_at < before

    def _expire_pauses(self) -> None:
        """A pause that is over holds nothing, whether or not the ledger could be told. Where another router works, it
        is the one that keeps them."""
        try:
            if self._app.working:
                self._app.safety.pauses.expire()
            else:
                self._app.safety.pauses.reread()
        except LedgerUnavailable as problem:
            events.log_ledger_failed(problem)

    def _feed_the_watchdog(self, every: float) -> None:
        """Only while cycles come to an end. One that takes longer than 4 polls, because it has many pages to read, has
        ``WatchdogSec`` on top before systemd takes it to hang."""
        if self._app.clock.monotonic() - self._last_completed <= DEAD_AFTER * every:
            self._notifier.watchdog()

    def _keep_to_the_poll(self) -> None:
        """A reload may have changed how often it polls."""
        every = self._app.settings.poll.every
        if every != self._every:
            self._every = every
            self._scheduler.reschedule_job("poll", trigger=PeriodicTrigger(every))

    def _end(self) -> int:
        stopping = not self.handed_over
        if stopping:
            self._tell_stopping()
        if self._control is not None:
            self._control.close()
        self._app.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._app.close()
        if not self.handed_over:
            if not stopping:  # it was told to end while it handed over
                self._tell_stopping()
            events.log_service_stopped()
        return 0

    def _tell_stopping(self) -> None:
        events.log_service_stopping()
        self._notifier.stopping()
