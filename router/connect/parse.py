"""Connect's contacts as ``Contact``: the search's rows and DescribeContact's answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from router.connect.answers import RowProblem
from router.connect.timestamps import is_unset
from router.model import AgentId, Channel, Contact, ContactId, Details, QueueId, bare_id

Row = Mapping[str, Any]

_OUTWARD = frozenset({"OUTBOUND", "AGENT_REPLY"})
"""Initiation methods of e-mails that go to the customer (botocore service model, ContactInitiationMethod)."""


class Unreadable(Exception):
    """A row without what makes it a contact, or with a value of the wrong kind. Names the field, never the value."""


def contacts_of(rows: Iterable[Row]) -> tuple[tuple[Contact, ...], tuple[RowProblem, ...]]:
    """Every row of a search that can be read, in order, and what is wrong with the others."""
    contacts: list[Contact] = []
    problems: list[RowProblem] = []
    for row in rows:
        try:
            contacts.append(contact_of(row))
        except Unreadable as problem:
            problems.append(RowProblem(contact_id=_id_if_any(row), problem=str(problem)))
    return tuple(contacts), tuple(problems)


def contact_of(row: Row) -> Contact:
    """A ContactSearchSummary, or the part of DescribeContact's Contact that it shares (botocore service model).

    Raises ``Unreadable``. A time that stands for "no value" is ``None``; a channel that is not known is ``OTHER``.
    """
    queue = _part(row, "QueueInfo")
    agent = _part(row, "AgentInfo")
    queue_id = _text(queue, "Id")
    agent_id = _text(agent, "Id")
    return Contact(
        id=ContactId(_required(row, "Id")),
        channel=_channel(row),
        initial_id=_contact_id(row, "InitialContactId"),
        previous_id=_contact_id(row, "PreviousContactId"),
        related_id=_contact_id(row, "RelatedContactId"),
        initiation_method=_text(row, "InitiationMethod"),
        queue_id=QueueId(bare_id(queue_id)) if queue_id else None,
        enqueued_at=_time(queue, "EnqueueTimestamp"),
        initiated_at=_time(row, "InitiationTimestamp"),
        scheduled_at=_time(row, "ScheduledTimestamp"),
        agent_id=AgentId(bare_id(agent_id)) if agent_id else None,
        connected_at=_time(agent, "ConnectedToAgentTimestamp"),
        disconnected_at=_time(row, "DisconnectTimestamp"),
        name=_text(row, "Name"),
        segment_attributes=_segment_attributes(_part(row, "SegmentAttributes")),
        tags=_texts(row, "Tags"),
    )


def described(row: Row) -> Contact:
    """DescribeContact's Contact, with its details. Raises ``Unreadable``."""
    contact = contact_of(row)
    return Contact(
        **{name: getattr(contact, name) for name in _SHARED},
        details=_details(row, contact.initiation_method),
    )


_SHARED = tuple(name for name in Contact.__dataclass_fields__ if name != "details")


def associated(row: Row) -> Contact:
    """A row of ListAssociatedContacts, which says neither queue nor agent. Raises ``Unreadable``."""
    return contact_of({**row, "Id": row.get("ContactId")})


def _details(row: Row, initiation_method: str | None) -> Details:
    adjustment = _number(row, "QueueTimeAdjustmentSeconds")
    to_address, from_address = _addresses(row, initiation_method)
    return Details(
        attributes=_texts(row, "Attributes"),
        priority=_number(row, "QueuePriority"),
        queue_time_adjustment=None if adjustment is None else timedelta(seconds=adjustment),
        task_template=_text(_part(row, "TaskTemplateInfo"), "Name"),
        to_address=to_address,
        from_address=from_address,
        paused_at=_time(row, "LastPausedTimestamp"),
        resumed_at=_time(row, "LastResumedTimestamp"),
        paused_for=timedelta(seconds=_number(row, "TotalPauseDurationInSeconds") or 0),
        accepted_at=_time(_part(row, "AgentInfo"), "AcceptedByAgentTimestamp"),
    )


def _addresses(row: Row, initiation_method: str | None) -> tuple[str | None, str | None]:
    """To and from. ``CustomerEndpoint`` is the customer's address and ``SystemEndpoint`` the instance's, whichever way
    the mail goes; for QUEUE_TRANSFER the latter is not populated (botocore service model, DescribeContact)."""
    customer = _address(_part(row, "CustomerEndpoint"))
    system = _address(_part(row, "SystemEndpoint"))
    return (customer, system) if initiation_method in _OUTWARD else (system, customer)


def _address(endpoint: Row) -> str | None:
    address = _text(endpoint, "Address")
    kind = _text(endpoint, "Type")
    mail = kind == "EMAIL_ADDRESS" or (kind is None and address is not None and "@" in address)
    return address if mail else None


def _segment_attributes(attributes: Row, prefix: str = "") -> dict[str, str]:
    """Values are a union of text, integer, ARN, map and list (botocore service model, SegmentAttributeValue); maps and
    lists come out flat, under ``KEY.INNER`` and ``KEY.0``."""
    flat: dict[str, str] = {}
    for key, value in attributes.items():
        if not isinstance(value, Mapping):
            continue
        name = f"{prefix}{key}"
        for member in ("ValueString", "ValueInteger", "ValueArn"):
            if value.get(member) is not None:
                flat[name] = str(value[member])
        inner = value.get("ValueMap") or dict(enumerate(value.get("ValueList") or ()))
        flat.update(_segment_attributes(inner, f"{name}."))
    return flat


def _channel(row: Row) -> Channel:
    try:
        return Channel(row.get("Channel") or Channel.OTHER)
    except ValueError:
        return Channel.OTHER


def _part(row: Row, field: str) -> Row:
    value = row.get(field)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Unreadable(f"{field} is no structure")
    return value


def _required(row: Row, field: str) -> str:
    value = _text(row, field)
    if value is None:
        raise Unreadable(f"{field} is missing")
    return value


def _contact_id(row: Row, field: str) -> ContactId | None:
    value = _text(row, field)
    return None if value is None else ContactId(value)


def _text(row: Row, field: str) -> str | None:
    """``None`` for an empty text too: Connect has no field here whose emptiness means something."""
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{field} is no text")
    return value or None


def _texts(row: Row, field: str) -> dict[str, str]:
    return {str(key): value for key, value in _part(row, field).items() if isinstance(value, str)}


def _number(row: Row, field: str) -> int | None:
    value = row.get(field)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise Unreadable(f"{field} is no whole number")
    return value


def _time(row: Row, field: str) -> datetime | None:
    value = row.get(field)
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise Unreadable(f"{field} is no time")
    return None if is_unset(value) else value


def _id_if_any(row: object) -> ContactId | None:
    value = row.get("Id") if isinstance(row, Mapping) else None
    return ContactId(value) if isinstance(value, str) and value else None
