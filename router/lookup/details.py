"""What DescribeContact told of contacts that wait, kept for as long as it can be trusted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from router.connect.answers import Denied, DescribeAnswer, Missing, Reading, Rejected
from router.decide.snapshot import Snapshot
from router.decide.wait import same_instant
from router.lookup.budget import FailedReads
from router.model import Contact, ContactId, Details
from router.ports import Describer
from router.rules.condition import Unread

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
class DetailsCache:
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


# Reads what deciding asks for of what only DescribeContact tells.

DETAILS_PER_LOOK = 60
"""DescribeContact allows 10 calls a second (Amazon Connect service quotas), and every move needs one as well. Twice as
many as may be moved in a cycle are read in any case; the others are held as ``unreadable`` and come first next time."""
KEPT = 20_000
"""More than wait at once in an instance of Connect's by default; bounds the memory."""


@dataclass(frozen=True, slots=True)
class Descriptions:
    reader: Describer
    known: DetailsCache
    _in_vain: FailedReads = field(default_factory=FailedReads)

    def read(self, look: Snapshot, asked: Iterable[ContactId]) -> Mapping[ContactId, Details | Unread]:
        """By contact, for each that was asked for, which are the most overdue first. Where Connect does not answer at
        all for one the others are not asked for in this look: each might take as long again."""
        wanted = {one.id: one for one in look.contacts}
        contacts = [wanted[contact_id] for contact_id in self._in_vain.last(asked)]
        if len(self.known) > KEPT:
            self.known.forget_all_but(wanted.keys())
        failed: dict[ContactId, Unread] = {}
        left_out = "more contacts wait to be described than one look allows"
        for contact in self.known.in_need(contacts, look.now)[: max(DETAILS_PER_LOOK, 2 * look.limits.per_cycle)]:
            answer = self.reader.describe(contact.id)
            self._in_vain.note(contact.id, failed=not isinstance(answer, Reading))
            if isinstance(answer, Reading):
                self.known.remember(answer.contact, look.now)
                continue
            failed[contact.id] = Unread(_why(answer))
            if not isinstance(answer, Missing | Rejected | Denied):
                left_out = "DescribeContact did not answer for another contact"
                break
        return {one.id: self.known.of(one, look.now) or failed.get(one.id, Unread(left_out)) for one in contacts}


def _why(answer: DescribeAnswer) -> str:
    """Not what Connect said word for word: that may repeat what it was about."""
    code = getattr(answer, "code", type(answer).__name__)
    return f"DescribeContact could not tell ({code})"
