"""Holds one running router: its parts, how it stops, and what a change of rules or settings does to it."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from router import events
from router.connect.connection import Connection
from router.daemon.act_loop import ActLoop
from router.daemon.bound_rules import BoundRules
from router.daemon.cycle import Cycle
from router.execute.executor import Executor
from router.followup.tracker import Tracker
from router.ledger.errors import LedgerUnavailable
from router.ledger.sqlite import SqliteLedger
from router.ports import Clock
from router.resources import Shared, Stores
from router.rules.rule import Mode
from router.runtime import DaemonThreads, Runtime
from router.safety.safety import Safety
from router.settings import Settings
from router.telemetry.health import Health
from router.telemetry.notice_sender import NoticeSender

if TYPE_CHECKING:
    from router.telemetry.counters import CycleCounters

END_WITHIN = 7.0
"""Seconds that calls under way are given when the service ends. One may hang for 13 (the time-outs of connecting and
reading), and a manager who waits should see it end within ten."""
CALLS_END_WITHIN = 5.0
"""Seconds that a reload, a pause and a resume wait for calls under way; the commands wait for ten."""
READING_ENDS_WITHIN = 1.0
"""Seconds that calls under way are given by a standby router, which only reads: its turn to work has come."""

OBSERVERS_PART = 1 / 8
"""The part of its share that an observing router uses while another router works on its ledger. With the default
``quotas.share`` both use 0.9 of the account's rates; the rest makes up for calls that meet."""


@dataclass(kw_only=True)
class Router:
    """Holds one running router. ``stop`` ends every wait; ``close`` releases everything except a shared ledger."""

    settings: Settings
    runtime: Runtime
    connection: Connection
    stores: Stores
    acting: ActLoop
    vital: Health
    counters: CycleCounters | None
    notices: NoticeSender | None = None
    standby: bool = False
    """Whether it waits for its turn: then it reads the shared ledger, and hardly ever calls Amazon Connect."""

    @property
    def cycle(self) -> Cycle:
        return self.acting.cycle

    @property
    def mode(self) -> Mode:
        return self.cycle.mode

    @property
    def shown_mode(self) -> str:
        """Returns the mode as the log and ``status`` show it: ``standby``, or what it does with its decisions."""
        return "standby" if self.standby else self.mode.value

    @property
    def working(self) -> bool:
        """Returns whether this router settles, follows and writes records; otherwise another one does, and this one
        observes or waits for its turn."""
        return self.cycle.working

    @property
    def names(self) -> BoundRules:
        return self.cycle.names

    @property
    def executor(self) -> Executor:
        return self.cycle.executor

    @property
    def follower(self) -> Tracker:
        return self.cycle.follower

    @property
    def safety(self) -> Safety:
        return self.cycle.safety

    @property
    def ledger(self) -> SqliteLedger:
        return self.stores.ledger

    @property
    def shared(self) -> Shared | None:
        return self.stores.shared

    @property
    def clock(self) -> Clock:
        return self.runtime.clock

    @property
    def pool(self) -> DaemonThreads:
        return self.runtime.pool

    @property
    def stopping(self) -> Event:
        return self.runtime.stopping

    def stop(self) -> None:
        self.stopping.set()
        self.connection.stop()
        self.safety.close()
        self.acting.wake()

    def close(self) -> None:
        """Waits for calls under way. One that lasts too long is left behind: its intent is open, and the next run
        settles it by reading."""
        left = self.pool.join(within=END_WITHIN if self.working else READING_ENDS_WITHIN)
        if left and self.working:
            events.log_service_abandoned(left)
        if self.notices is not None:
            self.notices.close()
        if self.cycle.reporter.journal is not None:
            self.cycle.reporter.journal.close()
        if not left:
            self.connection.close()  # not when it is collected: each turn has one of its own
        senders = () if self.notices is None else (self.notices.thread,)
        self.stores.close(left=(*self.pool.alive, *senders))

    def start_notices(self) -> None:
        """Starts to send notices, if the configuration names a topic and this router works."""
        if self.notices is not None and self.working:
            self.notices.start()

    def start_events(self) -> None:
        """Starts to receive contact events, if the configuration names a queue and this router works."""
        if self.cycle.feed is not None and self.working:
            self.cycle.feed.start()

    def put_in_force(self) -> None:
        """Makes a change of rules, limits or pauses count before the next call. Returns when calls that began before
        it have ended; one that hangs is left after ``CALLS_END_WITHIN``, because it was sent before the change."""
        self.safety.terms.change()
        self.acting.wake()
        self.safety.terms.await_calls(within=CALLS_END_WITHIN)

    def share_quotas(self) -> None:
        """Leaves the account's quotas to the router that works on the same ledger, if this one observes."""
        lease = self.shared.lease if self.shared is not None and not self.working else None
        self.connection.quotas.use_part(1.0 if lease is None or lease.holder is None else OBSERVERS_PART)

    def prune(self) -> None:
        """Deletes what is old enough from the ledgers; a ledger that fails is logged and ends nothing."""
        try:
            self.stores.prune(self.clock.now(), keep=self.settings.ledger.keep)
        except LedgerUnavailable as problem:
            self.safety.ledger.report(problem)

    def reconfigure(self, settings: Settings) -> None:
        """Puts those settings in force that may change while the service runs; cannot fail."""
        self.settings = settings
        self.cycle.lookup.reconfigure(settings)
        self.executor.reconfigure(settings)
        self.follower.reconfigure(settings)
        self.cycle.stranded.timeout = settings.execute.agent_timeout
