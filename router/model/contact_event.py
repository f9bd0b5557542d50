"""Defines a contact event: a hint that a contact has entered a queue, has left it, or has changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from router.model.contact import Contact


class Phase(IntEnum):
    """Names what an event shows of a contact, in the order in which it happens.

    ``CHANGED`` (a pause, or its end) shows only that the contact must be read.
    """

    CHANGED = 0
    QUEUED = 1
    WITH_AGENT = 2
    GONE = 3


class IgnoredReason(StrEnum):
    """Names why a message of the queue was not used."""

    UNREADABLE = "unreadable"
    OTHER_SOURCE = "other_source"
    OTHER_INSTANCE = "other_instance"
    OTHER_CHANNEL = "other_channel"
    UNUSED_TYPE = "unused_type"
    FUTURE = "future"
    DUPLICATE = "duplicate"
    OUTDATED = "outdated"
    UNWATCHED_QUEUE = "unwatched_queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEvent:
    """Holds one contact event.

    ``event_id`` is the envelope's. ``sent_at`` is the envelope's time. ``at`` is when the contact entered its queue, or
    when else happened what the event shows. ``contact`` is partial; its ``enqueued_at`` is ``None`` if the event names
    no such time, and ``at`` is later than the truth then.
    """

    event_id: str
    phase: Phase
    at: datetime
    sent_at: datetime
    contact: Contact
