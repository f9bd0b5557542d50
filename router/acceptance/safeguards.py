"""Refuses every instance that is not meant for the suite, and credentials that could not clean up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.acceptance.lab import Lab, refusal
from router.connect.iam import NOBODY

INSTANCE_TAG, ALLOWED = "connect-router:acceptance", "allowed"

CLEANING: Mapping[str, Mapping[str, Any]] = {
    "DeleteContactFlow": {"ContactFlowId": NOBODY},
    "DeleteHoursOfOperation": {"HoursOfOperationId": NOBODY},
    "DeleteQueue": {"QueueId": NOBODY},
    "DescribeContact": {"ContactId": NOBODY},
    "DescribeContactFlow": {"ContactFlowId": NOBODY},
    "DescribeHoursOfOperation": {"HoursOfOperationId": NOBODY},
    "DescribeQueue": {"QueueId": NOBODY},
    "StopContact": {"ContactId": NOBODY},
    "UpdateHoursOfOperation": {"HoursOfOperationId": NOBODY, "TimeZone": "UTC"},
}
"""Calls on nothing, because IAM decides before Connect looks for it."""


class SuiteRefused(Exception):
    """The suite must not run here. The text states why and what to do."""


def check_instance(lab: Lab) -> str:
    """Returns the ARN of the instance. Raises ``SuiteRefused`` unless it has the tag."""
    answer = lab.call("DescribeInstance")
    if not answer.ok:
        raise SuiteRefused(refusal(answer))
    instance = answer.body["Instance"]
    if (instance.get("Tags") or {}).get(INSTANCE_TAG) != ALLOWED:
        arn = instance["Arn"]
        raise SuiteRefused(
            f"the instance {arn} has no tag {INSTANCE_TAG} = {ALLOWED}: if it is a test instance, tag it with"
            f" aws connect tag-resource --resource-arn {arn} --tags {INSTANCE_TAG}={ALLOWED}"
        )
    return str(instance["Arn"])


def check_cleaning(lab: Lab) -> None:
    """Raises ``SuiteRefused`` if IAM denies a call that every run needs. Nothing was made then."""
    calls = CLEANING.items()
    denied = [operation for operation, parameters in calls if lab.call(operation, **parameters).status == 403]
    if denied:
        names = ", ".join(f"connect:{operation}" for operation in denied)
        raise SuiteRefused(f"IAM denies {names}: the run could not clean up (connect-router policy --acceptance)")
