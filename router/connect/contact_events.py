"""Reads contact events, as EventBridge puts them into a queue, and never fails on one."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from router.connect.fields import Row, Unreadable, is_unset, parse_timestamp, part, required, text, texts
from router.model import AgentId, Channel, Contact, ContactEvent, ContactId, IgnoredReason, Phase, QueueId, bare_id

SOURCE = "aws.connect"
DETAIL_TYPE = "Amazon Connect Contact Event"

PHASES: Mapping[str, Phase] = {
    "QUEUED": Phase.QUEUED,
    "CONNECTED_TO_AGENT": Phase.WITH_AGENT,
    "DISCONNECTED": Phase.GONE,
    "COMPLETED": Phase.GONE,
    "PAUSED": Phase.CHANGED,
    "RESUMED": Phase.CHANGED,
}
"""The event types that are used (Amazon Connect administrator guide, contact events). There is none for a transfer: the
new contact has events of its own."""

LONGEST_ID = 256
AHEAD = timedelta(minutes=1)
"""How far an event's times may be ahead of the local clock. A later time is wrong or forged, and would hide the
contact until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMessage:
    """Holds one message of the queue. ``handle`` deletes it; ``sent_at`` is when the queue got it."""

    message_id: str
    handle: str
    body: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventReader:
    """Turns messages into contact events of one instance and some channels."""

    instance_id: str
    channels: Collection[Channel] = field(default_factory=frozenset)

    def read(self, message: QueueMessage, now: datetime) -> ContactEvent | IgnoredReason:
        """Returns the event, or why the message holds none that is of use.

        A message may be an envelope of EventBridge, the same inside a notification of SNS, or the event alone. Names of
        members are compared without regard to case, because samples of AWS's have both forms.
        """
        try:
            return self._read(message, now)
        except (Unreadable, ValueError, RecursionError):
            return IgnoredReason.UNREADABLE

    def _read(self, message: QueueMessage, now: datetime) -> ContactEvent | IgnoredReason:
        envelope = _parsed(message.body)
        if isinstance(envelope.get("message"), str) and "detail" not in envelope:
            envelope = _parsed(envelope["message"])
        bare = "detail" not in envelope and "contactid" in envelope
        detail = envelope if bare else _folded(part(envelope, "detail"))
        if not bare and (envelope.get("source"), envelope.get("detail-type")) != (SOURCE, DETAIL_TYPE):
            return IgnoredReason.OTHER_SOURCE
        arn = required(detail, "instancearn")
        if arn.rpartition("/")[2] != self.instance_id:
            return IgnoredReason.OTHER_INSTANCE
        channel = (text(detail, "channel") or "").upper()
        if channel not in self.channels:
            return IgnoredReason.OTHER_CHANNEL
        phase = PHASES.get((text(detail, "eventtype") or "").upper())
        if phase is None:
            return IgnoredReason.UNUSED_TYPE
        sent_at = _time(envelope, "time") or message.sent_at or now
        contact = _contact(detail, Channel(channel))
        at = _time_of(phase, detail, contact) or sent_at
        if max(at, sent_at) > now + AHEAD:
            return IgnoredReason.FUTURE
        event_id = text(envelope, "id") or message.message_id
        return ContactEvent(event_id=event_id, phase=phase, at=at, sent_at=sent_at, contact=contact)


def _time_of(phase: Phase, detail: Row, contact: Contact) -> datetime | None:
    if phase is Phase.QUEUED:
        return contact.enqueued_at
    if phase is Phase.WITH_AGENT:
        return contact.connected_at
    return _time(detail, "disconnecttimestamp") if phase is Phase.GONE else None


def _contact(detail: Row, channel: Channel) -> Contact:
    queue, agent = _folded(part(detail, "queueinfo")), _folded(part(detail, "agentinfo"))
    queue_arn, agent_arn = text(queue, "queuearn"), text(agent, "agentarn")
    initial, previous = text(detail, "initialcontactid"), text(detail, "previouscontactid")
    return Contact(
        id=ContactId(_contact_id(detail)),
        channel=channel,
        initial_id=ContactId(initial) if initial else None,
        previous_id=ContactId(previous) if previous else None,
        initiation_method=text(detail, "initiationmethod"),
        queue_id=QueueId(sys.intern(bare_id(queue_arn))) if queue_arn else None,
        enqueued_at=_time(queue, "enqueuetimestamp"),
        initiated_at=_time(detail, "initiationtimestamp"),
        agent_id=AgentId(bare_id(agent_arn)) if agent_arn else None,
        connected_at=_time(agent, "connectedtoagenttimestamp"),
        tags=texts(detail, "tags"),
        partial=True,
    )


def _contact_id(detail: Row) -> str:
    """Returns the contact's id. Raises ``Unreadable`` for a text that the API refuses (API_DescribeContact)."""
    found = required(detail, "contactid")
    if len(found) > LONGEST_ID or not found.isascii() or not found.isprintable():
        raise Unreadable("contactId is no id")
    return found


def _parsed(body: str) -> dict[str, Any]:
    parsed = json.loads(body)
    if "\\ud" in body.lower():
        json.dumps(parsed, ensure_ascii=False).encode()  # refuses half a character, which nothing else could handle
    if not isinstance(parsed, Mapping):
        raise Unreadable("the message is no object")
    return _folded(parsed)


def _folded(row: Row) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in row.items()}


def _time(row: Row, member: str) -> datetime | None:
    """Returns the time; ``None`` if it is missing, means "no value", or is no time."""
    at = parse_timestamp(row.get(member))
    if not isinstance(at, datetime) or is_unset(at):
        return None
    return at.astimezone(UTC)


_REGION = re.compile(
    r"\bsqs\.([a-z]{2,6}(?:-[a-z]+)+-[0-9]{1,2})\.|^https?://([a-z]{2,6}(?:-[a-z]+)+-[0-9]{1,2})\.queue\."
)


def region_of(url: str) -> str | None:
    """Returns the Region that the URL of a queue names; ``None`` if it names none."""
    found = _REGION.search(url)
    return None if found is None else found[1] or found[2]


def arn_of(url: str, partition: str, region: str | None) -> str:
    """Returns the ARN of the queue with this URL. ``region`` is used if the URL names none; ``*`` replaces none."""
    account, name = url.rsplit("/", 2)[1:]
    return f"arn:{partition}:sqs:{region_of(url) or region or '*'}:{account}:{name}"
