"""Responds to TransferContact and UpdateContactRoutingData."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from router.sandbox.contacts import DEFAULT_PRIORITY
from router.sandbox.directory import CONTACT, bare
from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.refusal import Refusal, invalid_parameter
from router.sandbox.transfer import TransferRequest


def transfer_contact(call: OperationCall) -> Result:
    answer = call.world.perform_transfer(
        TransferRequest(
            contact_id=bare(call.params["ContactId"]),
            flow_id=call.params["ContactFlowId"],
            queue_id=call.params.get("QueueId"),
            user_id=call.params.get("UserId"),
            token=call.params.get("ClientToken"),
        )
    )
    return {"ContactId": answer, "ContactArn": call.world.identity.arn_of(CONTACT, answer)}


def update_contact_routing_data(call: OperationCall) -> Result:
    """Updates the priority or the age, "but not both" (API_UpdateContactRoutingData)."""
    contact = call.contact()
    priority = call.params.get("QueuePriority")
    seconds = call.params.get("QueueTimeAdjustmentSeconds")
    if "RoutingCriteria" in call.params:
        raise invalid_parameter("the sandbox does not offer RoutingCriteria")
    if (priority is None) == (seconds is None):
        raise invalid_parameter("Either QueuePriority or QueueTimeAdjustmentSeconds must be given, but not both")
    if contact.ended:
        raise Refusal("ResourceConflictException", f"Contact {contact.id} has ended")
    delay = call.world.behaviours.routing_delay
    if contact.queued and delay:
        call.state.agenda.at(call.now + delay, lambda: _apply(call, contact.id, priority, seconds))
    else:
        _apply(call, contact.id, priority, seconds)
    return {}


def _apply(call: OperationCall, contact_id: str, priority: int | None, seconds: int | None) -> None:
    """Updates the contact as it is when the update takes effect, which may be later than the call."""
    contact, behaviours = call.state.contact(contact_id), call.world.behaviours
    if contact.ended:
        return
    changes: dict[str, Any]
    if priority is not None:
        changes = {"priority": priority}
        if behaviours.priority_excludes_age:
            changes["adjustment"] = timedelta(0)
    else:
        added = contact.adjustment if behaviours.routing_age == "adds" else timedelta(0)
        changes = {"adjustment": added + timedelta(seconds=seconds or 0)}
        if behaviours.priority_excludes_age:
            changes["priority"] = DEFAULT_PRIORITY
    call.state.change(contact, **changes)
