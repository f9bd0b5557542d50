"""Provides the hours of operation and the pauses that a rule's clock depends on, as far as they have been read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import WaitingContact
from router.model import FirstAct, HoursId, Need, NeedKind, QueueId
from router.rules.bound import BoundRule
from router.rules.calendar import Interval
from router.rules.clock import OpenTimes, elapsed
from router.rules.condition import Unread
from router.rules.pauses import running, stood_still
from router.rules.value_test import QUEUES_OWN


@dataclass(frozen=True, slots=True)
class Standstill:
    """Holds the pauses during which a clock did not run; ``unread`` is set if there may be more of them.

    ``paused_since`` is when the pause began that lasts, as far as is known; ``None`` if the contact is not paused.
    """

    pauses: tuple[Interval, ...] = ()
    unread: Unread | None = None
    paused_since: datetime | None = None

    def shown_but_for_pause(self, start: datetime, now: datetime, hours: OpenTimes | None) -> timedelta | None:
        """Returns what the clock would show without the pause that lasts; ``None`` if the contact is not paused."""
        since = self.paused_since
        if since is None:
            return None
        ended = tuple((begins, min(ends, since)) for begins, ends in self.pauses if begins < since)
        return elapsed(start, now, running(hours, ended))


NEVER_STOOD_STILL = Standstill()


def standstill(waiting: WaitingContact, start: datetime, hours: OpenTimes | None) -> Standstill:
    """Collects the pauses of a contact since its clock started.

    Tasks and e-mails can be paused (botocore service model, PauseContact). Pauses of the contacts that it came from
    count if the clock started in their time. Rules whose clocks start together, without hours, share what was found.
    """
    if hours is not None:
        return _standstill(waiting, start, hours)
    found = waiting.standstills.get(start)
    if found is None:
        found = waiting.standstills[start] = _standstill(waiting, start, None)
    return found


def _standstill(waiting: WaitingContact, start: datetime, hours: OpenTimes | None) -> Standstill:
    details = waiting.pauses
    if isinstance(details, Unread):
        return Standstill(unread=details)
    began = waiting.contact.initiated_at
    earlier = waiting.earlier if began is None or began > start else ()
    if not (earlier or details.has_paused):
        return NEVER_STOOD_STILL
    unread = earlier if isinstance(earlier, Unread) else None
    paused = replace(waiting.contact, details=details)
    segments = (paused,) if isinstance(earlier, Unread) else (paused, *earlier)
    paused_since = details.paused_at if paused.paused else None
    return Standstill(stood_still(segments, start, waiting.snapshot.now, hours), unread, paused_since)


def calendar_of(
    rule: BoundRule, queue_id: QueueId, first: FirstAct | None, snapshot: Snapshot
) -> OpenTimes | Unread | None:
    """Returns the hours that the rule's clock counts; ``None`` if it runs around the clock.

    ``queue_id`` is the queue of the contact and ``first`` the contact as the rule first saw it, because ``"queue"``
    means the queue where the clock started.
    """
    name = rule.rule.sla.hours
    if name is None:
        return None
    if name == QUEUES_OWN:
        return hours_of_queue(first.queue_id if first is not None else queue_id, snapshot)
    if rule.hours_id is None:
        return Unread(f'hours of operation "{name}" are not known')
    return hours_as_read(HoursId(rule.hours_id), snapshot)


def hours_of_queue(queue_id: QueueId, snapshot: Snapshot) -> OpenTimes | Unread:
    queue = snapshot.directory.queue(queue_id)
    if queue is None or queue.hours_id is None:
        return Unread("which hours the queue has is not known")
    return hours_as_read(queue.hours_id, snapshot)


def hours_as_read(hours_id: HoursId, snapshot: Snapshot) -> OpenTimes | Unread:
    known = snapshot.read.hours.get(hours_id)
    return Unread("these hours have not been read yet", Need(NeedKind.HOURS, hours_id)) if known is None else known


def is_due_later(started_at: datetime, shown: timedelta, now: datetime, calendar: OpenTimes | None) -> bool:
    """Returns whether a step that is due at exactly this time on the clock is due later: when the hours open."""
    return calendar is not None and not calendar.is_open(now) and calendar.after(started_at, shown) > now


def opening(now: datetime, calendar: OpenTimes | None) -> datetime | None:
    """Returns when closed hours open; ``None`` if they are open, or if the clock runs around the clock."""
    return None if calendar is None or calendar.is_open(now) else calendar.after(now, timedelta())
