"""Responds to the calls about one contact: describe it, start, stop, pause and resume it, transfer and update it.

They are enough to drive the sandbox with ``aws connect``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from router.sandbox.chains import add_successor, has_room, transferred_reason
from router.sandbox.contacts import DEFAULT_PRIORITY, SandboxContact
from router.sandbox.directory import CONTACT, bare
from router.sandbox.faults import Refusal, invalid_parameter, invalid_request
from router.sandbox.instance import SandboxFlow
from router.sandbox.lifecycle import PAUSES, Particulars
from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.operations.contact_rows import associated_row, full_row
from router.sandbox.transfer import TransferRequest

ACTIVE_TASKS = 2500
"""AWS's quota "Concurrent active tasks per instance"."""

LATEST_SCHEDULE = timedelta(days=90)


def describe_contact(call: OperationCall) -> Result:
    return {"Contact": full_row(call.state, call.contact())}


def list_associated_contacts(call: OperationCall) -> Result:
    """Lists the contact tree: the chain and every related contact, in order of initiation."""
    contact = call.contact()
    tree = {each.id: each for each in call.state.contacts.chain(contact.chain.root)}
    related = [each for each in call.state.contacts.all_at(call.now) if each.chain.related_id in tree]
    tree |= {each.id: each for each in related}
    if contact.chain.related_id and (origin := call.state.contacts.get(contact.chain.related_id)):
        tree[origin.id] = origin
    rows = sorted(tree.values(), key=lambda each: (each.life.initiated_at, each.chain.position, each.id))
    return call.rows("ContactSummaryList", rows, lambda each: associated_row(call.state, each))


def get_contact_attributes(call: OperationCall) -> Result:
    return {"Attributes": dict(call.contact("InitialContactId").content.attributes)}


def start_task_contact(call: OperationCall) -> Result:
    """Starts a task by ContactFlowId. The flow's outcome determines the queue in which the task waits.

    The sandbox has no quick connects and no task templates."""
    params = call.params
    token = params.get("ClientToken")
    started = call.world.started_tasks
    if token is not None and token in started:
        return {"ContactId": started[token]}
    flow = _flow(call)
    previous = call.contact("PreviousContactId") if "PreviousContactId" in params else None
    _check_room(call, previous)
    contact = call.world.lifecycle.create(_particulars(call), previous=previous)
    if contact.life.started:
        call.world.lifecycle.flows.run(contact, flow, None)
    else:
        call.world.run_when_scheduled(contact, flow)
    if token is not None:
        started[token] = contact.id
    return {"ContactId": contact.id}


def stop_contact(call: OperationCall) -> Result:
    contact = call.contact()
    if contact.ended:
        raise Refusal("ContactNotFoundException", f"Contact {contact.id} has ended")
    call.world.routing.finish(contact, "API")
    return {}


def pause_contact(call: OperationCall) -> Result:
    contact = call.contact()
    if contact.pause.pauses >= PAUSES:
        raise Refusal("LimitExceededException", f"Contact {contact.id} has been paused {PAUSES} times")
    if contact.pause.paused:
        raise Refusal("ConflictException", f"Contact {contact.id} is paused already")
    try:
        call.world.lifecycle.pause(contact)
    except ValueError as error:
        raise invalid_request(str(error)) from error
    return {}


def resume_contact(call: OperationCall) -> Result:
    contact = call.contact()
    if contact.ended:
        raise invalid_request(f"Contact {contact.id} is not active")
    try:
        call.world.lifecycle.resume(contact)
    except ValueError as error:
        raise Refusal("ConflictException", str(error)) from error
    return {}


def tag_contact(call: OperationCall) -> Result:
    contact = call.contact()
    call.state.change(contact, tags={**contact.content.tags, **call.params["Tags"]})
    return {}


def start_email_contact(call: OperationCall) -> Result:
    """Starts an e-mail by ContactFlowId, as an e-mail that a customer has sent."""
    params, started = call.params, call.world.started_tasks
    repeated = started.get(params.get("ClientToken", ""))
    if repeated is not None:
        return {"ContactId": repeated}
    flow = _flow(call)
    what = Particulars(
        channel="EMAIL",
        name=params.get("Name"),
        attributes=params.get("Attributes") or {},
        segment_attributes=_plain(params.get("SegmentAttributes") or {}),
        from_address=params["FromEmailAddress"]["EmailAddress"],
        to_address=params["DestinationEmailAddress"],
    )
    contact = call.world.lifecycle.create(what)
    call.world.lifecycle.flows.run(contact, flow, None)
    started[params.get("ClientToken", contact.id)] = contact.id
    return {"ContactId": contact.id}


def associate_contact_with_user(call: OperationCall) -> Result:
    """Gives a waiting contact to an agent, who accepts it at once."""
    contact = call.contact()
    user = call.one(call.state.register.users, call.params["UserId"], "User")
    if not contact.queued:
        raise invalid_request(f"Contact {contact.id} is not in a queue")
    routing = call.world.routing
    if call.world.behaviours.associated_segment == "new_segment":
        ended, queue_id = contact, contact.queue_id
        segment = add_successor(call.state, contact, initiation_method="TRANSFER")
        contact = call.state.change(segment, queue_id=queue_id, enqueued_at=call.now, queued=True)
        routing.finish(ended, transferred_reason(ended))
    routing.accept(contact, user)
    return {}


def _flow(call: OperationCall) -> SandboxFlow:
    params = call.params
    if "QuickConnectId" in params or "TaskTemplateId" in params:
        raise invalid_request("the sandbox starts contacts by ContactFlowId only")
    if "ContactFlowId" not in params:
        raise invalid_request("ContactFlowId must be given")
    flow = call.one(call.state.register.flows, params["ContactFlowId"], "Contact flow")
    if flow.type != "CONTACT_FLOW" or flow.state != "ACTIVE" or flow.status != "PUBLISHED":
        raise invalid_request(f"Contact flow {flow.id} is no published inbound flow")
    return flow


def _check_room(call: OperationCall, previous: SandboxContact | None) -> None:
    if previous is not None and not has_room(call.state, previous):
        raise Refusal("ServiceQuotaExceededException", f"The chain of contact {previous.id} is full")
    if sum(each.channel == "TASK" for each in call.state.contacts.open()) >= ACTIVE_TASKS:
        raise Refusal("ServiceQuotaExceededException", f"The instance has {ACTIVE_TASKS} active tasks")


def _particulars(call: OperationCall) -> Particulars:
    params = call.params
    attributes = dict(params.get("Attributes") or {})
    if "RelatedContactId" in params:
        attributes = dict(call.contact("RelatedContactId").content.attributes) | attributes
    return Particulars(
        channel="TASK",
        name=params["Name"],
        description=params.get("Description"),
        attributes=attributes,
        segment_attributes=_plain(params.get("SegmentAttributes") or {}),
        related_id=params.get("RelatedContactId"),
        scheduled_at=_schedule(call, params.get("ScheduledTime")),
    )


def _schedule(call: OperationCall, instant: datetime | None) -> datetime | None:
    if instant is not None and not call.now < instant <= call.now + LATEST_SCHEDULE:
        raise invalid_parameter("ScheduledTime must be within the next 90 days")
    return instant


def _plain(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, str | int]:
    plain = {}
    for key, value in attributes.items():
        if "ValueString" not in value and "ValueInteger" not in value:
            raise invalid_request("the sandbox offers ValueString and ValueInteger in SegmentAttributes")
        plain[key] = value.get("ValueString", value.get("ValueInteger", ""))
    return plain


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
