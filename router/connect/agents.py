"""Reads which agents can be given work now (GetCurrentUserData), of which queues (ListRoutingProfileQueues),
and of which channels at the same time (SearchRoutingProfiles)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from router.connect.answers import Failure, Throttled, Unknown
from router.connect.fields import Row, part, required, text
from router.connect.missing_ids import MissingIds, read_batches
from router.connect.reads import BRIEF, Reads, RefusedLately, all_rows
from router.model import AgentId, AgentState, Channel, ProfileId, QueueId, RoutingProfile, bare_id

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
