"""Defines the snapshot: everything that decisions are made from, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import cached_property

from router.model import (
    Action,
    AgentId,
    AgentState,
    Channel,
    Contact,
    ContactId,
    Details,
    Directory,
    FlowId,
    HoursId,
    Pauses,
    ProfileId,
    QueueId,
    QueueMetrics,
    RoutingProfile,
    Standing,
    Target,
)
from router.rules.clock import OpenTimes
from router.rules.condition import Unread
from router.rules.rule import Mode

CHAIN_TRANSFERS = 11
"""A contact cannot be transferred more than 11 times (API_TransferContact): 12 contacts in a chain."""


NEVER_PAUSED = Details()
"""The pauses of a contact that was not read yet: assumed, because it is read before anything is done to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Holds the service's own limits on moves; a rule may tighten them."""

    max_transfers: int = 3
    reserve_transfers: int = 2
    cooldown: timedelta = timedelta(minutes=5)
    per_cycle: int = 50
    per_hour: int = 500

    @classmethod
    def of(cls, guard: object) -> Limits:
        """Returns the limits of the ``[guard]`` settings, whose keys have the same names."""
        return cls(**{limit.name: getattr(guard, limit.name) for limit in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Holds the obstacles to every move, or to every move with a flow."""

    denied: bool = False
    denied_flows: frozenset[FlowId] = frozenset()
    suspended_flows: frozenset[FlowId] = frozenset()
    instance_full: bool = False
    clock_skew: bool = False


@dataclass(frozen=True, kw_only=True)
class LiveMetrics:
    """Holds the live metrics that were read.

    A queue in ``queues_read`` without a row is empty and unstaffed, unless its reading failed (``queues_failed``),
    contacts were seen there, or no queue had a row for that channel. ``profiles`` are the queues that routing profiles
    serve, ``None`` if that could not be read. ``missing`` are the ids of queues and agents that Connect does not know.
    """

    rows: Mapping[tuple[QueueId, Channel], QueueMetrics] = field(default_factory=dict)
    queues_read: frozenset[QueueId] = frozenset()
    queues_failed: frozenset[QueueId] = frozenset()
    agents: Mapping[AgentId, AgentState] = field(default_factory=dict)
    agents_read: frozenset[AgentId] = frozenset()
    profiles: Mapping[ProfileId, frozenset[tuple[QueueId, Channel]] | None] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()

    @cached_property
    def channels(self) -> frozenset[Channel]:
        """Returns the channels with a row for some queue; Connect may give none for the others."""
        return frozenset(channel for _, channel in self.rows)


@dataclass(frozen=True, kw_only=True)
class ReadValues:
    """Holds the values that ``lookup`` has read on demand; an ``Unread`` marks a value that it could not read.

    ``origins`` are the instants at which chains began, ``pauses`` the details that show a contact's pauses, and
    ``pasts`` the contacts that a contact came from, newest first. ``routing_profiles`` are empty if they could not be
    read, and ``None`` if they were not requested.
    """

    transfers: Mapping[ContactId, int | Unread] = field(default_factory=dict)
    details: Mapping[ContactId, Details | Unread] = field(default_factory=dict)
    origins: Mapping[ContactId, datetime | Unread] = field(default_factory=dict)
    pauses: Mapping[ContactId, Details | Unread] = field(default_factory=dict)
    pasts: Mapping[ContactId, tuple[Contact, ...] | Unread] = field(default_factory=dict)
    metrics: LiveMetrics = field(default_factory=LiveMetrics)
    hours: Mapping[HoursId, OpenTimes | Unread] = field(default_factory=dict)
    routing_profiles: tuple[RoutingProfile, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class RecordedMoves:
    """Holds the router's own record of its work.

    ``histories`` are the actions of each contact's chain, oldest first, and ``recent`` the moves of the last hour.
    ``sent_to_queues`` counts contacts that the metrics may not show yet, by queue and channel; ``sent_to_agents``
    contacts that the agent has not answered yet. ``last_targets`` has the last destination of each step, by rule and
    time on the clock. ``in_progress`` are contacts with a call under way. The ledger has every action since
    ``ledger_began_at``; ``None`` if it has all of them.
    """

    histories: Mapping[ContactId, tuple[Action, ...]] = field(default_factory=dict)
    recent: tuple[Action, ...] = ()
    sent_to_queues: Mapping[tuple[QueueId, Channel | None], int] = field(default_factory=dict)
    sent_to_agents: Mapping[AgentId, int] = field(default_factory=dict)
    last_targets: Mapping[tuple[str, timedelta], Target] = field(default_factory=dict)
    in_progress: frozenset[ContactId] = frozenset()
    ledger_began_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Holds everything that one decision is made from.

    ``unseen`` counts the contacts that wait in a queue in addition to ``contacts``; ``occupied_by_others`` are the
    queues and channels of those. ``paused`` holds the operator's pauses that are in force at ``now``.
    """

    now: datetime
    mode: Mode
    contacts: tuple[Contact, ...]
    directory: Directory
    cycle: int = 0
    moves: RecordedMoves = field(default_factory=RecordedMoves)
    read: ReadValues = field(default_factory=ReadValues)
    limits: Limits = field(default_factory=Limits)
    blocks: Blocks = field(default_factory=Blocks)
    paused: Pauses = field(default_factory=Pauses)
    unseen: Mapping[QueueId, int] = field(default_factory=dict)
    occupied_by_others: frozenset[tuple[QueueId, Channel]] = frozenset()

    @cached_property
    def occupied(self) -> frozenset[tuple[QueueId, Channel]]:
        """Returns the queues in which contacts of a channel have been seen waiting."""
        waiting = (one for one in self.contacts if one.standing(self.now) is Standing.WAITING)
        seen = frozenset((one.queue_id, one.channel) for one in waiting if one.queue_id is not None)
        return seen | self.occupied_by_others
