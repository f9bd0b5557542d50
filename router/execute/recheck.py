"""Decides whether a contact that was read again is still the wait that was decided on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from router.connect.answers import Missing, Reading
from router.decide.decision import PausesSeen, RuleDecision
from router.decide.match_subject import conditions_still_hold
from router.lookup.details import DetailsCache
from router.model import Contact, HoldReason, QueueId, Standing, same_instant
from router.ports import Reader
from router.rules.condition import ReliedOnValue

GONE = frozenset({HoldReason.DISCONNECTED, HoldReason.PICKED_UP, HoldReason.LEFT_QUEUE, HoldReason.NOT_FOUND})
"""Found on reading again: the contact is no longer where it was. A call without a response has had its effect, or its
effect no longer matters."""

_FOUND = {
    Standing.DISCONNECTED: HoldReason.DISCONNECTED,
    Standing.WITH_AGENT: HoldReason.PICKED_UP,
    Standing.PAUSED: HoldReason.CONTACT_PAUSED,
    Standing.SCHEDULED: HoldReason.LEFT_QUEUE,
    Standing.NOT_QUEUED: HoldReason.LEFT_QUEUE,
    Standing.NOT_MOVABLE: HoldReason.LEFT_QUEUE,
}


def still_waits(contact: Contact, decision: RuleDecision, now: datetime) -> HoldReason | None:
    """Returns why a decision may not be performed any longer, by the contact as it was just read; ``None`` if it
    may."""
    before = decision.contact
    assert before.queue_id is not None and before.enqueued_at is not None, "only waiting contacts are decided on"
    return changed(
        contact,
        queue_id=before.queue_id,
        enqueued_at=before.enqueued_at,
        now=now,
        relied_on=decision.relied_on,
        pauses=decision.pauses,
        decided_on=before,
    )


def _is_as_shown(shown: Contact, contact: Contact) -> bool:
    """Returns whether a reading has every value that an event has shown, so that the decision rests on true values.

    The wait must not have begun later than the event shows, because the step would not be due.
    """
    values = ("channel", "chain_id", "previous_id", "initiation_method", "tags")
    if any(getattr(shown, name) != getattr(contact, name) for name in values):
        return False
    assert shown.enqueued_at is not None, "only waiting contacts are decided on"
    began = same_instant(shown.began_at, contact.began_at)
    return began and contact.enqueued_at is not None and contact.enqueued_at <= shown.enqueued_at


def found_again(
    reader: Reader, decision: RuleDecision, now: Callable[[], datetime], known: DetailsCache
) -> HoldReason | None:
    """Reads the contact again and returns why nothing may be done to it; ``None`` if it is as it was decided on.

    Returns ``UNREADABLE`` if it could not be read. Warnings need this too: a person is not warned of a contact that is
    answered.
    """
    reading = reader.describe(decision.contact.id)
    if isinstance(reading, Missing):
        return HoldReason.NOT_FOUND
    if not isinstance(reading, Reading):
        return HoldReason.UNREADABLE
    known.remember(reading.contact, now())
    return still_waits(reading.contact, decision, now())


def changed(
    contact: Contact,
    *,
    queue_id: QueueId,
    enqueued_at: datetime,
    now: datetime,
    relied_on: Iterable[ReliedOnValue] = (),
    pauses: PausesSeen | None = None,
    decided_on: Contact | None = None,
) -> HoldReason | None:
    """Returns why the contact may not be moved any longer; ``None`` if it waits in the same queue since the same
    instant and every value in ``relied_on`` still holds.

    ``decided_on`` is the contact of the decision. If only an event has shown it, it must have every value of the event.
    A pause that the decision did not know of has stopped the clock, so that the step may not be due.
    """
    standing = contact.standing(now)
    if standing is not Standing.WAITING:
        return _FOUND[standing]
    if not contact.is_in_place(queue_id, enqueued_at):
        return HoldReason.LEFT_QUEUE
    if decided_on is not None and decided_on.partial and not _is_as_shown(decided_on, contact):
        return HoldReason.NO_LONGER_MATCHES
    if pauses is not None and contact.details is not None and contact.details.resumed_at != pauses.resumed_at:
        return HoldReason.CONTACT_PAUSED
    return None if conditions_still_hold(relied_on, contact) else HoldReason.NO_LONGER_MATCHES
