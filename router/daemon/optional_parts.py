"""Opens the parts of a router that a configuration may leave out, without an import of what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from router.connect.connection import Connection
from router.daemon.bound_rules import BoundRules
from router.lookup.background import Background
from router.lookup.live_figures import TimelyGauge
from router.lookup.snapshot import Lookup
from router.model import Channel, QueueId, QueueMetrics
from router.ports import Clock
from router.resources import Stores
from router.runtime import Runtime
from router.search.event_feed import EventFeed
from router.search.event_gate import EventGate
from router.search.planner import SearchPlanner
from router.settings import Settings

if TYPE_CHECKING:
    from router.history.journal import Journal
    from router.telemetry.counters import CycleCounters

RecordMetrics = Callable[[Mapping[tuple[QueueId, Channel], QueueMetrics]], object]


def open_search(
    settings: Settings,
    runtime: Runtime,
    connection: Connection,
    stores: Stores,
    names: BoundRules,
    lookup: Lookup,
    *,
    background: Background | None,
    record: RecordMetrics | None,
    wake: Callable[[], object],
) -> tuple[SearchPlanner, EventFeed | None]:
    """Opens the search and the feed of contact events without a call.

    There is no feed without a queue in the configuration, nor for a single pass, which has no ``background`` and
    searches everything. ``record`` gets the metrics that a search has read. ``wake`` ends the wait of the cycle. Raises
    ``Unreachable``.
    """
    gauge, gate = None, None
    if background is not None:
        gauge = TimelyGauge(gauge=connection.instance, background=background, record=record)
        gate = EventGate.open(settings, runtime.clock)
    search = SearchPlanner.open(connection, runtime.clock, settings, gauge=gauge, gate=gate)

    def is_watched(queue_id: QueueId) -> bool:
        watched = names.rules.queue_ids
        return watched is None or queue_id in watched

    feed = EventFeed.open(
        settings,
        runtime,
        connection,
        search,
        watched=is_watched,
        remember=lookup.details.remember,
        working=lambda: stores.working,
        on_news=wake,
    )
    return search, feed


def open_journal(settings: Settings, clock: Clock) -> Journal | None:
    """Returns ``None`` if no journal is written; then nothing of it is imported."""
    if settings.journal.folder is None:
        return None
    from router.history.journal import Journal

    return Journal.open(settings, clock)


def open_counters(settings: Settings) -> CycleCounters | None:
    """Returns ``None`` if Prometheus is not served, because its library takes time to import."""
    if settings.metrics.address is None:
        return None
    from router.telemetry.counters import CycleCounters

    return CycleCounters()
