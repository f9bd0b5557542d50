"""The composition root: the one place where the parts of the service are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

from router import events
from router.connect.connection import Connection
from router.daemon.act_loop import ActLoop
from router.daemon.bound_rules import BoundRules
from router.daemon.cycle import Cycle
from router.execute.attempts import Attempts, RetryPolicy
from router.execute.observe import ObservePerformer
from router.execute.recovery import Recovery
from router.execute.round import Round
from router.execute.routing import RoutingPerformer
from router.execute.routing_update import AgeMeaning
from router.execute.settler import Settler
from router.execute.transfer import TransferPerformer
from router.execute.workers import InProgress
from router.followup.keep_place import PlaceKeeper
from router.followup.tracker import Tracker
from router.ledger.errors import LedgerUnavailable
from router.ledger.sqlite import SqliteLedger
from router.lookup.snapshot import Lookup
from router.ports import Clock
from router.resources import Shared, open_connection, open_ledger
from router.rules.rule import Mode, RuleSet
from router.runtime import DaemonThreads, SystemClock
from router.safety.safety import Safety
from router.search.planner import SearchPlanner
from router.settings import Settings
from router.telemetry.health import Health

if TYPE_CHECKING:
    from router.telemetry.counters import CycleCounters

OBSERVED_FOR = timedelta(days=7)
"""How long what was only observed is remembered, in memory: a contact that waits longer is told of once more."""
END_WITHIN = 7.0
"""Seconds that calls under way are given when the service ends; one may hang for 13 (the time-outs of connecting and
reading), and a manager who waits should see it end within ten."""
READING_ENDS_WITHIN = 1.0
"""Seconds, where only readings can be under way: the turn to work has come, and does not wait for them."""


@dataclass(kw_only=True)
class Router:
    """The parts of one running router. ``stop`` ends every wait; ``close`` gives everything back, save a ``shared``
    ledger, which outlives it. ``working`` is ``False`` where another router settles, follows and keeps the records, and
    this one only observes."""

    settings: Settings
    mode: Mode
    connection: Connection
    ledger: SqliteLedger
    observed: SqliteLedger
    names: BoundRules
    follower: Tracker
    cycle: Cycle
    attempts: Attempts
    acting: ActLoop
    safety: Safety
    pool: DaemonThreads
    clock: Clock
    stopping: Event
    vital: Health
    counters: CycleCounters | None = None
    shared: Shared | None = None
    working: bool = True

    def stop(self) -> None:
        self.stopping.set()
        self.connection.stop()
        self.safety.close()
        self.acting.wake()

    def close(self) -> None:
        """What is still being called after ``END_WITHIN`` is left behind: its intent is open, and the next run settles
        it by reading."""
        left = self.pool.join(within=END_WITHIN if self.working else READING_ENDS_WITHIN)
        if left and self.working:
            events.log_service_abandoned(left)
        if not left:
            self.connection.close()  # not when it is collected: each turn has one of its own
        if self.shared is None:
            self.ledger.close()
        else:
            self.shared.ledger.bar(self.pool.alive)
        self.observed.close()

    def prune(self) -> None:
        """Removes what is old enough from both ledgers; a ledger that cannot is told of, and the service goes on."""
        before = self.clock.now() - self.settings.ledger.keep
        try:
            self.ledger.prune(before)
            self.observed.prune(self.clock.now() - OBSERVED_FOR)
        except LedgerUnavailable as problem:
            events.log_ledger_failed(problem)

    def reconfigure(self, settings: Settings) -> None:
        """Puts those settings in force that may change while the service runs; cannot fail."""
        self.settings = settings
        self.cycle.lookup.reconfigure(settings)
        self.attempts.reconfigure(settings)
        self.follower.reconfigure(settings)


def open_counters(settings: Settings) -> CycleCounters | None:
    """Returns ``None`` if Prometheus is not served: its library takes time to import."""
    if settings.metrics.address is None:
        return None
    from router.telemetry.counters import CycleCounters

    return CycleCounters()


def build(
    settings: Settings,
    ruleset: RuleSet,
    *,
    mode: Mode,
    clock: Clock | None = None,
    connect: Callable[[Settings, Clock], Connection] = open_connection,
    shared: Shared | None = None,
) -> Router:
    """Puts a router together; with a ``shared`` ledger one that works where it is its turn. Raises ``LedgerInUse``,
    ``LedgerBroken`` or ``LedgerUnavailable`` where the ledger cannot be opened, ``Unreachable`` where the SDK has no
    region or endpoint to talk to."""
    clock = clock or SystemClock()
    stopping = Event()
    instance_id = settings.connect.instance_id
    connection = connect(settings, clock)
    counters = open_counters(settings)
    ledger = shared.ledger if shared is not None else open_ledger(settings, clock)
    working = shared is None or (shared.ledger.holding and shared.lease.held)
    observed = SqliteLedger.in_memory(instance_id=instance_id, keep=OBSERVED_FOR)
    names = BoundRules(instance=connection.instance, ruleset=ruleset)
    safety = Safety.open(
        ledger,
        clock,
        unlanded=settings.guard.unlanded,
        skew=connection.skew,
        directory=lambda: names.directory,
    )
    ages = AgeMeaning()
    settler = Settler(
        ledger=ledger,
        denials=safety.denials,
        slots=safety.slots,
        ages=ages,
        clock=clock,
        moved=lambda action, read_age: follower.watch(action, read_age=read_age),
    )
    keeper = PlaceKeeper(
        enabled=settings.execute.keep_place and mode is Mode.ENFORCE,
        abandons=not settings.execute.keep_place and mode is Mode.ENFORCE,
        reader=connection.background,
        mover=connection.mover,
        pacer=connection.quotas,
        ledger=ledger,
        clock=clock,
        safety=safety,
        settler=settler,
        ages=ages,
        stopping=stopping.is_set,
    )
    follower = Tracker(
        reader=connection.background,
        ledger=ledger,
        places=safety.slots,
        clock=clock,
        landing_timeout=settings.execute.landing_timeout,
        directory=lambda: names.directory,
        calls_stopped=safety.calls_stopped,
        keeper=keeper,
        landed=lambda contact, landing: acting.landed(contact, landing),
    )
    in_progress = InProgress()
    lookup = Lookup.open(connection, ledger, observed, clock, settings, in_service=True)
    attempts = Attempts(
        reader=connection.reader,
        mover=connection.mover,
        pacer=connection.quotas,
        ledger=ledger,
        clock=clock,
        policy=RetryPolicy.of(settings),
        stopping=stopping,
        details=lookup.details,
        in_progress=in_progress,
        safety=safety,
    )
    pool = DaemonThreads("work")
    cycle = Cycle(
        lookup=lookup,
        recovery=Recovery(
            reader=connection.reader,
            ledger=ledger,
            attempts=attempts,
            blocked=safety.breakers,
            settler=settler,
            in_progress=in_progress,
            clock=clock,
            pool=pool,
            workers=settings.execute.workers,
            stopping=stopping.is_set,
            ages=ages,
            open_now=lookup.is_open,
        ),
        round=Round(
            enforcer=TransferPerformer(
                ledger=ledger,
                attempts=attempts,
                reader=connection.reader,
                blocked=safety.breakers,
                places=safety.slots,
                settler=settler,
                clock=clock,
                instance_id=instance_id,
                in_progress=in_progress,
                rerouter=RoutingPerformer(
                    ledger=ledger,
                    attempts=attempts,
                    reader=connection.reader,
                    blocked=safety.breakers,
                    settler=settler,
                    clock=clock,
                    in_progress=in_progress,
                    ages=ages,
                ),
            ),
            observer=ObservePerformer(reader=connection.reader, observed=observed, clock=clock, details=lookup.details),
            safety=safety,
            pacer=connection.quotas,
            pool=pool,
            workers=settings.execute.workers,
            clock=clock,
            stopping=stopping.is_set,
        ),
        in_progress=in_progress,
        follower=follower,
        safety=safety,
        search=SearchPlanner.open(connection, clock, settings),
        clock=clock,
        names=names,
        mode=mode,
        working=working,
        calls=connection.calls,
        stopping=stopping.is_set,
        count=counters.count if counters is not None else lambda report, results: None,
        number=ledger.last_cycle(),
    )
    acting = ActLoop(
        cycle=cycle,
        pacer=connection.quotas,
        clock=clock,
        stopping=stopping.is_set,
    )
    return Router(
        settings=settings,
        mode=mode,
        connection=connection,
        ledger=ledger,
        observed=observed,
        names=names,
        follower=follower,
        cycle=cycle,
        attempts=attempts,
        acting=acting,
        safety=safety,
        pool=pool,
        clock=clock,
        stopping=stopping,
        vital=Health(clock),
        counters=counters,
        shared=shared,
        working=working,
    )
