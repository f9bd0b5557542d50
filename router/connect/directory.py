"""Reads the names of the instance: queues, agents, flows and hours of operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from router.connect.answers import Failure
from router.connect.fields import Row, Unreadable, required, text
from router.connect.reads import Reads
from router.model import Agent, AgentId, Directory, Flow, FlowId, FlowType, Hours, HoursId, Queue, QueueId

PAGE_SIZE = 1000
"""MaxResults of the List operations (botocore service model)."""
SEARCH_PAGE_SIZE = 100

TRANSFER_FLOWS = [FlowType.INBOUND.value, FlowType.QUEUE_TRANSFER.value, FlowType.AGENT_TRANSFER.value]
"""The flow types that TransferContact takes (API_TransferContact)."""

T = TypeVar("T")


class _Failed(Exception):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure


def read_directory(
    reads: Reads, *, with_agents: bool, with_hours: bool, with_states: bool = False
) -> Directory | Failure:
    """Returns standard queues and the flows that can move a contact, and on request agents and hours of operation.

    ``with_states`` reads whether each queue is enabled, which ListQueues does not return; ``with_hours`` also reads
    this, and each queue's own hours. All or nothing is returned: a name missing from half a list would look as if the
    instance had lost it.
    """
    try:
        queues = _listed(reads, _queue, "ListQueues", "QueueSummaryList", QueueTypes=["STANDARD"])
        flows = _listed(reads, _flow, "ListContactFlows", "ContactFlowSummaryList", ContactFlowTypes=TRANSFER_FLOWS)
        agents = _listed(reads, _agent, "ListUsers", "UserSummaryList") if with_agents else ()
        hours: tuple[Hours, ...] = ()
        if with_hours:
            hours = _listed(reads, _hours, "ListHoursOfOperations", "HoursOfOperationSummaryList")
        if with_hours or with_states:
            queues = _with_hours(reads, queues)
    except _Failed as failed:
        return failed.failure
    return Directory(queues=queues, agents=agents, flows=flows, hours=hours)


def _listed(
    reads: Reads,
    parse: Callable[[Row], T],
    operation: str,
    member: str,
    *,
    page_size: int = PAGE_SIZE,
    **parameters: Any,
) -> tuple[T, ...]:
    def parsed(rows: list[Row]) -> tuple[T, ...]:
        try:
            return tuple(parse(row) for row in rows)
        except Unreadable as problem:
            raise Unreadable(f"in a row of {operation}, {problem}") from None

    found = reads.rows(operation, member, parsed, MaxResults=page_size, **parameters)
    if not isinstance(found, tuple):
        raise _Failed(found)
    return found


def _queue(row: Row) -> Queue:
    return Queue(id=QueueId(required(row, "Id")), name=required(row, "Name"))


def _agent(row: Row) -> Agent:
    return Agent(id=AgentId(required(row, "Id")), name=required(row, "Username"))


def _hours(row: Row) -> Hours:
    return Hours(id=HoursId(required(row, "Id")), name=required(row, "Name"))


def _flow(row: Row) -> Flow:
    """Returns the flow. A missing state or status counts as active or published: older API versions lack them."""
    kind = row.get("ContactFlowType")
    return Flow(
        id=FlowId(required(row, "Id")),
        name=required(row, "Name"),
        type=FlowType(kind) if kind in TRANSFER_FLOWS else FlowType.OTHER,
        active=row.get("ContactFlowState", "ACTIVE") == "ACTIVE",
        published=row.get("ContactFlowStatus", "PUBLISHED") == "PUBLISHED",
    )


def _with_hours(reads: Reads, queues: tuple[Queue, ...]) -> tuple[Queue, ...]:
    """Returns the queues with their hours. One call of SearchQueues returns a hundred queues; DescribeQueue would
    return one."""
    found = _listed(reads, _searched, "SearchQueues", "Queues", page_size=SEARCH_PAGE_SIZE)
    by_id = {queue.id: queue for queue in found}
    return tuple(
        replace(queue, enabled=known.enabled, hours_id=known.hours_id) if (known := by_id.get(queue.id)) else queue
        for queue in queues
    )


def _searched(row: Row) -> Queue:
    hours_id, status = text(row, "HoursOfOperationId"), text(row, "Status")
    return Queue(
        id=QueueId(required(row, "QueueId")),
        name=required(row, "Name"),
        enabled=None if status is None else status == "ENABLED",
        hours_id=HoursId(hours_id) if hours_id else None,
    )
