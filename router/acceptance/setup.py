"""Makes the queues, flows and hours of operation of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from router.acceptance.lab import Lab, RunResources, refusal
from router.acceptance.probe import Unsettled

CLOSED_IN = timedelta(days=30)
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
MIDNIGHT = {"Hours": 0, "Minutes": 0}
ALWAYS = [{"Day": day, "StartTime": MIDNIGHT, "EndTime": MIDNIGHT} for day in DAYS]

ATTEMPTS = 4
LISTS = {
    "CreateContactFlow": ("ListContactFlows", "ContactFlowSummaryList"),
    "CreateHoursOfOperation": ("ListHoursOfOperations", "HoursOfOperationSummaryList"),
    "CreateQueue": ("ListQueues", "QueueSummaryList"),
}
"""The operations that list what these make."""


def _action(identifier: str, kind: str, following: str, **parameters: str) -> dict[str, Any]:
    errors = [{"NextAction": "end", "ErrorType": error} for error in ("QueueAtCapacity", "NoMatchingError")]
    if kind != "TransferContactToQueue":
        errors = errors[1:]
    transitions = {"NextAction": following, "Errors": errors, "Conditions": []}
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def _flow(start: str, *actions: Mapping[str, Any]) -> str:
    end = {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    return json.dumps({"Version": "2019-10-30", "StartAction": start, "Actions": [*actions, end]})


_QUEUE = _action("queue", "TransferContactToQueue", "end")
TO_WORKING_QUEUE = _flow("queue", _QUEUE)
"""Puts the contact into its working queue, and ends it if it has none."""


def to_queue(queue_id: str) -> str:
    """Returns the content of a flow that puts each contact into this queue."""
    return _flow("set", _action("set", "UpdateContactTargetQueue", "queue", QueueId=queue_id), _QUEUE)


def make_resources(lab: Lab) -> RunResources:
    """Makes the resources of the run. Raises ``Unsettled`` if one cannot be made."""
    hours_id = _made(
        lab, "CreateHoursOfOperation", "HoursOfOperationId", Name=lab.name("hours"), TimeZone="UTC", Config=ALWAYS
    )
    closed = (lab.clock.now() + CLOSED_IN).date().isoformat()
    override = lab.call(
        "CreateHoursOfOperationOverride",
        HoursOfOperationId=hours_id,
        Name=lab.name("closed"),
        Config=[],
        EffectiveFrom=closed,
        EffectiveTill=closed,
    )
    queue_a, queue_b = (
        _made(lab, "CreateQueue", "QueueId", Name=lab.name(f"queue-{letter}"), HoursOfOperationId=hours_id)
        for letter in ("a", "b")
    )
    return RunResources(
        queue_a=queue_a,
        queue_b=queue_b,
        inbound=make_flow(lab, "inbound", "CONTACT_FLOW", to_queue(queue_a)),
        transfer=make_flow(lab, "transfer", "QUEUE_TRANSFER", TO_WORKING_QUEUE),
        hours_id=hours_id,
        closed_date=closed if override.ok else None,
        no_closed_date="" if override.ok else refusal(override),
        own=True,
    )


def make_flow(lab: Lab, name: str, type: str, content: str, *, status: str = "PUBLISHED") -> str:
    """Makes a flow with the run's tag, and returns its id. Raises ``Unsettled``."""
    return _made(
        lab, "CreateContactFlow", "ContactFlowId", Name=lab.name(name), Type=type, Content=content, Status=status
    )


def _made(lab: Lab, operation: str, member: str, **parameters: Any) -> str:
    """Makes a part of the instance. A call without a known outcome is repeated: the name is unique."""
    for _ in range(ATTEMPTS):
        answer = lab.call(operation, Tags=lab.tags, **parameters)
        if answer.ok:
            return str(answer.body[member])
        if answer.code == "DuplicateResourceException":
            names = {str(row.get("Name")): str(row["Id"]) for row in rows(lab, *LISTS[operation])}
            if parameters["Name"] in names:
                return names[parameters["Name"]]
        if not answer.uncertain:
            break
    raise Unsettled(refusal(answer))


def rows(lab: Lab, operation: str, member: str, **parameters: Any) -> list[Mapping[str, Any]]:
    """Returns all rows of a list. Raises ``Unsettled``."""
    found: list[Mapping[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        body = lab.need(operation, MaxResults=100, **parameters, **token)
        found += body.get(member) or ()
        if not body.get("NextToken"):
            return found
        token = {"NextToken": body["NextToken"]}
