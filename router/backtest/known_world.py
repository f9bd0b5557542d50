"""Knows the recorded contact centre at one instant, and returns what decisions need from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from router.decide.snapshot import NEVER_PAUSED, LiveMetrics, ReadValues, Snapshot
from router.model import (
    Action,
    AgentId,
    AgentState,
    Channel,
    Contact,
    ContactId,
    HoursId,
    Need,
    NeedKind,
    ProfileId,
    QueueId,
    QueueMetrics,
    RoutingProfile,
)
from router.rules.clock import OpenTimes
from router.rules.condition import Unread

FRESH = timedelta(minutes=10)
"""How long metrics and agents' states count as those of the present. Metrics are recorded when they change, and a
service reads those of its queues at each poll."""
MISSING = Unread("the history has no such value")


@dataclass
class KnownWorld:
    """Holds the latest values of every kind. ``measured_at`` is when any metrics were last read. ``lacked`` is set when
    figures of a destination are missing."""

    waiting: dict[ContactId, Contact] = field(default_factory=dict)
    counts: Counter[tuple[QueueId, Channel]] = field(default_factory=Counter)
    values: dict[tuple[NeedKind, str], object] = field(default_factory=dict)
    histories: dict[ContactId, tuple[Action, ...]] = field(default_factory=dict)
    rows: dict[tuple[QueueId, Channel], QueueMetrics] = field(default_factory=dict)
    agents: dict[AgentId, tuple[AgentState, datetime]] = field(default_factory=dict)
    profiles: dict[ProfileId, frozenset[tuple[QueueId, Channel]] | None] = field(default_factory=dict)
    routing_profiles: tuple[RoutingProfile, ...] | None = None
    hours: dict[HoursId, OpenTimes | Unread] = field(default_factory=dict)
    measured_at: datetime | None = None
    last: Snapshot | None = None
    lacked: bool = False

    def see(self, contact: Contact) -> None:
        self.forget(contact.id)
        self.waiting[contact.id] = contact
        if contact.queue_id is not None:
            self.counts[contact.queue_id, contact.channel] += 1

    def forget(self, contact_id: ContactId) -> None:
        """Forgets a contact that no longer waits, and what was read of it."""
        known = self.waiting.pop(contact_id, None)
        if known is not None and known.queue_id is not None:
            self.counts[known.queue_id, known.channel] -= 1
        self.histories.pop(contact_id, None)
        for kind in (NeedKind.TRANSFERS, NeedKind.DETAILS, NeedKind.ORIGIN, NeedKind.PAUSES, NeedKind.PAST):
            self.values.pop((kind, contact_id), None)

    def take_up(self, look: Snapshot) -> None:
        """Takes up every value that the router read for one look."""
        read, self.last = look.read, look
        groups = (
            (NeedKind.TRANSFERS, read.transfers),
            (NeedKind.DETAILS, read.details),
            (NeedKind.ORIGIN, read.origins),
            (NeedKind.PAUSES, read.pauses),
            (NeedKind.PAST, read.pasts),
        )
        for kind, found in groups:
            self.values.update({(kind, one): value for one, value in found.items()})
        self.hours.update(read.hours)
        self.histories.update(look.moves.histories)
        metrics = read.metrics
        self.measure(metrics.rows, look.now)
        self.agents.update({one: (state, look.now) for one, state in metrics.agents.items()})
        self.profiles.update(metrics.profiles)
        if read.routing_profiles is not None:
            self.routing_profiles = read.routing_profiles

    def measure(self, rows: Mapping[tuple[QueueId, Channel], QueueMetrics], at: datetime) -> None:
        """Takes up metrics."""
        if rows:
            self.rows.update(rows)
            self.measured_at = at

    def read(self, look: Snapshot, needs: Iterable[Need]) -> Snapshot:
        """Returns the snapshot with the values that the history has; the others are there as not known."""
        read, metrics = look.read, look.read.metrics
        found: dict[NeedKind, dict[str, object]] = {kind: {} for kind in NeedKind}
        for need in needs:
            found[need.kind][need.id] = self._value(need)
        metrics = self._with_queues(metrics, found[NeedKind.METRICS], look.now)
        metrics = self._with_agents(metrics, found[NeedKind.AGENT], look.now)
        served = {ProfileId(one): self.profiles.get(ProfileId(one)) for one in found[NeedKind.PROFILE]}
        metrics = replace(metrics, profiles={**metrics.profiles, **served})
        more: dict[str, object] = {
            name: {**getattr(read, name), **found[kind]}
            for name, kind in (
                ("transfers", NeedKind.TRANSFERS),
                ("details", NeedKind.DETAILS),
                ("origins", NeedKind.ORIGIN),
                ("pauses", NeedKind.PAUSES),
                ("pasts", NeedKind.PAST),
                ("hours", NeedKind.HOURS),
            )
        }
        if found[NeedKind.CHANNELS]:
            more["routing_profiles"] = self.routing_profiles or ()
        changed: ReadValues = replace(read, metrics=metrics, **more)  # type: ignore[arg-type]
        return replace(look, read=changed)

    def _value(self, need: Need) -> object:
        if need.kind is NeedKind.HOURS:
            return self.hours.get(HoursId(need.id), MISSING)
        if need.kind is NeedKind.PAUSES:
            known = self.values.get((NeedKind.DETAILS, need.id))
            return self.values.get((need.kind, need.id), known or NEVER_PAUSED)
        return self.values.get((need.kind, need.id), MISSING)

    def _with_queues(self, metrics: LiveMetrics, ids: Iterable[str], now: datetime) -> LiveMetrics:
        """Adds the rows of queues. A queue without a row in a history that has rows of others counts as not read."""
        wanted = frozenset(QueueId(one) for one in ids)
        if not wanted:
            return metrics
        fresh = self.measured_at is not None and now - self.measured_at <= FRESH
        rows = {key: row for key, row in self.rows.items() if key[0] in wanted} if fresh else {}
        failed = wanted - {queue_id for queue_id, _ in rows}
        self.lacked = self.lacked or bool(failed)
        return replace(
            metrics,
            rows={**metrics.rows, **rows},
            queues_read=metrics.queues_read | wanted,
            queues_failed=metrics.queues_failed | failed,
        )

    def _with_agents(self, metrics: LiveMetrics, ids: Iterable[str], now: datetime) -> LiveMetrics:
        wanted = frozenset(AgentId(one) for one in ids)
        known = {one: self.agents[one] for one in wanted if one in self.agents}
        self.lacked = self.lacked or not known.keys() >= wanted
        states = {one: state for one, (state, at) in known.items() if now - at <= FRESH}
        return replace(metrics, agents={**metrics.agents, **states}, agents_read=metrics.agents_read | wanted)
