"""Responds to the calls that make, change and delete parts of the instance: queues, flows, hours of operation."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any

from router.sandbox.faults import Refusal, invalid_parameter, invalid_request
from router.sandbox.flow_blocks import FlowBlocks
from router.sandbox.instance import Override, Resource, Window
from router.sandbox.operations.call import OperationCall, Result


def create_queue(call: OperationCall) -> Result:
    params, register = call.params, call.state.register
    _check_new(register.queues, params["Name"])
    hours = call.one(register.hours, params["HoursOfOperationId"], "Hours of operation")
    queue = call.world.add_queue(
        params["Name"],
        hours=hours.id,
        capacity=params.get("MaxContacts"),
        description=params.get("Description"),
        tags=params.get("Tags"),
    )
    return {"QueueId": queue.id, "QueueArn": queue.arn}


def create_contact_flow(call: OperationCall) -> Result:
    params = call.params
    _check_new(call.state.register.flows, params["Name"])
    try:
        content = FlowBlocks.parse(params["Content"])
    except ValueError as error:
        raise invalid_request(str(error)) from None
    flow = call.world.add_flow(
        params["Name"],
        type=params["Type"],
        status=params.get("Status", "PUBLISHED"),
        content=content,
        description=params.get("Description"),
        tags=params.get("Tags"),
    )
    return {"ContactFlowId": flow.id, "ContactFlowArn": flow.arn}


def update_contact_flow_metadata(call: OperationCall) -> Result:
    """Changes the state of a flow: archived or active."""
    flow = call.one(call.state.register.flows, call.params["ContactFlowId"], "Contact flow")
    call.world.set_flow(flow.id, state=call.params.get("ContactFlowState", flow.state))
    return {}


def create_hours_of_operation(call: OperationCall) -> Result:
    params = call.params
    _check_new(call.state.register.hours, params["Name"])
    hours = call.world.add_hours(
        params["Name"],
        zone=params["TimeZone"],
        week=_week(params["Config"]),
        description=params.get("Description"),
        tags=params.get("Tags"),
    )
    return {"HoursOfOperationId": hours.id, "HoursOfOperationArn": hours.arn}


def update_hours_of_operation(call: OperationCall) -> Result:
    """Changes the description, the zone or the week. The sandbox does not rename."""
    params, register = call.params, call.state.register
    hours = call.one(register.hours, params["HoursOfOperationId"], "Hours of operation")
    if params.get("Name", hours.name) != hours.name:
        raise invalid_request("the sandbox does not rename hours of operation")
    week = {"week": _week(params["Config"])} if "Config" in params else {}
    zone, description = params.get("TimeZone", hours.zone), params.get("Description", hours.description)
    call.world.set_hours(hours.id, zone=zone, description=description, **week)
    return {}


def create_hours_of_operation_override(call: OperationCall) -> Result:
    """Adds an override. Without windows its days are closed."""
    params = call.params
    hours = call.one(call.state.register.hours, params["HoursOfOperationId"], "Hours of operation")
    try:
        first, last = (date.fromisoformat(params[name]) for name in ("EffectiveFrom", "EffectiveTill"))
    except ValueError:
        raise invalid_parameter("EffectiveFrom and EffectiveTill must be dates") from None
    windows = tuple(sorted({_window(row) for row in params["Config"]}))
    override = Override(name=params["Name"], first=first, last=last, windows=windows)
    call.world.set_hours(hours.id, overrides=(*hours.overrides, override))
    return {"HoursOfOperationOverrideId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{hours.id}/{override.name}"))}


def delete_queue(call: OperationCall) -> Result:
    queue = call.one(call.state.register.queues, call.params["QueueId"], "Queue")
    if call.state.contacts.waiting(queue.id):
        raise Refusal("ResourceInUseException", f"Queue {queue.id} still has contacts")
    call.world.remove(queue.id)
    return {}


def delete_contact_flow(call: OperationCall) -> Result:
    call.world.remove(call.one(call.state.register.flows, call.params["ContactFlowId"], "Contact flow").id)
    return {}


def delete_hours_of_operation(call: OperationCall) -> Result:
    register = call.state.register
    hours = call.one(register.hours, call.params["HoursOfOperationId"], "Hours of operation")
    if any(queue.hours_id == hours.id for queue in register.queues.values()):
        raise invalid_request(f"A queue has the hours of operation {hours.id}")
    call.world.remove(hours.id)
    return {}


def _check_new(things: Mapping[str, Resource], name: str) -> None:
    """Raises ``Refusal`` if there is one of the name."""
    if any(each.name == name for each in things.values()):
        raise Refusal("DuplicateResourceException", f"{name} exists already")


def _window(row: Mapping[str, Any]) -> Window:
    start, end = (time(row[name]["Hours"], row[name]["Minutes"]) for name in ("StartTime", "EndTime"))
    return start, end


def _week(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Window, ...]]:
    return {day: tuple(_window(row) for row in rows if row["Day"] == day) for day in {row["Day"] for row in rows}}
