"""Finds out which reading operations IAM denies, by one small call of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from router.connect.answers import NOT_FROM_AWS, Denied
from router.connect.directory import TRANSFER_FLOWS
from router.connect.reads import BRIEF, Patience, Reads
from router.model import Home

UNKNOWN = "*"

CONTACT, FLOW, QUEUE = "contact", "contact-flow", "queue"
INSTANCE = ""

AUTHORISED_ON: dict[str, tuple[str, ...]] = {
    "DescribeContact": (CONTACT,),
    "DescribeContactFlow": (FLOW,),
    "DescribeHoursOfOperation": ("operating-hours",),
    "DescribeInstance": (INSTANCE,),
    "DescribeQueue": (QUEUE,),
    "DescribeRoutingProfile": ("routing-profile",),
    "GetCurrentMetricData": (QUEUE, "routing-profile"),
    "GetCurrentUserData": ("agent", "agent-group", QUEUE, "routing-profile"),
    "GetEffectiveHoursOfOperations": (INSTANCE, "operating-hours"),
    "ListAgentStatuses": ("agent-state",),
    "ListAssociatedContacts": (CONTACT,),
    "ListContactFlows": (FLOW,),
    "ListHoursOfOperations": (INSTANCE,),
    "ListQueues": (QUEUE,),
    "ListRoutingProfileQueues": ("routing-profile",),
    "ListUsers": (INSTANCE,),
    "SearchContacts": (INSTANCE,),
    "SearchQueues": (INSTANCE,),
    "SearchRoutingProfiles": (INSTANCE,),
    "TransferContact": (INSTANCE, CONTACT, FLOW),
    "UpdateContactRoutingData": (CONTACT,),
}
"""The kinds of resource, as they stand in an ARN after the instance's; ``INSTANCE`` is the instance itself (Service
Authorization Reference, actions defined by Amazon Connect)."""

DEPENDS_ON: dict[str, str] = {
    "SearchContacts": "DescribeContact",
    "SearchQueues": "DescribeQueue",
    "SearchRoutingProfiles": "DescribeRoutingProfile",
}
"""The action that IAM requires in addition (the same page, dependent actions)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceArn:
    """Holds the parts of an instance's ARN. ``UNKNOWN``, which IAM takes for anything, replaces an unknown part."""

    instance_id: str
    region: str = UNKNOWN
    account: str = UNKNOWN
    partition: str = UNKNOWN

    @classmethod
    def read(cls, arn: str) -> InstanceArn:
        """Returns the parts of the whole ARN of an instance."""
        _, partition, _, region, account, resource = arn.split(":", 5)
        instance_id = resource.rpartition("/")[2]
        return cls(instance_id=instance_id, region=region, account=account, partition=partition)

    def __str__(self) -> str:
        return f"arn:{self.partition}:connect:{self.region}:{self.account}:instance/{self.instance_id}"

    @property
    def home(self) -> Home:
        """Returns the instance with its known parts."""
        region, account = (None if part == UNKNOWN else part for part in (self.region, self.account))
        return Home(self.instance_id, region, account)

    def every(self, kind: str) -> str:
        """Returns the ARN of all resources of a kind of this instance, or of the instance itself."""
        return str(self) if kind == INSTANCE else f"{self}/{kind}/*"

    def one(self, kind: str, resource_id: str) -> str:
        return f"{self}/{kind}/{resource_id}"


def partition_of(region: str | None) -> str:
    """Returns the partition by the region's name (AWS General Reference, partitions); ``UNKNOWN`` for a rarer one."""
    if region is None or region.startswith(("us-iso", "eu-iso")):
        return UNKNOWN
    named = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for head, name in named.items() if region.startswith(head)), "aws")


NOBODY = "00000000-0000-0000-0000-000000000000"
"""The id of nothing: IAM decides before Connect looks for it."""
ONE: dict[str, Any] = {"MaxResults": 1}

PARAMETERS: Mapping[str, Callable[[datetime], Mapping[str, Any]]] = {
    "DescribeContact": lambda now: {"ContactId": NOBODY},
    "DescribeHoursOfOperation": lambda now: {"HoursOfOperationId": NOBODY},
    "DescribeInstance": lambda now: {},
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
    "SearchRoutingProfiles": lambda now: ONE,
}
"""The least call of each operation; one that has no entry is not tried by itself."""


def denied(reads: Reads, operations: Iterable[str], *, now: datetime, patience: Patience = BRIEF) -> Mapping[str, str]:
    """Returns those of ``operations`` that IAM denies, each with AWS's message.

    Any other answer shows that the call was allowed, or nothing about it.
    """
    found = {}
    for operation in sorted(operations):
        make = PARAMETERS.get(operation)
        answer = reads.get(operation, patience=patience, **make(now)) if make is not None else None
        if isinstance(answer, Denied) and answer.code != NOT_FROM_AWS:
            found[operation] = answer.message
    return found
