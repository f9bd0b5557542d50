"""Identifiers, each kind a type of its own: an id never stands where a name, or another kind's id, belongs."""

from __future__ import annotations

from typing import NewType

ContactId = NewType("ContactId", str)
QueueId = NewType("QueueId", str)
AgentId = NewType("AgentId", str)
FlowId = NewType("FlowId", str)
HoursId = NewType("HoursId", str)
ProfileId = NewType("ProfileId", str)


def bare_id(text: str) -> str:
    """The id in an ARN (``arn:…:instance/I/queue/Q`` gives ``Q``), or the text itself where it is no ARN.

    Connect writes resources as ids in some answers and as ARNs in others (botocore service model: ``QueueInfo.Id``,
    ``Contact.Arn``); an agent's own queue is ``…/queue/agent/USER`` and keeps both parts.
    """
    if not text.startswith("arn:"):
        return text
    resource = text.split(":", 5)[-1]
    parts = resource.split("/", 3)
    return parts[3] if len(parts) == 4 else parts[-1]
