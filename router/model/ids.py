"""Defines a type for each kind of identifier, so that no id is taken for a name or for an id of another kind."""

from __future__ import annotations

import re
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


_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_COPIED = re.compile(rf"(?:arn:\S+/contact/|https?://\S+/)?({_UUID})(?:[?#/]\S*)?", re.IGNORECASE)
_AROUND = " \t\r\n\v\f\u00a0\u200b\u200e\u200f\u2060\ufeff\"'`<>,;"
"""Characters that are copied together with an id: blanks, those that no screen shows, quotes and separators."""


def contact_id_of(text: str) -> ContactId:
    """Returns the contact id in a text that a person wrote or copied: an id, an ARN or a link, in capitals or not.

    Raises ``ValueError`` if the text cannot be the id of a contact.
    """
    bare = text.strip(_AROUND)
    copied = _COPIED.fullmatch(bare)
    if copied is not None:
        return ContactId(copied[1].lower())
    if not bare or re.search(r"[\s/:]", bare):
        raise ValueError(f"'{text}' is no id of a contact, such as 40797c0d-b39b-44e9-b624-06a0162ef271")
    return ContactId(bare)
