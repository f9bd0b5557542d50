"""Defines a type for each kind of identifier, so that no id is taken for a name or for an id of another kind."""

from __future__ import annotations

from typing import NewType

ContactId = NewType("ContactId", str)
QueueId = NewType("QueueId", str)
AgentId = NewType("AgentId", str)
FlowId = NewType("FlowId", str)
HoursId = NewType("HoursId", str)
ProfileId = NewType("ProfileId", str)


def bare_id(text: str) -> str:
    """Returns the id in an ARN (``arn:…:instance/I/queue/Q`` gives ``Q``), or the text itself if it is no ARN.

    Some responses of Connect have ids and others ARNs (botocore service model: ``QueueInfo.Id``, ``Contact.Arn``). An
    agent's own queue is ``…/queue/agent/USER``; both parts remain.
    """
    if not text.startswith("arn:"):
        return text
    resource = text.split(":", 5)[-1]
    parts = resource.split("/", 3)
    return parts[3] if len(parts) == 4 else parts[-1]
