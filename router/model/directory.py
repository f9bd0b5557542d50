"""Defines the instance's queues, agents, flows and hours by id and by name, as last listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Protocol, TypeVar

from router.model.ids import ANYWHERE, AgentId, FlowId, Home, HoursId, QueueId, bare_id


class FlowType(StrEnum):
    """Names flow types as ListContactFlows does; TransferContact takes the first three (API_TransferContact)."""

    INBOUND = "CONTACT_FLOW"
    QUEUE_TRANSFER = "QUEUE_TRANSFER"
    AGENT_TRANSFER = "AGENT_TRANSFER"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Describes a queue; ``agent_id`` is set for an agent's own. ``enabled`` is ``None`` if it was not requested."""

    id: QueueId
    name: str
    agent_id: AgentId | None = None
    enabled: bool | None = None
    hours_id: HoursId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    id: AgentId
    name: str
    """The user name (login)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    id: FlowId
    name: str
    type: FlowType
    active: bool = True
    published: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    id: HoursId
    name: str


class Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def _by_name(items: Iterable[N]) -> dict[str, N]:
    return {item.name: item for item in items}


def _by_id(items: Iterable[N]) -> dict[str, N]:
    return {item.id: item for item in items}


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Finds things by name, id or ARN; each look-up returns ``None`` if the instance has no such thing.

    An ARN of another instance than ``home``, or of another kind, is that of no such thing, although its id may exist.
    """

    queues: tuple[Queue, ...] = ()
    agents: tuple[Agent, ...] = ()
    flows: tuple[Flow, ...] = ()
    hours: tuple[Hours, ...] = ()
    home: Home = ANYWHERE

    @cached_property
    def _queue_ids(self) -> dict[str, Queue]:
        return _by_id(self.queues)

    @cached_property
    def _queue_names(self) -> dict[str, Queue]:
        return _by_name(queue for queue in self.queues if queue.agent_id is None)

    @cached_property
    def _agent_ids(self) -> dict[str, Agent]:
        return _by_id(self.agents)

    @cached_property
    def _agent_names(self) -> dict[str, Agent]:
        return _by_name(self.agents)

    @cached_property
    def _flow_ids(self) -> dict[str, Flow]:
        return _by_id(self.flows)

    @cached_property
    def _flow_names(self) -> dict[str, Flow]:
        return _by_name(self.flows)

    @cached_property
    def _hours_ids(self) -> dict[str, Hours]:
        return _by_id(self.hours)

    @cached_property
    def _hours_names(self) -> dict[str, Hours]:
        return _by_name(self.hours)

    def queue(self, reference: str) -> Queue | None:
        return self._find("queue", self._queue_ids, self._queue_names, reference)

    def agent(self, reference: str) -> Agent | None:
        return self._find("agent", self._agent_ids, self._agent_names, reference)

    def flow(self, reference: str) -> Flow | None:
        return self._find("flow", self._flow_ids, self._flow_names, reference)

    def opening_hours(self, reference: str) -> Hours | None:
        return self._find("hours of operation", self._hours_ids, self._hours_names, reference)

    def _find(self, kind: str, by_id: Mapping[str, N], by_name: Mapping[str, N], reference: str) -> N | None:
        found = by_name.get(reference) or by_id.get(reference)
        if found is None and self.home.objection(reference, kind) is None:
            return by_id.get(bare_id(reference))
        return found

    def queue_name(self, queue_id: QueueId | None) -> str | None:
        """Returns the queue's name, or the agent's for an agent's own queue, or else the id."""
        if queue_id is None:
            return None
        if (queue := self._queue_ids.get(queue_id)) is not None:
            return queue.name
        agent = self._agent_ids.get(queue_id.removeprefix("agent/"))
        return f"agent {agent.name}" if agent else queue_id

    def agent_name(self, agent_id: AgentId | None) -> str | None:
        agent = self._agent_ids.get(agent_id) if agent_id else None
        return agent.name if agent else agent_id

    def flow_name(self, flow_id: FlowId | None) -> str | None:
        flow = self._flow_ids.get(flow_id) if flow_id else None
        return flow.name if flow else flow_id
