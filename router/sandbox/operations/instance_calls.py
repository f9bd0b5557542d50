"""Responds to the calls about the instance, its queues, its flows and its hours of operation."""

from __future__ import annotations

from datetime import date, time, timedelta

from router.sandbox.directory import DAYS, EMAIL_ADDRESS, Identity
from router.sandbox.faults import Refusal, invalid_parameter, invalid_request
from router.sandbox.instance import SandboxHours, SandboxQueue, Window
from router.sandbox.operations.call import OperationCall, Result

LONGEST = timedelta(days=366)


def describe_instance(call: OperationCall) -> Result:
    identity = call.world.identity
    return {
        "Instance": {
            "Id": identity.instance_id,
            "Arn": identity.arn,
            "IdentityManagementType": "CONNECT_MANAGED",
            "InstanceAlias": identity.alias,
            "CreatedTime": call.world.started_at,
            "ServiceRole": f"arn:aws:iam::{identity.account}:role/aws-service-role/connect.amazonaws.com/"
            "AWSServiceRoleForAmazonConnect",
            "InstanceStatus": "ACTIVE",
            "InboundCallsEnabled": True,
            "OutboundCallsEnabled": True,
            "InstanceAccessUrl": f"https://{identity.alias}.my.connect.aws",
            "Tags": dict(identity.tags) or None,
        }
    }


def list_queues(call: OperationCall) -> Result:
    """Lists the queues, of both types unless QueueTypes is given. An agent's own queue has no name."""
    types = call.params.get("QueueTypes") or ("STANDARD", "AGENT")
    queues = [queue for queue in call.state.register.queues.values() if queue.type in types]
    return call.rows("QueueSummaryList", queues, lambda queue: _queue_summary(call, queue))


def describe_queue(call: OperationCall) -> Result:
    queue = call.one(call.state.register.queues, call.params["QueueId"], "Queue")
    if queue.type == "AGENT":
        raise invalid_request("An agent's queue cannot be described")
    return {"Queue": _queue(call, queue)}


def search_queues(call: OperationCall) -> Result:
    """Searches the standard queues only."""
    standard = [queue for queue in call.state.register.queues.values() if queue.type == "STANDARD"]
    found = call.searched(standard, lambda queue: {"name": queue.name, "description": queue.description or ""})
    return call.rows("Queues", found, lambda queue: _queue(call, queue), total="ApproximateTotalCount")


def search_email_addresses(call: OperationCall) -> Result:
    identity = call.world.identity
    found = call.searched(identity.email_addresses, lambda address: {"EmailAddress": address})
    return call.rows("EmailAddresses", found, lambda address: _email_address(identity, address))


def _email_address(identity: Identity, address: str) -> Result:
    address_id = identity.id_of(EMAIL_ADDRESS, address)
    return {
        "EmailAddressId": address_id,
        "EmailAddressArn": identity.arn_of(EMAIL_ADDRESS, address_id),
        "EmailAddress": address,
    }


def _queue_summary(call: OperationCall, queue: SandboxQueue) -> Result:
    return {
        "Id": queue.id,
        "Arn": queue.arn,
        "Name": queue.name if queue.type == "STANDARD" else None,
        "QueueType": queue.type,
        **call.modified(queue),
    }


def _queue(call: OperationCall, queue: SandboxQueue) -> Result:
    return {
        "Name": queue.name,
        "QueueArn": queue.arn,
        "QueueId": queue.id,
        "Description": queue.description,
        "HoursOfOperationId": queue.hours_id,
        "MaxContacts": queue.capacity,
        "Status": "ENABLED" if queue.enabled else "DISABLED",
        "Tags": dict(queue.tags) or None,
        **call.modified(queue),
    }


def list_contact_flows(call: OperationCall) -> Result:
    types = call.params.get("ContactFlowTypes")
    flows = [flow for flow in call.state.register.flows.values() if not types or flow.type in types]
    return call.rows(
        "ContactFlowSummaryList",
        flows,
        lambda flow: {
            "Id": flow.id,
            "Arn": flow.arn,
            "Name": flow.name,
            "ContactFlowType": flow.type,
            "ContactFlowState": flow.state,
            "ContactFlowStatus": flow.status,
        },
    )


