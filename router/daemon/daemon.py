"""Runs one router until a signal, or the end of its turn, ends it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from router import events
from router.daemon.control.operator import desk_of
from router.daemon.control.server import ControlServer, SocketUnusable
from router.daemon.last_good_rules import LastGoodRules
from router.daemon.reload import Reloader
from router.daemon.router import Router
from router.daemon.rules_watcher import RulesWatcher
from router.daemon.scheduling import Jobs
from router.daemon.signals import acting_on
from router.daemon.standby_check import Needed, StandbyCheck
from router.daemon.startup import InstanceWait, LoadedFiles, log_started, read_quotas, report_last_good
from router.daemon.systemd import Notifier
from router.ledger.errors import LedgerUnavailable
from router.telemetry.cycle_report import CycleReport, in_a_line
from router.telemetry.health import DEAD_AFTER


class Daemon:
    """Supervises one router. ``run`` blocks until a signal or ``stop`` ends it, and returns the exit status.

    The control socket is open from the first moment, so that ``status`` shows why an instance does not answer.
    ``first`` is ``False`` if the service continues after another turn.
    """

    def __init__(
        self,
        app: Router,
        *,
        notifier: Notifier,
        reload: Callable[[], object],
        control: ControlServer | None = None,
        first: bool = True,
        needed: Needed = lambda ruleset: frozenset(),
    ) -> None:
        self._app = app
        self._first = first
        self._notifier = notifier
        self._reload = reload
        self._control = control
        self._watcher = RulesWatcher(lambda: self._app.settings.rules.path, reload, stopping=app.stopping)
        self._jobs = Jobs(app)
        self._check = StandbyCheck(app=app, needed=needed)
        self._looks = 0
        self._wake = threading.Event()
        self._stopped = self._turn_over = self._reload_wanted = False
        self._completed_at = app.clock.monotonic()

    @classmethod
    def open(cls, app: Router, files: LoadedFiles, *, first: bool = True) -> Daemon:
        """Puts a daemon together that reloads ``files`` and answers on the control socket."""
        if first:
            report_last_good(app, files)
        last_good = LastGoodRules.of(app.settings)
        if not files.errors:
            last_good.keep(app.names.ruleset)
        notifier = Notifier.from_environment(os.environ)
        reloader = Reloader(app, files.load, notifier=notifier, kept=last_good)
        control = ControlServer(app.settings.control_socket, desk_of(app, reloader).handle)
        return cls(app, notifier=notifier, reload=reloader.reload, control=control, first=first, needed=files.needed)

    def run(self) -> int:
        stops = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop}
        with acting_on({**stops, signal.SIGHUP: self.reload_soon}):
            return self._run()

    def _run(self) -> int:
        app = self._app
        app.start_notices()
        log_started(app, again=not self._first)
        self._open_control()
        if InstanceWait(app).until_read(before_each_wait=self._feed_the_watchdog_between_turns):
            if not app.standby:
                read_quotas(app)
            if app.working:
                app.follower.resume()
            app.vital.ready()
            self._start_threads()
            events.log_service_ready(app.names.rules)
            self._completed_at = app.clock.monotonic()
            self._notifier.ready("watching" if app.working else "standing by")
            self._supervise()
        return self._end()

    def stop(self) -> None:
        self._stopped = True
        self._app.stop()
        self._wake.set()

    def hand_over(self) -> None:
        """Ends ``run``, but not the service: the caller builds the next router."""
        self._turn_over = True
        self._app.stop()
        self._wake.set()

    @property
    def handed_over(self) -> bool:
        return self._turn_over and not self._stopped

    @property
    def reload_wanted(self) -> bool:
        """Returns whether a reload is due that this turn has not made: one was requested, or the watched files have
        changed."""
        return self._reload_wanted or (self._app.settings.rules.reload == "watch" and self._watcher.behind)

    def reload_soon(self) -> None:
        self._reload_wanted = True
        self._wake.set()

    def _open_control(self) -> None:
        """Opens the control socket; a service without it moves contacts all the same."""
        if self._control is None:
            return
        try:
            self._control.start()
        except SocketUnusable as problem:
            events.log_control_unusable(problem)
            self._control = None

    def _feed_the_watchdog_between_turns(self) -> None:
        if not self._first:
            self._notifier.watchdog()  # systemd knows since an earlier turn that the service is ready

    def _start_threads(self) -> None:
        if not self._app.standby:
            self._app.start_events()
            self._app.pool.submit(self._app.acting.run, on_finish=self._cycle_finished, on_progress=self._show)
            self._jobs.start()
        if self._app.settings.rules.reload == "watch":
            threading.Thread(target=self._watcher.run, name="watch", daemon=True).start()

    def _show(self, report: CycleReport) -> None:
        self._app.vital.cycled(report)
        self._notifier.status(in_a_line(report))

    def _cycle_finished(self, report: CycleReport) -> None:
        self._completed_at = self._app.clock.monotonic()
        self._show(report)

    def _supervise(self) -> None:
        while not self._app.stopping.is_set():
            every = self._app.settings.poll.every.total_seconds()
            self._wake.wait(min(every, 1.0))
            self._wake.clear()
            if self._reload_wanted:
                self._reload_wanted = False
                self._reload()
            if self._app.standby:
                self._stand_by()
            else:
                self._app.share_quotas()
                self._jobs.keep_time()
            self._feed_the_watchdog(every)
            self._expire_pauses()

    def _stand_by(self) -> None:
        """Counts each new reading of the shared ledger as a cycle, and starts the rare checks."""
        shared = self._app.shared
        if shared is not None and shared.ledger.looks != self._looks:
            self._looks, self._completed_at = shared.ledger.looks, self._app.clock.monotonic()
            self._app.vital.watched()
        self._check.start_if_due()

    def _expire_pauses(self) -> None:
        """Lifts operator pauses whose time is over. A standby router only reads them, because the active one lifts
        them."""
        pauses = self._app.safety.pauses
        try:
            if self._app.working:
                pauses.expire()
            else:
                pauses.reread()
        except LedgerUnavailable as problem:
            self._app.safety.ledger.report(problem)

    def _feed_the_watchdog(self, every: float) -> None:
        """Feeds systemd's watchdog only while cycles end. A cycle that takes longer than 4 polls, because it has many
        pages to read, has ``WatchdogSec`` on top before systemd kills the service."""
        if self._app.clock.monotonic() - self._completed_at <= DEAD_AFTER * every:
            self._notifier.watchdog()

    def _end(self) -> int:
        stopping = not self.handed_over
        if stopping:
            self._report_stopping()
        if self._control is not None:
            self._control.close()
        self._app.stop()
        self._jobs.stop()
        self._app.close()
        if not self.handed_over:
            if not stopping:  # it was stopped while it handed over
                self._report_stopping()
            events.log_service_stopped()
        return 0

    def _report_stopping(self) -> None:
        events.log_service_stopping()
        self._notifier.stopping()
