"""When a contact's clock stood still: the pauses of the task, as far as they have been read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from router.decide.wait import Wait
from router.model import Contact
from router.rules.clock import Calendar
from router.rules.condition import Unread
from router.rules.hours import Interval
from router.rules.pauses import stood_still


@dataclass(frozen=True, slots=True)
class Standstill:
    """``unread`` is what there may be more."""

    pauses: tuple[Interval, ...] = ()
    unread: Unread | None = None


def standstill(wait: Wait, start: datetime, hours: Calendar | None) -> Standstill:
    """Since the clock started. Only tasks can be paused (API_PauseContact). The contacts that it came from count where
    the clock started in their time."""
    if not wait.contact.channel.pausable:
        return Standstill()
    told = wait.pauses
    if isinstance(told, Unread):
        return Standstill(unread=told)
    segments: tuple[Contact, ...] = (replace(wait.contact, details=told),)
    unread = None
    if wait.contact.initiated_at is None or wait.contact.initiated_at > start:
        earlier = wait.earlier
        unread = earlier if isinstance(earlier, Unread) else None
        segments = segments if isinstance(earlier, Unread) else (*segments, *earlier)
    return Standstill(stood_still(segments, start, wait.look.now, hours), unread)
