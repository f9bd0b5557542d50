"""Writes a contact in the three forms that the API has for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from router.sandbox.contacts import DEFAULT_PRIORITY, SandboxContact
from router.sandbox.directory import CONTACT, TASK_TEMPLATE
from router.sandbox.instance import SandboxQueue
from router.sandbox.operations.call import Result
from router.sandbox.state import State


def search_row(state: State, contact: SandboxContact) -> Result:
    """Returns a ContactSearchSummary, which has no attributes, priority, pause or addresses."""
    return _times(state, contact) | {
        "AgentInfo": {"Id": contact.agent_id, "ConnectedToAgentTimestamp": contact.connected_at}
        if contact.agent_id
        else None,
        "ScheduledTimestamp": contact.life.scheduled_at,
        "QueueInfo": _queue_info(state, contact),
        "Name": contact.content.name,
        "SegmentAttributes": _segment_attributes(contact, integers=False),
        "Tags": dict(contact.content.tags) or None,
    }


def associated_row(state: State, contact: SandboxContact) -> Result:
    row = _times(state, contact)
    row["ContactId"], row["ContactArn"] = row.pop("Id"), row.pop("Arn")
    return row | {"RelatedContactId": contact.chain.related_id}


def full_row(state: State, contact: SandboxContact) -> Result:
    """Returns the contact as DescribeContact does."""
    identity = state.identity
    paused_for = contact.pause.paused_for
    template = contact.content.task_template
    return search_row(state, contact) | {
        "AgentInfo": {
            "Id": contact.agent_id,
            "AcceptedByAgentTimestamp": contact.connected_at,
            "ConnectedToAgentTimestamp": contact.connected_at,
        }
        if contact.agent_id
        else None,
        "Description": contact.content.description,
        "LastUpdateTimestamp": contact.life.updated_at,
        "ConnectedToSystemTimestamp": contact.life.connected_to_system_at,
        "LastPausedTimestamp": contact.pause.paused_at,
        "LastResumedTimestamp": contact.pause.resumed_at,
        "TotalPauseCount": contact.pause.pauses or None,
        "TotalPauseDurationInSeconds": int(paused_for.total_seconds()) if contact.pause.pauses else None,
        "RelatedContactId": contact.chain.related_id,
        "CustomerEndpoint": _address(contact.content.from_address),
        "SystemEndpoint": _address(contact.content.to_address),
        **_place(contact),
        "SegmentAttributes": _segment_attributes(contact, integers=True),
        "DisconnectReason": contact.life.disconnect_reason,
        "TaskTemplateInfo": {
            "Arn": identity.arn_of(TASK_TEMPLATE, identity.id_of(TASK_TEMPLATE, template)),
            "Name": template,
        }
        if template
        else None,
        "Attributes": dict(contact.content.attributes),
    }


def queue_reference(state: State, queue: SandboxQueue) -> str:
    """Returns the content of QueueInfo.Id, which depends on the behaviours."""
    arn = state.behaviours.queue_info == "arn" or (queue.type == "AGENT" and state.behaviours.agent_queue_id == "arn")
    return queue.arn if arn else queue.id


def _times(state: State, contact: SandboxContact) -> Result:
    return {
        "Arn": state.identity.arn_of(CONTACT, contact.id),
        "Id": contact.id,
        "InitialContactId": contact.chain.initial_id,
        "PreviousContactId": contact.chain.previous_id,
        "InitiationMethod": contact.life.initiation_method,
        "Channel": contact.channel,
        "InitiationTimestamp": contact.life.initiated_at,
        "DisconnectTimestamp": contact.life.disconnected_at,
    }


def _queue_info(state: State, contact: SandboxContact) -> Result | None:
    if contact.queue_id is None or (contact.pause.dequeued_by_pause and not state.behaviours.paused_looks_queued):
        return None
    queue = state.register.queues.get(contact.queue_id)
    reference = queue_reference(state, queue) if queue else contact.queue_id
    return {"Id": reference, "EnqueueTimestamp": contact.enqueued_at}


def _place(contact: SandboxContact) -> Result:
    """Returns the priority and the adjustment, each if it is set. If neither is, the priority is 5."""
    adjusted = contact.adjustment != timedelta(0)
    shown = contact.priority != DEFAULT_PRIORITY or not adjusted
    return {
        "QueuePriority": contact.priority if shown else None,
        "QueueTimeAdjustmentSeconds": int(contact.adjustment.total_seconds()) if adjusted else None,
    }


def _segment_attributes(contact: SandboxContact, *, integers: bool) -> dict[str, Any] | None:
    """Returns the attributes, without integers for ContactSearchSummary, which has only text."""
    shown = {
        key: {"ValueInteger": value} if isinstance(value, int) else {"ValueString": value}
        for key, value in contact.content.segment_attributes.items()
        if integers or not isinstance(value, int)
    }
    return shown or None


def _address(address: str | None) -> Result | None:
    return {"Type": "EMAIL_ADDRESS", "Address": address} if address else None
