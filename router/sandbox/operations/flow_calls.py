"""ListContactFlows, DescribeContactFlow."""

from __future__ import annotations

import json

from router.sandbox.instance import SandboxFlow
from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.refusal import Refusal


def list_contact_flows(call: OperationCall) -> Result:
    types = call.params.get("ContactFlowTypes")
    flows = [flow for flow in call.state.register.flows.values() if not types or flow.type in types]
    page, token = call.page(flows, default=100)
    return {"ContactFlowSummaryList": [_summary(flow) for flow in page], "NextToken": token}


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


def _summary(flow: SandboxFlow) -> Result:
    return {
        "Id": flow.id,
        "Arn": flow.arn,
        "Name": flow.name,
        "ContactFlowType": flow.type,
        "ContactFlowState": flow.state,
        "ContactFlowStatus": flow.status,
    }
