"""Reads the values that a decision needs, each kind within its budget, and puts them into the snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from router.decide.snapshot import LiveMetrics, ReadValues, Snapshot
from router.lookup.background import Background, ReadFailure
from router.lookup.chain import ChainReader
from router.lookup.details import DetailsCache, DetailsReader
from router.lookup.live_figures import LiveFigures
from router.lookup.opening_hours import OpeningHoursReader
from router.lookup.readings import OnDemandReader
from router.model import (
    AgentId,
    Channel,
    ContactId,
    HoursId,
    Need,
    NeedKind,
    ProfileId,
    QueueId,
    QueueMetrics,
    RoutingProfile,
)
from router.ports import Instance, Reader

PROFILES_PER_LOOK = 1_000
"""No limit in practice: one call each, and only for agents that waiting contacts name."""

Served = frozenset[tuple[QueueId, Channel]]


class Fetcher:
    """Reads needs into snapshots; whatever cannot be read is there with the reason, so that no need is named twice.

    A value of a destination that is still being read is left out, so that the need is named again: nothing may be
    concluded from its absence.

    ``fresh_for`` is how long opening hours and routing profiles are not read again. See ``DetailsReader`` for
    ``assume_unpaused``, and ``OpeningHoursReader`` for ``lookback``.
    """

    def __init__(
        self,
        reader: Reader,
        instance: Instance,
        *,
        channels: frozenset[Channel],
        fresh_for: timedelta,
        lookback: timedelta,
        assume_unpaused: bool = False,
        background: Background | None = None,
    ) -> None:
        self._instance = instance
        self.background = background = background or Background()
        self.details = DetailsReader(reader, DetailsCache(), background, assume_unpaused=assume_unpaused)
        self.hours = OpeningHoursReader(instance, background, fresh_for=fresh_for, lookback=lookback)
        self._chains = ChainReader(reader, background)
        self._profiles = OnDemandReader(
            key=str, read=self._read_profile, budget=PROFILES_PER_LOOK, fresh_for=fresh_for, background=background
        )
        self._queues: LiveFigures[QueueId, tuple[QueueId, Channel], QueueMetrics] = LiveFigures(
            background, lambda ids: instance.queue_metrics(ids, channels)
        )
        self._agents = LiveFigures(background, instance.agent_states)

        self._routing_profiles = OnDemandReader(
            key=str, read=self._read_routing_profiles, budget=1, fresh_for=fresh_for, background=background
        )

    def read(self, look: Snapshot, needs: Iterable[Need]) -> Snapshot:
        """Returns the snapshot with every value that was needed, or with the reason why it could not be read."""
        ids: dict[NeedKind, list[str]] = {kind: [] for kind in NeedKind}
        wanted = tuple(needs)
        for need in wanted:
            ids[need.kind].append(need.id)

        def contacts(kind: NeedKind) -> list[ContactId]:
            return [ContactId(one) for one in ids[kind]]

        known = look.read
        origins = [need for need in wanted if need.kind is NeedKind.ORIGIN]
        read = ReadValues(
            transfers={**known.transfers, **self._chains.transfers(look, contacts(NeedKind.TRANSFERS))},
            details={**known.details, **self.details.details(look, contacts(NeedKind.DETAILS))},
            origins={**known.origins, **self._chains.origins(look, origins)},
            pauses={**known.pauses, **self.details.pauses(look, contacts(NeedKind.PAUSES))},
            pasts={**known.pasts, **self._chains.pasts(look, contacts(NeedKind.PAST))},
            metrics=self._read_metrics(known.metrics, ids, look.now),
            routing_profiles=self._all_profiles(look.now) if ids[NeedKind.CHANNELS] else known.routing_profiles,
            hours={**known.hours, **self.hours.read([HoursId(one) for one in ids[NeedKind.HOURS]], look.now)},
        )
        return replace(look, read=read)

    def _read_metrics(self, metrics: LiveMetrics, ids: Mapping[NeedKind, list[str]], now: datetime) -> LiveMetrics:
        metrics = self._read_queues(metrics, frozenset(QueueId(one) for one in ids[NeedKind.METRICS]))
        metrics = self._read_agents(metrics, frozenset(AgentId(one) for one in ids[NeedKind.AGENT]))
        found = self._profiles.read_all([ProfileId(one) for one in ids[NeedKind.PROFILE]], now)
        profiles = {
            ProfileId(str(key)): None if isinstance(served, ReadFailure) else served
            for key, served in found.items()
            if not (isinstance(served, ReadFailure) and served.pending)
        }
        return replace(metrics, profiles={**metrics.profiles, **profiles})

    def _read_queues(self, metrics: LiveMetrics, queues: frozenset[QueueId]) -> LiveMetrics:
        if not queues:
            return metrics
        found = self._queues.read(queues)
        return replace(
            metrics,
            queues_read=metrics.queues_read | found.known | found.failed,
            queues_failed=metrics.queues_failed | found.failed,
            rows={**metrics.rows, **found.rows},
            missing=metrics.missing | self._instance.missing,
        )

    def _read_agents(self, metrics: LiveMetrics, agents: frozenset[AgentId]) -> LiveMetrics:
        """Reads agents' states. An agent without one is not eligible, as one that is not routable."""
        if not agents:
            return metrics
        found = self._agents.read(agents)
        return replace(
            metrics,
            agents_read=metrics.agents_read | found.known | found.failed,
            agents={**metrics.agents, **found.rows},
            missing=metrics.missing | self._instance.missing,
        )

    def _all_profiles(self, now: datetime) -> tuple[RoutingProfile, ...]:
        """Returns the routing profiles of the instance, which one list has; none if they are not known in time."""
        (found,) = self._routing_profiles.read_all(["all"], now).values()
        return () if isinstance(found, ReadFailure) else found

    def _read_routing_profiles(self, _: str, now: datetime) -> tuple[RoutingProfile, ...] | ReadFailure:
        """Reads them. A failure counts for as long as a success, because only a doubt about slots depends on it."""
        answer = self._instance.routing_profiles()
        return answer if isinstance(answer, tuple) else ()

    def _read_profile(self, profile_id: ProfileId, now: datetime) -> Served | ReadFailure:
        """Reads the queues of a routing profile. A failure does not stop the others; the next look tries again."""
        answer = self._instance.served_queues(profile_id)
        return answer if isinstance(answer, frozenset) else ReadFailure(code=answer.code, answer=answer)
