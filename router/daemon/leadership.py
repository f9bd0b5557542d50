"""Lets several routers take turns on one ledger: one works, the others stand by.

Only the router that works spends the account's quotas of Amazon Connect. The others read the ledger.

A turn begins with a router built from scratch on the ledger as it is, like a start. Nothing that was remembered in
standby, or in an earlier turn, is acted on.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

from router import events
from router.daemon.compose import build
from router.daemon.daemon import Daemon
from router.daemon.once import Pass, run_once
from router.daemon.router import Router
from router.daemon.signals import acting_on
from router.daemon.startup import LoadedFiles, report_last_good, serving_metrics
from router.ledger.errors import LedgerUnavailable
from router.news import NewsFilter
from router.ports import Clock
from router.resources import Shared, open_shared
from router.rules.rule import Mode
from router.runtime import open_clock

LOOK_EVERY = 2.0
"""Seconds between two renewals of the lease, or two looks at it: a fifth of the time for which it is trusted."""
RELEASED_WITHIN = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Describes a turn. ``term`` is its number; ``None`` means that another router works, or none."""

    term: int | None
    first: bool

    @property
    def working(self) -> bool:
        return self.term is not None


Ends = Callable[[], object]
Serve = Callable[[Turn, Callable[[Daemon], None]], Daemon]
"""Builds a daemon for the turn, passes it to the function given, which ends it with the turn, and runs it."""


