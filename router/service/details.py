"""What DescribeContact told of contacts that wait, kept for as long as it can be trusted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from router.decide.case import same_instant
from router.model import Contact, ContactId, Details

FRESH_FOR = timedelta(minutes=1)
"""Flows, agents and programs change attributes and priorities at any time; after so long a contact is read again."""
USABLE_FOR = timedelta(minutes=15)
"""While others are read for the first time, what is known of a contact counts for so long. A move never rests on it:
right before the call the contact is read again, and what it rests on must still be so."""


@dataclass(frozen=True, slots=True)
class _Known:
    contact: Contact
    read_at: datetime

    def age(self, now: datetime) -> timedelta:
        """A clock that was set back makes it as old as can be."""
        return now - self.read_at if now >= self.read_at else USABLE_FOR + FRESH_FOR


@dataclass
class KnownDetails:
    """Thread-safe. By segment and wait: a contact that is queued again is read again. Every move reads its contact, and
    nobody says when one is gone: what is too old to be used is dropped as others are read, so that a service that runs
    for months does not keep them all."""

    _known: dict[ContactId, _Known] = field(default_factory=dict)
    """In the order of reading, the longest ago first."""
    _lock: Lock = field(default_factory=Lock)

    def remember(self, contact: Contact, now: datetime) -> None:
        """A contact as DescribeContact has just shown it."""
        with self._lock:
            self._known.pop(contact.id, None)
            self._known[contact.id] = _Known(contact, now)
            self._drop_unusable(now)

    def _drop_unusable(self, now: datetime) -> None:
        """Another thread's reading may be later than ``now`` by as long as a look takes, and is kept; one that is later
        by far is of a clock that was set back since."""
        while self._known:
            oldest = next(iter(self._known))
            if abs(now - self._known[oldest].read_at) <= USABLE_FOR:
                return
            del self._known[oldest]

    def of(self, contact: Contact, now: datetime) -> Details | None:
        """``None`` where nothing is known that may still be used."""
        with self._lock:
            known = self._known.get(contact.id)
        if known is None or known.age(now) > USABLE_FOR or not _same_wait(known.contact, contact):
            return None
        return known.contact.details

    def in_need(self, contacts: Iterable[Contact], now: datetime) -> list[Contact]:
        """Those to be read: the ones of which nothing is known first, in their order; then, oldest reading first, those
        whose reading is not fresh."""
        asked = list(contacts)
        unknown = [contact for contact in asked if self.of(contact, now) is None]
        with self._lock:
            ages = {one.id: self._known[one.id].age(now) for one in asked if one.id in self._known}
        missing = {contact.id for contact in unknown}
        stale = [one for one in asked if one.id not in missing and ages[one.id] > FRESH_FOR]
        return [*unknown, *sorted(stale, key=lambda one: ages[one.id], reverse=True)]

    def forget_all_but(self, kept: Collection[ContactId]) -> None:
        with self._lock:
            self._known = {one: known for one, known in self._known.items() if one in kept}

    def __len__(self) -> int:
        return len(self._known)


def _same_wait(known: Contact, contact: Contact) -> bool:
    return known.queue_id == contact.queue_id and same_instant(known.enqueued_at, contact.enqueued_at)
