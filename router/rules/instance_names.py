"""Looking names up in an instance, with what is wrong about one that cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from router.model import Directory, Flow, FlowType, Queue
from router.problems import did_you_mean
from router.rules.written import written

ALLOWED = {
    False: (FlowType.INBOUND, FlowType.QUEUE_TRANSFER),
    True: (FlowType.INBOUND, FlowType.AGENT_TRANSFER),
}
"""Flow types by whether the destination is an agent; TransferContact takes no other (API_TransferContact)."""


class Unusable(str):
    """Why a name cannot be used, for people."""

    __slots__ = ()


class InstanceNames:
    """Each look-up takes a name, an id or an ARN, and answers with the id or with why it cannot be used. A name that
    several things bear says nothing."""

    def __init__(self, directory: Directory, *, agents_known: bool) -> None:
        self._directory = directory
        self._agents_known = agents_known
        self._queues = _Names("queue", (queue.name for queue in directory.queues if queue.agent_id is None))
        self._agents = _Names("agent", (agent.name for agent in directory.agents))
        self._flows = _Names("flow", (flow.name for flow in directory.flows))
        self._hours = _Names("hours of operation", (hours.name for hours in directory.hours))

    def source_queue(self, reference: str) -> str | Unusable:
        """A queue whose contacts a rule matches."""
        found = self._directory.queue(reference)
        return self._queues.trouble(reference, found) or _own(reference, found)

    def destination_queue(self, reference: str) -> str | Unusable:
        found = self._directory.queue(reference)
        if found is not None and found.enabled is False:
            return Unusable(f"queue {written(reference)} is disabled")
        return self._queues.trouble(reference, found) or _own(reference, found)

    def agent(self, reference: str) -> str | Unusable:
        if not self._agents_known:
            return Unusable(f"agent {written(reference)} is not known: the instance's users could not be listed")
        found = self._directory.agent(reference)
        return self._agents.trouble(reference, found) or _id(found)

    def flow(self, reference: str, *, to_agent: bool) -> str | Unusable:
        """A flow that may do the move: in use, published, of a type that the destination allows."""
        found = self._directory.flow(reference)
        return self._flows.trouble(reference, found) or _unfit(reference, found, to_agent) or _id(found)

    def hours(self, reference: str) -> str | Unusable:
        found = self._directory.opening_hours(reference)
        return self._hours.trouble(reference, found) or _id(found)


class _Names:
    def __init__(self, kind: str, names: Iterable[str]) -> None:
        self._kind = kind
        self._count = Counter(names)

    def trouble(self, reference: str, found: object | None) -> Unusable | None:
        shown = f"{self._kind} {written(reference)}"
        if found is None:
            hint = did_you_mean(reference, self._count)
            verb = "do" if self._kind.startswith("hours") else "does"
            return Unusable(f"{shown} {verb} not exist in the instance{hint}")
        if self._count[reference] > 1:
            return Unusable(f"{shown} is the name of {self._count[reference]} of them in the instance: use the id")
        return None


def _id(found: object) -> str:
    return str(found.id)  # type: ignore[attr-defined]


def _own(reference: str, queue: Queue | None) -> str | Unusable:
    if queue is not None and queue.agent_id is not None:
        return Unusable(f"queue {written(reference)} is an agent's own queue: rules name the agent")
    return _id(queue)


def _unfit(reference: str, flow: Flow | None, to_agent: bool) -> Unusable | None:
    assert flow is not None
    shown = f"flow {written(reference)}"
    if not flow.active:
        return Unusable(f"{shown} is archived")
    if not flow.published:
        return Unusable(f"{shown} is not published")
    if flow.type is FlowType.OTHER:
        return Unusable(f"{shown} is of a type that transfers no contact")
    if flow.type not in ALLOWED[to_agent]:
        destination = "an agent" if to_agent else "a queue"
        return Unusable(f"{shown} is of type {flow.type}, which {destination} destination does not allow")
    return None