@dataclass(kw_only=True)
class Leadership:
    """Holds or awaits the lease. Only a ``candidate`` takes it; a router that observes in any case never does."""

    shared: Shared
    candidate: bool
    clock: Clock
    _term: int | None = field(default=None, init=False)
    _daemon: Daemon | None = field(default=None, init=False)
    _began: int | None = field(default=None, init=False)
    _before: Daemon | None = field(default=None, init=False)
    _hup: bool = field(default=False, init=False)
    _taken: int = field(default=0, init=False)
    _once: bool = field(default=False, init=False)
    _ends: Ends = field(default=lambda: None, init=False)
    _news: NewsFilter[str] = field(init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _over: threading.Event = field(default_factory=threading.Event, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._news = NewsFilter(self.clock.monotonic)

    def run(self, serve: Serve) -> int:
        """Serves one turn after the other, until a signal ends it. Raises ``LedgerUnavailable`` if the ledger cannot be
        read at the start."""
        stops = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop}
        with acting_on({**stops, signal.SIGHUP: self._on_hup}):
            self.look()
            watch = threading.Thread(target=self._watch, name="lease", daemon=True)
            watch.start()
            try:
                self._serve(serve)
            finally:
                self._over.set()
                self._give_up()
        return 0

    def stop(self) -> None:
        self._stopping.set()
        with self._lock:
            if self._daemon is not None:
                self._daemon.stop()

    def _on_hup(self) -> None:
        """Remembers a reload that was requested between two turns; the next turn makes it."""
        with self._lock:
            self._hup = True

    def look(self) -> None:
        """Renews the lease or tries to take it, reads what another router wrote, and ends a turn that is over.

        Raises ``LedgerUnavailable``; a turn whose lease is no longer trusted ends all the same.
        """
        lease, ledger = self.shared.lease, self.shared.ledger
        try:
            ledger.look()
            if not self.candidate:
                lease.watch()
            if self.candidate and lease.try_to_hold() and not (ledger.holding and lease.taken == self._taken):
                self._take_over()
            ledger.problem = None
        except LedgerUnavailable as problem:
            ledger.problem = str(problem)
            raise
        finally:
            self._set(ledger.term if lease.held and ledger.holding else None)

    def _take_over(self) -> None:
        """Takes the ledger over, or releases the lease for another router if that fails.

        A router that lost the lease and took it again takes over again, because others may have worked meanwhile.
        """
        taken = self.shared.lease.taken
        try:
            self.shared.ledger.take_over()
            self._taken = taken
        except LedgerUnavailable:
            self.shared.lease.release()
            raise

    def _serve(self, serve: Serve) -> None:
        first = True
        while not self._stopping.is_set():
            turn = Turn(term=self._term, first=first)
            daemon = serve(turn, partial(self._begin, turn))
            with self._lock:
                self._daemon, self._before = None, daemon
            if not daemon.handed_over:
                return
            first = False

    def _begin(self, turn: Turn, daemon: Daemon) -> None:
        with self._lock:
            if self._hup or (self._before is not None and self._before.reload_wanted):
                daemon.reload_soon()
            self._hup, self._before = False, None
            self._daemon, self._began = daemon, turn.term
            if self._stopping.is_set():
                daemon.stop()
            elif self._term != turn.term:
                daemon.hand_over()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            try:
                self.look()
            except LedgerUnavailable as problem:
                self._log_failure(problem)
            except Exception:
                events.log_lease_failed()

    def _set(self, term: int | None) -> None:
        with self._lock:
            before, self._term = self._term, term
            if self._daemon is not None and self._began != term:
                self._daemon.hand_over()
            if self._once and before is not None and before != term:  # this one has no next turn
                self._over.set()
                self._ends()
        if before == term:
            return
        if before is not None:
            events.log_lease_lost(term=before, holder=self.shared.lease.holder)
        if term is not None:
            events.log_lease_acquired(term=term, holder=self.shared.lease.holder)

    def _give_up(self) -> None:
        """Releases the lease. It does not wait for a table that does not answer, because the lease expires anyway."""
        releasing = threading.Thread(target=self._release, name="lease", daemon=True)
        releasing.start()
        releasing.join(RELEASED_WITHIN)
        self.shared.ledger.close()

    def _release(self) -> None:
        try:
            self.shared.lease.release(for_good=True)
        except LedgerUnavailable as problem:
            self._log_failure(problem)

    @contextmanager
    def one_pass(self) -> Iterator[Callable[[Ends], None]]:
        """Holds the lease while the block runs, and yields a function that registers what ends the pass if the lease is
        lost.

        Waits for a lease that is not renewed to expire. Raises ``LedgerUnavailable`` if another router works, or if the
        ledger cannot be read.
        """
        lease, begun, self._once = self.shared.lease, None, True
        try:
            while not lease.try_to_hold():
                seen = (lease.version,)
                if begun is not None and seen != begun:
                    raise LedgerUnavailable(f"{self.shared.ledger.name}: {lease.holder} holds the lease")
                begun = seen
                self._over.wait(LOOK_EVERY / 2)
            self.look()
            threading.Thread(target=self._watch, name="lease", daemon=True).start()
            yield self._ended_by
        finally:
            self._over.set()
            self._give_up()

    def _ended_by(self, ends: Ends) -> None:
        with self._lock:
            self._ends = ends
            over = self._over.is_set()
        if over:
            ends()

    def _log_failure(self, problem: LedgerUnavailable) -> None:
        if self._news.is_news("ledger", str(problem)):
            events.log_ledger_failed(problem)


def serve(files: LoadedFiles) -> int:
    """Runs the service until a signal ends it, alone or in turns with other routers; returns the exit status.

    Raises ``MetricsUnusable``, and what ``build`` raises.
    """
    if files.settings.ledger.table is not None:
        return _take_turns(files)
    app = build(files.settings, files.ruleset, mode=files.mode)
    daemon = Daemon.open(app, files)
    with serving_metrics(app):
        return daemon.run()


def _take_turns(files: LoadedFiles) -> int:
    """Serves in turns. The settings and rules in force when a turn ends are in force in the next one."""
    clock = open_clock()
    shared = open_shared(files.settings, clock)
    app: Router | None = None

    def serve_turn(turn: Turn, begun: Callable[[Daemon], None]) -> Daemon:
        nonlocal app
        settings = app.settings if app is not None else files.settings
        ruleset = app.names.ruleset if app is not None else files.ruleset
        app = build(
            settings,
            ruleset,
            mode=files.mode if turn.working else Mode.OBSERVE,
            clock=clock,
            shared=shared,
            standby=files.mode is Mode.ENFORCE and not turn.working,
        )
        daemon = Daemon.open(app, files, first=turn.first)
        begun(daemon)
        with serving_metrics(app):
            daemon.run()
        return daemon

    return Leadership(shared=shared, candidate=files.mode is Mode.ENFORCE, clock=clock).run(serve_turn)


def make_one_pass(files: LoadedFiles) -> Pass:
    """Makes one complete pass, and returns what came of it.

    On a shared ledger a pass that moves contacts needs the lease; one that observes does not.
    """
    if files.settings.ledger.table is None:
        app = build(files.settings, files.ruleset, mode=files.mode, once=True)
        report_last_good(app, files)
        return run_once(app)
    clock = open_clock()
    shared = open_shared(files.settings, clock)
    turns = Leadership(shared=shared, candidate=files.mode is Mode.ENFORCE, clock=clock)
    with ExitStack() as stack:
        ended_by = stack.enter_context(turns.one_pass()) if turns.candidate else None
        stack.enter_context(closing(shared.ledger))
        app = build(files.settings, files.ruleset, mode=files.mode, clock=clock, shared=shared, once=True)
        if ended_by is not None:
            ended_by(app.stop)
        else:
            shared.lease.watch()
            app.share_quotas()
        report_last_good(app, files)
        return run_once(app)
