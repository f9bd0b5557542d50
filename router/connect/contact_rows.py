"""Turns rows of a search and the answer of DescribeContact into ``Contact``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from router.connect.answers import RowProblem
from router.connect.fields import Row, Unreadable, number, part, required, text, texts, time
from router.model import AgentId, Channel, Contact, ContactId, Details, QueueId, bare_id

_OUTWARD = frozenset({"OUTBOUND", "AGENT_REPLY"})
"""Initiation methods of e-mails that go to the customer (botocore service model, ContactInitiationMethod)."""


def contacts_of(rows: Iterable[Row]) -> tuple[tuple[Contact, ...], tuple[RowProblem, ...]]:
    """Returns every row of a search that can be read, in order, and the problems of the others."""
    contacts: list[Contact] = []
    problems: list[RowProblem] = []
    for row in rows:
        try:
            contacts.append(contact_of(row))
        except Unreadable as problem:
            problems.append(RowProblem(contact_id=id_if_any(row), problem=str(problem)))
    return tuple(contacts), tuple(problems)


def contact_of(row: Row) -> Contact:
    """Returns the contact of a ContactSearchSummary, or of the part that DescribeContact's Contact shares with it.

    A time that means "no value" is ``None``; an unknown channel is ``OTHER`` (botocore service model). Raises
    ``Unreadable``.
    """
    if not isinstance(row, Mapping):
        raise Unreadable("the row is no structure")
    queue = part(row, "QueueInfo")
    agent = part(row, "AgentInfo")
    queue_id = text(queue, "Id")
    agent_id = text(agent, "Id")
    return Contact(
        id=ContactId(required(row, "Id")),
        channel=_channel(row),
        initial_id=_contact_id(row, "InitialContactId"),
        previous_id=_contact_id(row, "PreviousContactId"),
        related_id=_contact_id(row, "RelatedContactId"),
        initiation_method=text(row, "InitiationMethod"),
        queue_id=QueueId(bare_id(queue_id)) if queue_id else None,
        enqueued_at=time(queue, "EnqueueTimestamp"),
        initiated_at=time(row, "InitiationTimestamp"),
        scheduled_at=time(row, "ScheduledTimestamp"),
        agent_id=AgentId(bare_id(agent_id)) if agent_id else None,
        connected_at=time(agent, "ConnectedToAgentTimestamp"),
        disconnected_at=time(row, "DisconnectTimestamp"),
        name=text(row, "Name"),
        segment_attributes=_segment_attributes(part(row, "SegmentAttributes")),
        tags=texts(row, "Tags"),
    )


def described(row: Row) -> Contact:
    """Returns DescribeContact's Contact with its details. Raises ``Unreadable``."""
    contact = contact_of(row)
    return replace(contact, details=_details(row, contact.initiation_method))


def associated(row: Row) -> Contact:
    """Returns a row of ListAssociatedContacts, which has neither queue nor agent. Raises ``Unreadable``."""
    return contact_of({**row, "Id": row.get("ContactId")})


def _details(row: Row, initiation_method: str | None) -> Details:
    adjustment = number(row, "QueueTimeAdjustmentSeconds")
    paused_for = number(row, "TotalPauseDurationInSeconds")
    to_address, from_address = _addresses(row, initiation_method)
    template = part(row, "TaskTemplateInfo")
    template_arn = text(template, "Arn")
    return Details(
        attributes=texts(row, "Attributes"),
        priority=number(row, "QueuePriority"),
        queue_time_adjustment=None if adjustment is None else timedelta(seconds=adjustment),
        task_template=text(template, "Name"),
        task_template_id=bare_id(template_arn) if template_arn else None,
        to_address=to_address,
        from_address=from_address,
        paused_at=time(row, "LastPausedTimestamp"),
        resumed_at=time(row, "LastResumedTimestamp"),
        paused_for=None if paused_for is None else timedelta(seconds=paused_for),
        pauses=number(row, "TotalPauseCount"),
        accepted_at=time(part(row, "AgentInfo"), "AcceptedByAgentTimestamp"),
    )


def _addresses(row: Row, initiation_method: str | None) -> tuple[str | None, str | None]:
    """Returns the addresses to and from.

    ``CustomerEndpoint`` is the customer's address and ``SystemEndpoint`` the instance's, whichever way the mail is
    sent. For QUEUE_TRANSFER the latter is not populated (botocore service model, DescribeContact).
    """
    customer = _address(part(row, "CustomerEndpoint"))
    system = _address(part(row, "SystemEndpoint"))
    return (customer, system) if initiation_method in _OUTWARD else (system, customer)


def _address(endpoint: Row) -> str | None:
    address = text(endpoint, "Address")
    kind = text(endpoint, "Type")
    mail = kind == "EMAIL_ADDRESS" or (kind is None and address is not None and "@" in address)
    return address if mail else None


def _segment_attributes(attributes: Row, prefix: str = "") -> dict[str, str]:
    """Returns the attributes as texts; maps and lists become flat, under ``KEY.INNER`` and ``KEY.0``.

    Values are a union of text, integer, ARN, map and list (botocore service model, SegmentAttributeValue).
    """
    flat: dict[str, str] = {}
    for key, value in attributes.items():
        if not isinstance(value, Mapping):
            continue
        name = f"{prefix}{key}"
        for member in ("ValueString", "ValueInteger", "ValueArn"):
            if value.get(member) is not None:
                flat[sys.intern(name)] = sys.intern(str(value[member]))
        flat.update(_segment_attributes(_members(value), f"{name}."))
    return flat


def _members(value: Row) -> Row:
    """Returns the members of a map or a list, by key or place; nothing if the value is neither."""
    listed = value.get("ValueList")
    if isinstance(listed, list) and not value.get("ValueMap"):
        return {str(place): one for place, one in enumerate(listed)}
    return part(value, "ValueMap")


def _channel(row: Row) -> Channel:
    try:
        return Channel(row.get("Channel") or Channel.OTHER)
    except ValueError:
        return Channel.OTHER


def _contact_id(row: Row, member: str) -> ContactId | None:
    value = text(row, member)
    return None if value is None else ContactId(value)


def id_if_any(row: object) -> ContactId | None:
    """Returns the id of a row that need not be readable otherwise."""
    value = row.get("Id") if isinstance(row, Mapping) else None
    return ContactId(value) if isinstance(value, str) and value else None
