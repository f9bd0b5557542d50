"""Puts what the instance has, and its live metrics, behind one face."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime

from router.connect.answers import Failure, InstanceIdentity
from router.connect.api import Answered
from router.connect.directory import read_directory
from router.connect.fields import Row, Unreadable, part, required, text
from router.connect.hours import read_hours
from router.connect.iam import denied
from router.connect.live_data import Agents, Metrics
from router.connect.missing_ids import MissingIds
from router.connect.reads import BRIEF, Patience, Reads, readable
from router.model import (
    ANYWHERE,
    AgentId,
    AgentState,
    Channel,
    Directory,
    FlowId,
    Home,
    HoursId,
    OpeningHours,
    ProfileId,
    QueueId,
    QueueMetrics,
    RoutingProfile,
    bare_id,
)


class ConnectInstance:
    """Reads the instance: its names, hours, metrics and agents. Thread-safe."""

    def __init__(self, reads: Reads, missing_queues: MissingIds[QueueId], home: Home = ANYWHERE) -> None:
        self._home = home
        self._reads = reads
        self._missing_queues = missing_queues
        self._missing_agents: MissingIds[AgentId] = MissingIds("agent", lambda: reads.monotonic)
        self._metrics = Metrics(reads, missing_queues)
        self._agents = Agents(reads, self._missing_agents)

    @property
    def missing(self) -> frozenset[str]:
        """Returns the ids of queues and agents that Connect no longer knows, as found since the last directory."""
        return self._missing_queues.known | self._missing_agents.known

    def directory(self, *, with_agents: bool, with_hours: bool, with_states: bool = False) -> Directory | Failure:
        """Returns all names of the instance, or why they could not all be read; see ``read_directory``.

        Queues and agents that were missing are requested again afterwards.
        """
        found = read_directory(self._reads, with_agents=with_agents, with_hours=with_hours, with_states=with_states)
        if isinstance(found, Directory):
            self._missing_queues.directory_read(found.queues)
            self._missing_agents.directory_read(found.agents)
            return replace(found, home=self._home)
        return found

    def queue_metrics(
        self, queue_ids: Collection[QueueId], channels: Collection[Channel]
    ) -> Mapping[tuple[QueueId, Channel], QueueMetrics] | Failure:
        return self._metrics.of_queues(queue_ids, channels)

    def agent_states(self, agent_ids: Collection[AgentId]) -> Mapping[AgentId, AgentState] | Failure:
        return self._agents.states(agent_ids)

    def served_queues(self, profile_id: ProfileId) -> frozenset[tuple[QueueId, Channel]] | Failure:
        return self._agents.served(profile_id)

    def routing_profiles(self) -> tuple[RoutingProfile, ...] | Failure:
        return self._agents.routing_profiles()

    def opening_hours(self, hours_id: HoursId, *, since: date, until: date) -> OpeningHours | Failure:
        """Returns the open times of each date between the two, both included; see ``read_hours``."""
        return read_hours(self._reads, hours_id, since=since, until=until)

    def flow_content(self, flow_id: FlowId) -> str | Failure:
        """Returns the published content of a flow. ``$SAVED`` behind the id would return the saved one."""
        answer = self._reads.get("DescribeContactFlow", ContactFlowId=flow_id)
        if not isinstance(answer, Answered):
            return answer
        return readable(lambda body: required(part(body, "ContactFlow"), "Content"), answer.body, answer.request_id)

    def denied(self, operations: Collection[str], *, now: datetime, patience: Patience = BRIEF) -> Mapping[str, str]:
        """Returns the operations that IAM denies, each with AWS's message; see ``iam.denied``."""
        return denied(self._reads, operations, now=now, patience=patience)

    def describe_instance(self) -> InstanceIdentity | Failure:
        """Returns the instance's identity, which proves that region, credentials and instance id fit together."""
        answer = self._reads.get("DescribeInstance")
        if not isinstance(answer, Answered):
            return answer
        return readable(lambda body: _identity(body, answer.request_id), answer.body, answer.request_id)

    def account(self) -> str | None:
        """Returns the AWS account in the ARN of DescribeInstance; ``None`` if that call is denied or fails."""
        answer = self._reads.get_once("DescribeInstance")
        found = readable(lambda body: _identity(body, None), answer.body) if answer is not None else None
        return found.account if isinstance(found, InstanceIdentity) else None


def _identity(body: Row, request_id: str | None) -> InstanceIdentity:
    row = part(body, "Instance")
    arn = required(row, "Arn")
    parts = arn.split(":", 5)
    if len(parts) != 6:
        raise Unreadable("Arn is no ARN")
    return InstanceIdentity(
        instance_id=text(row, "Id") or bare_id(arn),
        arn=arn,
        account=parts[4],
        region=parts[3],
        alias=text(row, "InstanceAlias"),
        status=text(row, "InstanceStatus"),
        request_id=request_id,
    )
