"""Responds to the calls about the instance, its queues and its flows."""

from __future__ import annotations

import json

from router.sandbox.instance import SandboxFlow, SandboxQueue
from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.operations.conditions import criteria_of, fits
from router.sandbox.refusal import Refusal, invalid_request


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
        }
    }


def list_queues(call: OperationCall) -> Result:
    """Lists the queues, of both types unless QueueTypes is given. An agent's own queue has no name."""
    types = call.params.get("QueueTypes") or ("STANDARD", "AGENT")
    queues = [queue for queue in call.state.register.queues.values() if queue.type in types]
    page, token = call.page(queues, default=100)
    return {"QueueSummaryList": [_queue_summary(call, queue) for queue in page], "NextToken": token}


def describe_queue(call: OperationCall) -> Result:
    queue = call.one(call.state.register.queues, call.params["QueueId"], "Queue")
    if queue.type == "AGENT":
        raise invalid_request("An agent's queue cannot be described")
    return {"Queue": _queue(call, queue)}


def search_queues(call: OperationCall) -> Result:
    """Searches the standard queues only."""
    criteria = criteria_of(call.params)
    found = [
        queue
        for queue in call.state.register.queues.values()
        if queue.type == "STANDARD" and fits(criteria, {"name": queue.name, "description": queue.description or ""})
    ]
    page, token = call.page(found, default=100)
    return {
        "Queues": [_queue(call, queue) for queue in page],
        "NextToken": token,
        "ApproximateTotalCount": len(found),
    }


def _queue_summary(call: OperationCall, queue: SandboxQueue) -> Result:
    return {
        "Id": queue.id,
        "Arn": queue.arn,
        "Name": queue.name if queue.type == "STANDARD" else None,
        "QueueType": queue.type,
        "LastModifiedTime": queue.modified_at,
        "LastModifiedRegion": call.world.identity.region,
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
        "LastModifiedTime": queue.modified_at,
        "LastModifiedRegion": call.world.identity.region,
    }


def list_contact_flows(call: OperationCall) -> Result:
    types = call.params.get("ContactFlowTypes")
    flows = [flow for flow in call.state.register.flows.values() if not types or flow.type in types]
    page, token = call.page(flows, default=100)
    return {"ContactFlowSummaryList": [_flow_summary(flow) for flow in page], "NextToken": token}


def describe_contact_flow(call: OperationCall) -> Result:
    flow = call.one(call.state.register.flows, call.params["ContactFlowId"], "Contact flow")
    if flow.status != "PUBLISHED":
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
            "Content": json.dumps({"Version": "2019-10-30", "StartAction": "", "Actions": []}),
            "LastModifiedTime": flow.modified_at,
            "LastModifiedRegion": call.world.identity.region,
        }
    }


def _flow_summary(flow: SandboxFlow) -> Result:
    return {
        "Id": flow.id,
        "Arn": flow.arn,
        "Name": flow.name,
        "ContactFlowType": flow.type,
        "ContactFlowState": flow.state,
        "ContactFlowStatus": flow.status,
    }
