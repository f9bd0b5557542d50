"""What IAM authorises each operation on, and the parts of an instance's ARN."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = "*"

CONTACT, FLOW, QUEUE = "contact", "contact-flow", "queue"
INSTANCE = ""

AUTHORISED_ON: dict[str, tuple[str, ...]] = {
    "DescribeContact": (CONTACT,),
    "DescribeHoursOfOperation": ("operating-hours",),
    "DescribeQueue": (QUEUE,),
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
    "TransferContact": (INSTANCE, CONTACT, FLOW),
    "UpdateContactRoutingData": (CONTACT,),
}
"""The kinds of resource, as they stand in an ARN after the instance's; ``INSTANCE`` is the instance itself (Service
Authorization Reference, actions defined by Amazon Connect)."""

DEPENDS_ON: dict[str, str] = {"SearchQueues": "DescribeQueue", "SearchContacts": "DescribeContact"}
"""The action that IAM asks for as well (the same page, dependent actions)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceArn:
    """``UNKNOWN`` stands for what is not known: IAM takes it for anything."""

    instance_id: str
    region: str = UNKNOWN
    account: str = UNKNOWN
    partition: str = UNKNOWN

    @classmethod
    def read(cls, arn: str) -> InstanceArn:
        """From the whole ARN of an instance."""
        _, partition, _, region, account, resource = arn.split(":", 5)
        instance_id = resource.rpartition("/")[2]
        return cls(instance_id=instance_id, region=region, account=account, partition=partition)

    def __str__(self) -> str:
        return f"arn:{self.partition}:connect:{self.region}:{self.account}:instance/{self.instance_id}"

    def every(self, kind: str) -> str:
        """All resources of a kind of this instance, or the instance itself."""
        return str(self) if kind == INSTANCE else f"{self}/{kind}/*"

    def one(self, kind: str, resource_id: str) -> str:
        return f"{self}/{kind}/{resource_id}"


def partition_of(region: str | None) -> str:
    """By the region's name (AWS General Reference, partitions); ``UNKNOWN`` where the partition is a rarer one."""
    if region is None or region.startswith(("us-iso", "eu-iso")):
        return UNKNOWN
    named = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for head, name in named.items() if region.startswith(head)), "aws")
