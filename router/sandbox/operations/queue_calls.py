"""ListQueues, DescribeQueue, SearchQueues."""

from __future__ import annotations

from router.sandbox.instance import SandboxQueue
from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.operations.conditions import criteria_of, fits
from router.sandbox.refusal import invalid_request


def list_queues(call: OperationCall) -> Result:
    """Both types unless QueueTypes says otherwise; an agent's own queue has no name."""
    types = call.params.get("QueueTypes") or ("STANDARD", "AGENT")
    queues = [queue for queue in call.state.register.queues.values() if queue.type in types]
    page, token = call.page(queues, default=100)
    return {"QueueSummaryList": [_summary(call, queue) for queue in page], "NextToken": token}


def describe_queue(call: OperationCall) -> Result:
    queue = call.one(call.state.register.queues, call.params["QueueId"], "Queue")
    if queue.type == "AGENT":
        raise invalid_request("An agent's queue cannot be described")
    return {"Queue": _queue(call, queue)}


def search_queues(call: OperationCall) -> Result:
    """Standard queues only."""
    criteria = criteria_of(call.params)
    found = [
        queue
        for queue in call.state.register.queues.values()
        if queue.type == "STANDARD" and fits(criteria, {"name": queue.name, "description": queue.description or ""})
    ]
    page, token = call.page(found, default=100)
    return {
        "Queues": [_queue(call, queue) for queue in page],
        "NextToken": token,
        "ApproximateTotalCount": len(found),
    }


def _summary(call: OperationCall, queue: SandboxQueue) -> Result:
    return {
        "Id": queue.id,
        "Arn": queue.arn,
        "Name": queue.name if queue.type == "STANDARD" else None,
        "QueueType": queue.type,
        "LastModifiedTime": queue.modified_at,
        "LastModifiedRegion": call.world.identity.region,
    }


def _queue(call: OperationCall, queue: SandboxQueue) -> Result:
    return {
        "Name": queue.name,
        "QueueArn": queue.arn,
        "QueueId": queue.id,
        "Description": queue.description,
        "HoursOfOperationId": queue.hours_id,
        "MaxContacts": queue.capacity,
        "Status": "ENABLED" if queue.enabled else "DISABLED",
        "Tags": dict(queue.tags) or None,
        "LastModifiedTime": queue.modified_at,
        "LastModifiedRegion": call.world.identity.region,
    }
