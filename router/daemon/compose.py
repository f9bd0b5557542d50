"""Puts the parts of a router together: the composition root of the service."""

from __future__ import annotations

from collections.abc import Callable

from router.connect.connection import Connection
from router.daemon.act_loop import ActLoop
from router.daemon.bound_rules import BoundRules
from router.daemon.cycle import Cycle
from router.daemon.optional_parts import open_counters, open_journal, open_search
from router.daemon.router import Router
from router.execute.executor import Executor
from router.followup.stranded_contacts import StrandedContacts
from router.followup.tracker import Tracker
from router.ledger.breach_records import BreachRecords
from router.lookup.background import Background
from router.lookup.snapshot import Lookup
from router.model import Contact, Landing
from router.ports import TRANSFER, Clock
from router.resources import Shared, Stores, open_connection
from router.rules.rule import Mode, RuleSet
from router.runtime import Runtime, open_clock
from router.safety.safety import Safety
from router.settings import Settings
from router.telemetry.breaches import BreachTransitions
from router.telemetry.health import Health
from router.telemetry.notice_sender import NoticeSender
from router.telemetry.reporter import CycleReporter, count_nothing


def build(
    settings: Settings,
    ruleset: RuleSet,
    *,
    mode: Mode,
    clock: Clock | None = None,
    connect: Callable[[Settings, Clock], Connection] = open_connection,
    shared: Shared | None = None,
    standby: bool = False,
    once: bool = False,
) -> Router:
    """Puts a router together; on a ``shared`` ledger it works only if it has the lease.

    A ``standby`` router waits for its turn, and neither searches nor decides. With ``once`` it makes one pass, which
    waits for every reading.

    Raises ``LedgerInUse``, ``LedgerBroken`` or ``LedgerUnavailable`` if the ledger cannot be opened, ``Unreachable`` if
    the SDK has no region or endpoint.
    """
    runtime = Runtime(clock=clock or open_clock(), workers=settings.execute.workers)
    connection = connect(settings, runtime.clock)
    stores = Stores.open(settings, runtime.clock, shared)
    counters = open_counters(settings)
    count = counters.count if counters is not None else count_nothing
    recorded = stores.ledger if mode is Mode.ENFORCE and stores.working else stores.observed
    notifies = bool(settings.notify.sns_topic) and recorded is stores.ledger
    breaches = BreachTransitions(BreachRecords(recorded), notifies=notifies)
    cycle = _open_cycle(
        settings,
        runtime,
        connection,
        stores,
        BoundRules(instance=connection.instance, ruleset=ruleset),
        CycleReporter(
            mode=mode,
            calls=connection.calls,
            breaches=breaches,
            count=count,
            journal=open_journal(settings, runtime.clock),
        ),
        background=None
        if once
        else Background(
            runtime.pool,
            late=lambda: acting.read_late(),
            monotonic=runtime.clock.monotonic,
            awaits_token=connection.quotas.awaits_token,
        ),
        landed=lambda contact, landing: acting.landed(contact, landing),
        wake=lambda: acting.wake(),
    )
    acting = ActLoop(cycle=cycle, pacer=connection.quotas, runtime=runtime)
    app = Router(
        settings=settings,
        runtime=runtime,
        connection=connection,
        stores=stores,
        acting=acting,
        vital=Health(runtime.clock),
        counters=counters,
        notices=NoticeSender.open(settings, stores, runtime.clock),
        standby=standby,
    )
    app.share_quotas()
    return app


def _open_cycle(
    settings: Settings,
    runtime: Runtime,
    connection: Connection,
    stores: Stores,
    names: BoundRules,
    reporter: CycleReporter,
    *,
    background: Background | None,
    landed: Callable[[Contact, Landing], object],
    wake: Callable[[], object],
) -> Cycle:
    ledger, clock, mode = stores.ledger, runtime.clock, reporter.mode
    safety = Safety.open(
        ledger,
        clock,
        unlanded=settings.guard.unlanded,
        unlanded_max=settings.guard.unlanded_max,
        transfer_rate=lambda: connection.quotas.full_rate(TRANSFER),
        skew=connection.skew,
        directory=lambda: names.directory,
        credentials=connection.credentials,
    )
    lookup = Lookup.open(connection, ledger, stores.observed, clock, settings, in_service=True, background=background)
    executor = Executor.open(
        settings,
        runtime,
        connection,
        stores,
        safety,
        details=lookup.details,
        is_open=lookup.is_open,
        moved=lambda action, read_age: follower.watch(action, read_age=read_age),
    )
    follower = Tracker.open(
        settings, runtime, connection, ledger, executor, safety, enforces=mode is Mode.ENFORCE, landed=landed
    )
    record = reporter.journal.record_metrics if reporter.journal is not None else None
    search, feed = open_search(
        settings, runtime, connection, stores, names, lookup, background=background, record=record, wake=wake
    )
    return Cycle(
        lookup=lookup,
        names=names,
        search=search,
        feed=feed,
        executor=executor,
        follower=follower,
        stranded=StrandedContacts(instance=connection.instance, clock=clock, timeout=settings.execute.agent_timeout),
        safety=safety,
        reporter=reporter,
        runtime=runtime,
        mode=mode,
        working=stores.working,
        number=ledger.last_cycle(),
    )
