"""Builds the least IAM policy of the suite. What it makes, changes and deletes must have the suite's tag."""

from __future__ import annotations

from router.acceptance.lab import TAG
from router.connect.iam import CONTACT, FLOW, INSTANCE, NOBODY, QUEUE, InstanceArn
from router.inspect.iam_policy import Policy, Statement

HOURS, AGENT, PROFILE = "operating-hours", "agent", "routing-profile"

ON_TAGGED = f"aws:ResourceTag/{TAG}"
WITH_TAG = f"aws:RequestTag/{TAG}"

READS: dict[tuple[str, ...], tuple[str, ...]] = {
    (INSTANCE,): (
        "DescribeInstance",
        "GetEffectiveHoursOfOperations",
        "ListHoursOfOperations",
        "ListUsers",
        "SearchEmailAddresses",
        "SearchContacts",
        "SearchRoutingProfiles",
    ),
    (CONTACT,): ("DescribeContact", "GetContactMetrics", "ListAssociatedContacts"),
    (FLOW,): ("DescribeContactFlow", "ListContactFlows"),
    (HOURS,): ("DescribeHoursOfOperation", "GetEffectiveHoursOfOperations"),
    (QUEUE,): ("DescribeQueue", "GetCurrentMetricData", "ListQueues"),
    (AGENT, QUEUE, PROFILE): ("GetCurrentUserData",),
    (PROFILE,): ("DescribeRoutingProfile",),
}
"""Reading operations by the kinds of resource (Service Authorization Reference, Amazon Connect)."""

CONTACTS = (
    "AssociateContactWithUser",
    "PauseContact",
    "ResumeContact",
    "StartEmailContact",
    "StartTaskContact",
    "StopContact",
    "TagContact",
    "TransferContact",
    "UpdateContactRoutingData",
)
"""On contacts, of which a transfer may lose the tag: they cannot be restricted by it."""
THROUGH_FLOWS = ("PauseContact", "ResumeContact", "StartEmailContact", "StartTaskContact", "TransferContact")
MADE = ("CreateContactFlow", "CreateHoursOfOperation", "CreateQueue", "TagResource")
CHANGED = (
    "CreateHoursOfOperationOverride",
    "DeleteContactFlow",
    "DeleteHoursOfOperation",
    "DeleteQueue",
    "UpdateContactFlowMetadata",
    "UpdateHoursOfOperation",
)
TRIED = {
    FLOW: ("DeleteContactFlow",),
    HOURS: ("DeleteHoursOfOperation", "UpdateHoursOfOperation"),
    QUEUE: ("DeleteQueue",),
}
"""Called on nothing, which has no tag, before the first resource is made."""


def acceptance_policy(arn: InstanceArn) -> Policy:
    """Returns the policy for a run with ``--setup``. Named queues and flows need the suite's tag."""
    made = tuple(arn.every(kind) for kind in (FLOW, HOURS, QUEUE))
    reads = tuple(
        Statement(f"AcceptanceReads{number}", _actions(operations), tuple(arn.every(kind) for kind in kinds))
        for number, (kinds, operations) in enumerate(READS.items(), 1)
    )
    contacts = tuple(arn.every(kind) for kind in (INSTANCE, CONTACT, AGENT))
    return Policy(
        statements=(
            *reads,
            Statement("AcceptanceContacts", _actions(CONTACTS), contacts),
            Statement("AcceptanceFlows", _actions(THROUGH_FLOWS), (arn.every(FLOW),), ON_TAGGED),
            Statement("AcceptanceMakes", _actions(MADE), (str(arn), *made), WITH_TAG),
            Statement("AcceptanceRemoves", _actions(CHANGED), made, ON_TAGGED),
            *(
                Statement(f"AcceptanceTries{number}", _actions(operations), (arn.one(kind, NOBODY),))
                for number, (kind, operations) in enumerate(TRIED.items(), 1)
            ),
        )
    )


def _actions(operations: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"connect:{operation}" for operation in sorted(operations))
