"""Which reading operations IAM denies: one small call of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from router.connect.answers import Denied
from router.connect.directory import TRANSFER_FLOWS
from router.connect.reading import BRIEF, Reads

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The id of nothing: IAM decides before Connect looks for it."""
ONE: dict[str, Any] = {"MaxResults": 1}

PARAMETERS: Mapping[str, Callable[[datetime], Mapping[str, Any]]] = {
    "DescribeContact": lambda now: {"ContactId": NOBODY},
    "DescribeHoursOfOperation": lambda now: {"HoursOfOperationId": NOBODY},
    "GetCurrentMetricData": lambda now: {
        "Filters": {"Queues": [NOBODY], "Channels": ["TASK"]},
        "CurrentMetrics": [{"Name": "CONTACTS_IN_QUEUE", "Unit": "COUNT"}],
    },
    "GetCurrentUserData": lambda now: {"Filters": {"Agents": [NOBODY]}},
    "GetEffectiveHoursOfOperations": lambda now: {
        "HoursOfOperationId": NOBODY,
        "FromDate": now.date().isoformat(),
        "ToDate": now.date().isoformat(),
    },
    "ListAgentStatuses": lambda now: ONE,
    "ListAssociatedContacts": lambda now: {"ContactId": NOBODY, **ONE},
    "ListContactFlows": lambda now: {"ContactFlowTypes": TRANSFER_FLOWS, **ONE},
    "ListHoursOfOperations": lambda now: ONE,
    "ListQueues": lambda now: {"QueueTypes": ["STANDARD"], **ONE},
    "ListRoutingProfileQueues": lambda now: {"RoutingProfileId": NOBODY, **ONE},
    "ListUsers": lambda now: ONE,
    "SearchContacts": lambda now: {
        "TimeRange": {"Type": "ENQUEUE_TIMESTAMP", "StartTime": now - timedelta(hours=1), "EndTime": now},
        **ONE,
    },
    "SearchQueues": lambda now: ONE,
}
"""The least call of each operation; one that has no entry is not tried by itself."""


def denied(reads: Reads, operations: Iterable[str], *, now: datetime) -> Mapping[str, str]:
    """Of ``operations``, those that IAM denies, with what AWS says. Any other answer shows that the call was allowed,
    or says nothing about it."""
    found = {}
    for operation in sorted(operations):
        make = PARAMETERS.get(operation)
        answer = reads.get(operation, patience=BRIEF, **make(now)) if make is not None else None
        if isinstance(answer, Denied):
            found[operation] = answer.message
    return found