def describe_contact_flow(call: OperationCall) -> Result:
    reference, _, alias = call.params["ContactFlowId"].partition(":$")
    flow = call.one(call.state.register.flows, reference, "Contact flow")
    if flow.status != "PUBLISHED" and alias != "SAVED":
        raise Refusal("ContactFlowNotPublishedException", "The flow has not been published.")
    return {
        "ContactFlow": {
            "Arn": flow.arn,
            "Id": flow.id,
            "Name": flow.name,
            "Type": flow.type,
            "State": flow.state,
            "Status": flow.status,
            "Description": flow.description,
            "Content": flow.blocks.text,
            "Tags": dict(flow.tags) or None,
            **call.modified(flow),
        }
    }


def list_hours_of_operations(call: OperationCall) -> Result:
    return call.rows(
        "HoursOfOperationSummaryList",
        call.state.register.hours.values(),
        lambda hours: {"Id": hours.id, "Arn": hours.arn, "Name": hours.name, **call.modified(hours)},
    )


def describe_hours_of_operation(call: OperationCall) -> Result:
    hours = _hours(call)
    return {
        "HoursOfOperation": {
            "HoursOfOperationId": hours.id,
            "HoursOfOperationArn": hours.arn,
            "Name": hours.name,
            "Description": hours.description,
            "TimeZone": hours.zone,
            "Config": [
                {"Day": day, "StartTime": _slice(start), "EndTime": _slice(end)}
                for day, windows in hours.week.items()
                for start, end in windows
            ],
            "Tags": dict(hours.tags) or None,
            **call.modified(hours),
        }
    }


def get_effective_hours_of_operations(call: OperationCall) -> Result:
    """Lists each local day with its hours, overrides applied. Both dates are included."""
    hours = _hours(call)
    first, last = _date(call, "FromDate"), _date(call, "ToDate")
    if not first <= last <= first + LONGEST:
        raise invalid_parameter("ToDate must be at most a year after FromDate, and not before it")
    form = call.world.behaviours.closed_date
    days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    closed = {day for day in days if not _windows(hours, day) and _is_overridden(hours, day)}
    return {
        "EffectiveHoursOfOperationList": [
            {
                "Date": day.isoformat(),
                "OperationalHours": [{"Start": _slice(a), "End": _slice(b)} for a, b in _windows(hours, day)],
            }
            for day in days
            if form == "empty_list" or day not in closed
        ],
        "EffectiveOverrideHoursList": [
            row for day in days if form != "left_out" or day not in closed for row in _override_rows(hours, day)
        ],
        "TimeZone": hours.zone,
    }


def _hours(call: OperationCall) -> SandboxHours:
    return call.one(call.state.register.hours, call.params["HoursOfOperationId"], "Hours of operation")


def _date(call: OperationCall, member: str) -> date:
    try:
        return date.fromisoformat(call.params[member])
    except ValueError:
        raise invalid_parameter(f"{member} is no date") from None


def _windows(hours: SandboxHours, day: date) -> tuple[Window, ...]:
    for override in hours.overrides:
        if override.first <= day <= override.last:
            return override.windows
    return hours.week.get(DAYS[day.weekday()], ())


def _is_overridden(hours: SandboxHours, day: date) -> bool:
    return any(override.first <= day <= override.last for override in hours.overrides)


def _override_rows(hours: SandboxHours, day: date) -> list[Result]:
    return [
        {
            "Date": day.isoformat(),
            "OverrideHours": [
                {
                    "Start": _slice(start),
                    "End": _slice(end),
                    "OverrideName": override.name,
                    "OperationalStatus": "OPEN" if override.windows else "CLOSED",
                }
                for start, end in override.windows or ((time(0, 0), time(0, 0)),)
            ],
        }
        for override in hours.overrides
        if override.first <= day <= override.last
    ]


def _slice(instant: time) -> Result:
    return {"Hours": instant.hour, "Minutes": instant.minute}
