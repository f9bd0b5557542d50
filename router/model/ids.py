"""Defines a type for each kind of identifier, so that no id is taken for a name or for an id of another kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
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


_KINDS = {
    "contact": "contact",
    "queue": "queue",
    "agent": "agent",
    "contact-flow": "flow",
    "operating-hours": "hours of operation",
}
"""Names the kinds of resource in an ARN (Service Authorization Reference, resource types of Amazon Connect)."""
_RESOURCE = re.compile(r"arn:[^:]*:connect:([^:]*):([^:]*):instance/([^/]+)(?:/([^/]+)/.+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Home:
    """Names the instance that this router works for; ``None`` replaces a part that is not known."""

    instance_id: str | None = None
    region: str | None = None
    account: str | None = None

    def objection(self, reference: str, kind: str) -> str | None:
        """Returns why an ARN is not that of such a thing in this instance, for people; ``None`` if it is, or if the
        reference is no ARN."""
        if reference[:4].lower() != "arn:":
            return None
        parts = _RESOURCE.fullmatch(reference)
        if parts is None:
            return f"is no ARN of a {kind} of Amazon Connect"
        region, account, instance_id, found = parts.groups()
        found = (found or "instance").lower()
        if _KINDS.get(found) != kind:
            return f"is the ARN of another kind ({_KINDS.get(found, found)}), not of a {kind}"
        if self._has(instance_id=instance_id, region=region, account=account):
            return None
        here = "" if self.region is None else f" in {self.region}"
        here += "" if self.account is None else f", account {self.account}"
        there = f"instance {instance_id.lower()} in {region.lower()}, account {account}"
        return f"belongs to {there}; this router works for instance {self.instance_id}{here}"

    def _has(self, *, instance_id: str, region: str, account: str) -> bool:
        pairs = (self.instance_id, instance_id), (self.region, region), (self.account, account)
        return all(own is None or own.lower() == other.lower() for own, other in pairs)


ANYWHERE = Home()
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_COPIED = re.compile(rf"(?:arn:\S+/contact/|https?://\S+/)?({_UUID})(?:[?#/]\S*)?", re.IGNORECASE)
_AROUND = " \t\r\n\v\f\u00a0\u200b\u200e\u200f\u2060\ufeff\"'`<>,;"
"""Characters that are copied together with an id: blanks, those that no screen shows, quotes and separators."""


def contact_id_of(text: str, home: Home = ANYWHERE) -> ContactId:
    """Returns the contact id in a text that a person wrote or copied: an id, an ARN or a link, in capitals or not.

    Raises ``ValueError`` if the text cannot be the id of a contact, or is the ARN of anything else than a contact of
    the instance ``home``.
    """
    bare = text.strip(_AROUND)
    if (objection := home.objection(bare, "contact")) is not None:
        raise ValueError(f"'{bare}' {objection}")
    copied = _COPIED.fullmatch(bare)
    if copied is not None:
        return ContactId(copied[1].lower())
    if not bare or re.search(r"[\s/:]", bare):
        raise ValueError(f"'{text}' is no id of a contact, such as 40797c0d-b39b-44e9-b624-06a0162ef271")
    return ContactId(bare)
