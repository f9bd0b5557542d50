"""Reads what changes by the minute: the metrics of queues, and which agents can be given work now.

The operations are GetCurrentMetricData, GetCurrentUserData and ListAgentStatuses. ListRoutingProfileQueues and
SearchRoutingProfiles add of which queues agents are offered contacts, and of which channels at the same time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from router.connect.answers import Failure, Rejected, Throttled, Unknown
from router.connect.fields import Row, part, required, text
from router.connect.missing_ids import MissingIds, read_batches
from router.connect.reads import BRIEF, Reads, RefusedLately, all_rows
from router.connect.search import MAX_QUEUES
from router.model import (
    METRICS,
    AgentId,
    AgentState,
    Channel,
    Metric,
    ProfileId,
    QueueId,
    QueueMetrics,
    RoutingProfile,
    bare_id,
)

MAX_AGENTS = 100
PAGE_SIZE = 100

DEFAULT_STATUS = "Available"
"""The status that every instance has for agents who take contacts (Amazon Connect Administrator Guide, agent status);
an instance may have renamed it."""


ASK_AGAIN_S = 300.0
"""A missing permission must not cost a call each time, and one that was granted must not wait for a restart."""

ALONE: Mapping[str | None, bool] = {"ROUTE_CURRENT_CHANNEL_ONLY": True, "ROUTE_ANY_CHANNEL": False}
"""Whether an agent with a contact of the channel is offered no other channel, by BehaviorType."""


class Agents:
    def __init__(self, reads: Reads, missing: MissingIds[AgentId]) -> None:
        self._reads = reads
        self._missing = missing
        self._routable: frozenset[str] | None = None
        self._refused = RefusedLately(lambda: reads.monotonic, again_after=ASK_AGAIN_S)

    def states(self, agent_ids: Collection[AgentId]) -> Mapping[AgentId, AgentState] | Failure:
        """Returns the agents that Connect returned; an agent who is logged out has no entry. Any call that fails fails
        it all, except that agents whom the instance no longer has are left out.

        An agent is routable if the status is of type ROUTABLE (ListAgentStatuses, read once) and no next status is
        chosen: while one is set, no new contacts are routed (Amazon Connect Administrator Guide, next status). One call
        reads up to 100 agents.
        """
        batches = self._missing.batches(agent_ids, MAX_AGENTS)
        found = read_batches(self._missing, batches, self._ask, self._parsed)
        return self._reads.record_health("GetCurrentUserData", found)

    def served(self, profile_id: ProfileId) -> frozenset[tuple[QueueId, Channel]] | Failure:
        """Returns the queues whose contacts agents of a routing profile are offered, by channel
        (ListRoutingProfileQueues)."""
        return self._reads.rows(
            "ListRoutingProfileQueues",
            "RoutingProfileQueueConfigSummaryList",
            _served,
            patience=BRIEF,
            about=profile_id,
            RoutingProfileId=profile_id,
            MaxResults=PAGE_SIZE,
        )

    def routing_profiles(self) -> tuple[RoutingProfile, ...] | Failure:
        """Returns all routing profiles of the instance (SearchRoutingProfiles)."""
        return self._reads.rows(
            "SearchRoutingProfiles",
            "RoutingProfiles",
            lambda rows: tuple(_routing_profile(row) for row in rows),
            patience=BRIEF,
            MaxResults=PAGE_SIZE,
        )

    def _ask(self, agent_ids: tuple[AgentId, ...]) -> list[Row] | Failure:
        return all_rows(
            self._reads,
            "GetCurrentUserData",
            "UserDataList",
            patience=BRIEF,
            Filters={"Agents": list(agent_ids)},
            MaxResults=PAGE_SIZE,
        )

    def _parsed(self, rows: list[Row]) -> dict[AgentId, AgentState]:
        states: dict[AgentId, AgentState] = {}
        routable = self._routable_statuses() if rows else None
        for row in rows:
            user = part(row, "User")
            agent_id = text(user, "Id") or text(user, "Arn")
            if agent_id:
                states[AgentId(bare_id(agent_id))] = AgentState(
                    routable=_takes_work(row, routable),
                    slots_available=dict(part(row, "AvailableSlotsByChannel")),
                    profile_id=_profile_of(row),
                )
        return states

    def _routable_statuses(self) -> frozenset[str] | None:
        """Returns the ids of the routable statuses, or ``None`` if they cannot be listed; then the default one's name
        decides.

        A refusal is remembered for a while.
        """
        if self._routable is None and not self._refused:
            found = self._reads.rows(
                "ListAgentStatuses",
                "AgentStatusSummaryList",
                lambda rows: frozenset(required(row, "Id") for row in rows),
                patience=BRIEF,
                AgentStatusTypes=["ROUTABLE"],
                MaxResults=PAGE_SIZE,
            )
            if isinstance(found, frozenset):
                self._routable = found
            elif not isinstance(found, Throttled | Unknown):
                self._refused.record()
        return self._routable or None


def _served(rows: list[Row]) -> frozenset[tuple[QueueId, Channel]]:
    movable = {channel.value for channel in Channel if channel.movable}
    return frozenset(
        (QueueId(bare_id(required(row, "QueueId"))), Channel(required(row, "Channel")))
        for row in rows
        if row.get("Channel") in movable
    )


def _routing_profile(row: Row) -> RoutingProfile:
    """Returns the profile. Each channel without CrossChannelBehavior, or with slots by workload type, is unknown."""
    alone: dict[Channel, bool | None] = {}
    for one in row.get("MediaConcurrencies") or ():
        channel = text(one, "Channel") if one is not None else None
        if channel is None or channel not in Channel.__members__:
            continue
        behaviour = text(part(one, "CrossChannelBehavior"), "BehaviorType")
        known = behaviour in ALONE and not one.get("WorkloadTypeConcurrencies")
        alone[Channel(channel)] = ALONE[behaviour] if known else None
    queue_ids = (QueueId(bare_id(queue_id)) for queue_id in row.get("AssociatedQueueIds") or () if queue_id)
    return RoutingProfile(queue_ids=frozenset(queue_ids), alone=alone)


def _profile_of(row: Row) -> ProfileId | None:
    profile = part(row, "RoutingProfile")
    reference = text(profile, "Id") or text(profile, "Arn")
    return ProfileId(bare_id(reference)) if reference else None


def _takes_work(row: Row, routable: frozenset[str] | None) -> bool:
    status = part(row, "Status")
    if text(row, "NextStatus"):
        return False
    if routable is None:
        return text(status, "StatusName") == DEFAULT_STATUS
    return bare_id(text(status, "StatusArn") or "") in routable


Rows = dict[tuple[QueueId, Channel], QueueMetrics]

_WANTED = [{"Name": metric.connect_name, "Unit": "SECONDS" if metric.is_time else "COUNT"} for metric in METRICS]


class Metrics:
    def __init__(self, reads: Reads, missing: MissingIds[QueueId]) -> None:
        self._reads = reads
        self._missing = missing
        self._email_refused = RefusedLately(lambda: reads.monotonic)

    def of_queues(
        self, queue_ids: Collection[QueueId], channels: Collection[Channel]
    ) -> Mapping[tuple[QueueId, Channel], QueueMetrics] | Failure:
        """Returns one row for each queue and channel that Connect returned; a value that is missing or null is
        ``None``.

        A channel that occurs in no key had no row in any queue. Connect may omit EMAIL (its documentation still names
        VOICE, CHAT and TASK only), or refuse it; then the call is repeated without it. Any call that fails fails it
        all, except that queues which the instance no longer has are left out. One call reads up to 100 queues.

        Rows are always grouped by queue and channel. Without groupings OLDEST_CONTACT_AGE is in milliseconds although
        its unit is seconds, and ESTIMATED_WAIT_TIME is refused (botocore service model).
        """
        found = read_batches(
            self._missing,
            self._missing.batches(queue_ids, MAX_QUEUES),
            lambda some: self._batch(some, frozenset(channels)),
            _parsed,
        )
        return self._reads.record_health("GetCurrentMetricData", found)

    def _batch(self, queue_ids: tuple[QueueId, ...], channels: frozenset[Channel]) -> list[Row] | Failure:
        requested = channels - {Channel.EMAIL} if self._email_refused else channels
        if not requested:
            return []
        answer = self._ask(queue_ids, requested)
        fewer = requested - {Channel.EMAIL}
        if not isinstance(answer, Rejected) or answer.status != 400 or fewer == requested:
            return answer
        if not fewer:
            return answer
        without = self._ask(queue_ids, fewer)
        if isinstance(without, list):
            self._email_refused.record()
        return without

    def _ask(self, queue_ids: tuple[QueueId, ...], channels: frozenset[Channel]) -> list[Row] | Failure:
        return all_rows(
            self._reads,
            "GetCurrentMetricData",
            "MetricResults",
            patience=BRIEF,
            Filters={"Queues": list(queue_ids), "Channels": sorted(channel.value for channel in channels)},
            Groupings=["QUEUE", "CHANNEL"],
            CurrentMetrics=_WANTED,
            MaxResults=PAGE_SIZE,
        )


def _parsed(rows: Iterable[Row]) -> Rows:
    parsed: Rows = {}
    for row in rows:
        dimensions = part(row, "Dimensions")
        queue = part(dimensions, "Queue")
        queue_id, channel = text(queue, "Id") or text(queue, "Arn"), text(dimensions, "Channel")
        if queue_id and channel is not None and channel in Channel.__members__:
            parsed[QueueId(bare_id(queue_id)), Channel(channel)] = _metrics(row.get("Collections") or ())
    return parsed


def _metrics(collections: Iterable[Row]) -> QueueMetrics:
    values = {text(part(one, "Metric"), "Name"): one.get("Value") for one in collections if one is not None}
    read: dict[str, Any] = {metric.name: _value(metric, values.get(metric.connect_name)) for metric in METRICS}
    return QueueMetrics(**read)


def _value(metric: Metric, value: float | None) -> int | timedelta | None:
    if value is None or not math.isfinite(value) or value < 0:
        return None
    return timedelta(seconds=value) if metric.is_time else int(value)
