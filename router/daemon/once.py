"""Makes one complete pass: acts on everything due, awaits every landing, and ends."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass
from datetime import datetime

from router import events
from router.connect.answers import Failure
from router.daemon.router import Router
from router.daemon.signals import acting_on
from router.daemon.startup import log_started, read_quotas
from router.model import Action, ActionKind, HoldReason, Landing, WaitKey
from router.telemetry.cycle_report import CycleReport

LOOK_EVERY = 0.1
"""Seconds between two looks at what was moved; each contact is read at its own pace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Holds what came of one pass.

    ``unreachable`` is why the instance at ``endpoint`` could not even be read. ``failed`` counts the contacts that were
    to be moved, or to have their place changed, and are not, or are not known to be. ``stopped`` means that a signal
    came before the end.
    """

    report: CycleReport | None = None
    unreachable: Failure | None = None
    endpoint: str = ""
    failed: int = 0
    stopped: bool = False

    @property
    def done(self) -> bool:
        """Returns whether everything that was due has been acted on."""
        report = self.report
        complete = report is not None and report.complete and not report.not_sent and not _unread(report)
        return complete and not self.failed and not self.stopped


def run_once(app: Router) -> Pass:
    """Makes a pass and closes the router. Raises ``LedgerUnavailable`` if the ledger cannot be read; then nothing was
    moved."""
    # SIGTERM and SIGINT end the pass in order; what was sent is settled and followed by the next run.
    with acting_on({signal.SIGTERM: app.stop, signal.SIGINT: app.stop}):
        app.start_notices()
        log_started(app)
        try:
            return _run(app)
        finally:
            events.log_service_stopping()
            app.stop()
            app.close()
            events.log_service_stopped()


def _run(app: Router) -> Pass:
    began_at = app.clock.now()
    failure = app.names.load()
    if failure is not None:
        return Pass(unreachable=failure, endpoint=app.connection.endpoint, stopped=app.stopping.is_set())
    read_quotas(app)
    if app.working:
        app.follower.resume()
        app.follower.look_at_all()
    else:
        app.follower.count_unanswered()
    events.log_service_ready(app.names.rules)
    with _Following(app) as following:
        report = _everything(app)
        following.until_landed()
    return Pass(report=report, failed=_failed(app, since=began_at), stopped=app.stopping.is_set())


def _everything(app: Router) -> CycleReport:
    """Repeats the cycle while it leaves fewer contacts unread, because one snapshot reads only so many values."""
    report = app.cycle.run(until=None)
    unread = _unread(report)
    while unread and not app.stopping.is_set():
        report = app.cycle.run(until=None, again=True)
        if _unread(report) >= unread:
            break
        unread = _unread(report)
    return report


def _unread(report: CycleReport) -> int:
    return report.held.get(HoldReason.UNREADABLE.value, 0)


class _Following:
    """Tracks moved contacts while the cycle runs, because a move needs a slot that only a landing frees."""

    def __init__(self, app: Router) -> None:
        self._app = app
        self._acted, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow")

    def __enter__(self) -> _Following:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def until_landed(self) -> None:
        """Waits until each contact has landed or counts as a stray, or until the router stops."""
        self._acted.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._over.is_set() and not self._app.stopping.is_set():
            try:
                self._app.follower.look()
            except Exception:
                events.log_follow_failed()
            if self._acted.is_set() and not self._app.follower.pending:
                return
            self._over.wait(LOOK_EVERY)


def _failed(app: Router, *, since: datetime) -> int:
    """Counts contacts whose last move, or last change of their place, was refused, not sent, lost or a stray.

    Places that could not be given back do not count, because their contacts have moved.
    """
    last: dict[tuple[WaitKey, ActionKind], Action] = {}
    for action in app.ledger.history(since=since):
        if action.kind in (ActionKind.TRANSFER, ActionKind.ROUTING):
            last[action.wait, action.kind] = action
    return len({wait for (wait, _), action in last.items() if _is_failed(action)})


def _is_failed(action: Action) -> bool:
    return action.open or action.error is not None or action.landing is Landing.STRAY
