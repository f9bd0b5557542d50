"""DescribeInstance."""

from __future__ import annotations

from router.sandbox.operations.call import OperationCall, Result


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
