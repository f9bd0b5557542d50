"""Reads what deciding asks for: what only DescribeContact tells, how often a chain was transferred and where it came
from, live metrics, agents' states, opening hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from router.connect.answers import Rejected
from router.decide.snapshot import LiveMetrics, ReadValues, Snapshot
from router.lookup.budget import FailedReads
from router.lookup.chain import ChainOrigins, EarlierContacts, Segments
from router.lookup.details import Descriptions, DetailsCache
from router.lookup.opening_hours import OpeningTimes
from router.model import (
    AgentId,
    Channel,
    Contact,
    ContactId,
    Details,
    HoursId,
    Need,
    NeedKind,
    ProfileId,
    QueueId,
    transfers_behind,
)
from router.ports import Instance, Reader
from router.rules.condition import Unread

CHAINS_KEPT = 20_000
"""More than wait at once in an instance of Connect's (2,500 tasks and 1,000 e-mails by default); bounds the memory."""
CHAINS_PER_LOOK = 60
"""ListAssociatedContacts allows 2 calls a second (Amazon Connect service quotas, the general rule): this many take half
a minute of it. The others are held as ``unreadable`` and come first next time."""


@dataclass(kw_only=True)
class Fetcher:
    """``read`` answers the look with everything asked for in it, or with the failure to read it, so that deciding never
    asks for the same twice. ``hours_fresh_for`` and ``lookback`` are those of ``OpeningTimes``, ``assume_unpaused`` is
    that of ``EarlierContacts``."""

    reader: Reader
    instance: Instance
    channels: frozenset[Channel]
    hours_fresh_for: timedelta = timedelta(minutes=5)
    lookback: timedelta = timedelta(days=90)
    assume_unpaused: bool = False
    details: DetailsCache = field(default_factory=DetailsCache)
    _transfers: dict[ContactId, int] = field(default_factory=dict)
    _uncounted: FailedReads = field(default_factory=FailedReads)
    _profiles: dict[ProfileId, tuple[datetime, frozenset[tuple[QueueId, Channel]]]] = field(default_factory=dict)
    _opening: OpeningTimes = field(init=False)
    _descriptions: Descriptions = field(init=False)
    _origins: ChainOrigins = field(init=False)
    _pasts: EarlierContacts = field(init=False)

    def __post_init__(self) -> None:
        self._opening = OpeningTimes(instance=self.instance, fresh_for=self.hours_fresh_for, lookback=self.lookback)
        segments = Segments(reader=self.reader)
        self._descriptions = Descriptions(self.reader, self.details)
        self._origins = ChainOrigins(segments=segments)
        self._pasts = EarlierContacts(segments, self.details, self.assume_unpaused)

    def open_now(self, hours_id: HoursId, now: datetime) -> bool:
        """Whether hours of operation are known to be open."""
        hours = self._opening.read([hours_id], now)[hours_id]
        return not isinstance(hours, Unread) and hours.is_open(now)

    def pauses_of(self, contact: Contact, now: datetime) -> Details | None:
        """When a task was paused, read now; ``None`` where it cannot be."""
        return self._pasts.read(contact, now)

    def read(self, look: Snapshot, needs: tuple[Need, ...]) -> Snapshot:
        transfers = self._read_transfers(look, [need for need in needs if need.kind is NeedKind.TRANSFERS])
        metrics = self._read_queues(look.read.metrics, [need for need in needs if need.kind is NeedKind.METRICS])
        metrics = self._read_profiles(metrics, [need for need in needs if need.kind is NeedKind.PROFILE], look.now)
        metrics = self._read_agents(metrics, [need for need in needs if need.kind is NeedKind.AGENT])
        hours = self._opening.read([HoursId(need.id) for need in needs if need.kind is NeedKind.HOURS], look.now)
        details = self._descriptions.read(look, [ContactId(need.id) for need in needs if need.kind is NeedKind.DETAILS])
        origins = self._origins.read(look, [need for need in needs if need.kind is NeedKind.ORIGIN])
        pauses = self._pasts.pauses(look, [need for need in needs if need.kind is NeedKind.PAUSES])
        pasts = self._pasts.pasts(look, [need for need in needs if need.kind is NeedKind.PAST])
        read = ReadValues(
            transfers=transfers,
            details={**look.read.details, **details},
            origins={**look.read.origins, **origins},
            pauses={**look.read.pauses, **pauses},
            pasts={**look.read.pasts, **pasts},
            metrics=metrics,
            hours={**look.read.hours, **hours},
        )
        return replace(look, read=read)

    def _read_transfers(self, look: Snapshot, needs: list[Need]) -> Mapping[ContactId, int | Unread]:
        """What a segment has behind it never changes, so it is read once for each. Where Connect does not answer for
        one it is not asked for the others in this look: each might take as long again."""
        self._forget_others(look)
        known: dict[ContactId, int | Unread] = dict(look.read.transfers)
        wanted = [ContactId(need.id) for need in needs]
        unknown = [contact_id for contact_id in wanted if contact_id not in self._transfers]
        for contact_id in self._uncounted.last(unknown)[:CHAINS_PER_LOOK]:
            chain = self.reader.chain(contact_id)
            self._uncounted.note(contact_id, failed=not isinstance(chain, tuple))
            if isinstance(chain, tuple):
                self._transfers[contact_id] = transfers_behind(contact_id, chain)
            elif not isinstance(chain, Rejected):
                break
        for contact_id in wanted:
            unread = Unread("how often it was transferred has not been read")
            known[contact_id] = self._transfers.get(contact_id, unread)
        return known

    def _forget_others(self, look: Snapshot) -> None:
        if len(self._transfers) > CHAINS_KEPT:
            seen = {contact.id for contact in look.contacts}
            self._transfers = {one: count for one, count in self._transfers.items() if one in seen}

    def _read_queues(self, metrics: LiveMetrics, needs: list[Need]) -> LiveMetrics:
        if not needs:
            return metrics
        queues = frozenset(QueueId(need.id) for need in needs)
        rows = self.instance.queue_metrics(queues, self.channels)
        if not isinstance(rows, Mapping):
            failed = metrics.queues_failed | queues
            return replace(metrics, queues_read=metrics.queues_read | queues, queues_failed=failed)
        return replace(metrics, queues_read=metrics.queues_read | queues, rows={**metrics.rows, **rows})

    def _read_agents(self, metrics: LiveMetrics, needs: list[Need]) -> LiveMetrics:
        """An agent whose state could not be read is like one that is not routable: not eligible."""
        if not needs:
            return metrics
        asked = frozenset(AgentId(need.id) for need in needs)
        states = self.instance.agent_states(asked)
        found = states if isinstance(states, Mapping) else {}
        return replace(metrics, agents_read=metrics.agents_read | asked, agents={**metrics.agents, **found})

    def _read_profiles(self, metrics: LiveMetrics, needs: list[Need], now: datetime) -> LiveMetrics:
        """Routing profiles change seldom: what was read counts as long as opening hours do. What fails is asked for
        again in the next look."""
        found = dict(metrics.profiles)
        for profile_id in (ProfileId(need.id) for need in needs):
            read_at, served = self._profiles.get(profile_id, (None, None))
            if read_at is None or not timedelta() <= now - read_at < self.hours_fresh_for:
                answer = self.instance.served_queues(profile_id)
                served = answer if isinstance(answer, frozenset) else None
                if served is not None:
                    self._profiles[profile_id] = now, served
            found[profile_id] = served
        return replace(metrics, profiles=found)
