"""Whether a contact, read again, is still the wait that was decided on."""

from __future__ import annotations

from datetime import datetime

from router.decide.case import same_instant
from router.model import Contact, HoldReason, QueueId, Standing

_FOUND = {
    Standing.DISCONNECTED: HoldReason.DISCONNECTED,
    Standing.WITH_AGENT: HoldReason.PICKED_UP,
    Standing.PAUSED: HoldReason.CONTACT_PAUSED,
    Standing.SCHEDULED: HoldReason.LEFT_QUEUE,
    Standing.NOT_QUEUED: HoldReason.LEFT_QUEUE,
    Standing.NOT_MOVABLE: HoldReason.LEFT_QUEUE,
}


def changed(contact: Contact, *, queue_id: QueueId, enqueued_at: datetime, now: datetime) -> HoldReason | None:
    """Why the contact may not be moved any more; ``None`` where it waits in the same queue since the same instant."""
    standing = contact.standing(now)
    if standing is not Standing.WAITING:
        return _FOUND[standing]
    same = contact.queue_id == queue_id and same_instant(contact.enqueued_at, enqueued_at)
    return None if same else HoldReason.LEFT_QUEUE
