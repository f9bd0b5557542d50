"""Holds the contacts known to wait, each with what was last decided on it and when to decide on it again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from router.decide.decide import Account
from router.model import Channel, Contact, ContactId, HoldReason, QueueId, Standing

ENDED_REASONS = frozenset({HoldReason.DISCONNECTED, HoldReason.PICKED_UP, HoldReason.LEFT_QUEUE})
"""The holds after which a wait is over, because a contact that is queued again is queued at another instant.
``NOT_FOUND`` is not among them: a contact that a search returned may be found by its id a moment later."""
ENDED_REMEMBERED_FOR = timedelta(hours=1)
"""How long the row of a contact that is disconnected is ignored: far longer than an index was ever reported to lag."""

NOW = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)

INDEX_LAG = timedelta(minutes=2)
"""How long a contact may be in its queue before the search's index shows it; Amazon documents no figure. A contact that
was read by its id is kept so long although a search does not return it, and so much of the past is searched again."""


class EndedWaits:
    """Remembers waits that a reading showed to be over although the search's index still shows them.

    Without it, such a row costs a reading in every cycle until the index catches up. A contact that an agent took, or
    that left its queue, may come back to its place. It is therefore read again after ``INDEX_LAG``.
    """

    def __init__(self) -> None:
        self._until: dict[tuple[ContactId, datetime | None], datetime] = {}

    def add(self, contact: Contact, now: datetime, *, for_good: bool) -> None:
        """Remembers the contact's wait, and forgets the waits whose time is over."""
        self._until = {wait: until for wait, until in self._until.items() if now < until}
        self._until[contact.id, contact.enqueued_at] = now + (ENDED_REMEMBERED_FOR if for_good else INDEX_LAG)

    def ignores(self, contact: Contact, now: datetime) -> bool:
        """Returns whether a row of the wait is ignored at that time."""
        until = self._until.get((contact.id, contact.enqueued_at))
        return until is not None and now < until


@dataclass(slots=True, kw_only=True)
class WaitingEntry:
    """Holds a contact of the waiting list, and when to decide on it.

    ``decide_at`` is when to decide on it again, and ``each_poll`` whether every poll decides on it too. ``by_id``: it
    was read by its id, and no search has returned it yet. ``awaits_slot``: it waits for another contact of its flow to
    land. ``missed``: the last search of its queue did not return it.
    """

    contact: Contact
    seen_at: datetime
    by_id: bool = False
    account: Account | None = None
    decide_at: datetime = NOW
    each_poll: bool = False
    awaits_slot: bool = False
    missed: bool = False


class WaitingList:
    """Knows the waiting contacts of some channels; thread-safe.

    A contact is removed when a row or a reading shows that it no longer waits. It is also removed when two complete
    searches of its queue in succession did not return it, because its absence from one search is no evidence. After the
    first such search it no longer counts as waiting, but is still moved when it falls due, if a reading finds it there.
    """

    def __init__(self, *, channels: Collection[Channel]) -> None:
        self.channels = frozenset(channels)
        self._ended = EndedWaits()
        self._entries: dict[ContactId, WaitingEntry] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, contact_id: object) -> bool:
        return contact_id in self._entries

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Returns every contact of the list."""
        with self._lock:
            return tuple(entry.contact for entry in self._entries.values())

    @property
    def waiting(self) -> tuple[Contact, ...]:
        """Returns the contacts that count as waiting."""
        with self._lock:
            return tuple(entry.contact for entry in self._entries.values() if not entry.missed)

    def record_seen(self, contacts: Iterable[Contact], now: datetime, *, by_id: bool = False) -> int:
        """Records rows of a search, or with ``by_id`` readings; returns how many contacts are new, or in a new wait."""
        fresh = 0
        with self._lock:
            for contact in contacts:
                if contact.channel not in self.channels:
                    continue
                if contact.standing(now) is not Standing.WAITING or self._ended.ignores(contact, now):
                    self._entries.pop(contact.id, None)
                    continue
                fresh += self._add(contact, now, by_id=by_id)
        return fresh

    def _add(self, contact: Contact, now: datetime, *, by_id: bool) -> bool:
        entry = self._entries.get(contact.id)
        if entry is None or not _is_same_wait(entry.contact, contact):
            self._entries[contact.id] = WaitingEntry(contact=contact, seen_at=now, by_id=by_id)
            return True
        entry.seen_at, entry.missed = now, False
        entry.by_id = entry.by_id and by_id
        if by_id or entry.contact == contact:
            return False
        entry.contact, entry.decide_at = contact, NOW
        return True

    def replace(self, contact: Contact, now: datetime) -> None:
        """Replaces all that is known of a contact by a reading that has just shown it waiting."""
        if contact.channel in self.channels:
            with self._lock:
                self._entries[contact.id] = WaitingEntry(contact=contact, seen_at=now, by_id=True)

    def take_out(self, contact_id: ContactId) -> Contact | None:
        """Removes a contact, whatever wait it is in, and returns it; ``None`` if it is not in the list."""
        with self._lock:
            entry = self._entries.pop(contact_id, None)
            return None if entry is None else entry.contact

    def record_search(
        self, queue_ids: Collection[QueueId] | None, began_at: datetime, *, since: datetime = NOW
    ) -> None:
        """Records that a search of these queues (``None``: all) was read to its end.

        The search began at ``began_at`` and covered contacts enqueued at ``since`` or later.
        """

        def missing(entry: WaitingEntry) -> bool:
            return (
                entry.seen_at < began_at
                and (entry.contact.enqueued_at or NOW) >= since
                and (queue_ids is None or entry.contact.queue_id in queue_ids)
                and not (entry.by_id and began_at - entry.seen_at < INDEX_LAG)
            )

        with self._lock:
            for entry in [entry for entry in self._entries.values() if missing(entry)]:
                if entry.missed:
                    del self._entries[entry.contact.id]
                entry.missed = True

    def decide_again(self, contact_ids: Iterable[ContactId]) -> None:
        """Makes these contacts due for a decision now."""
        with self._lock:
            for contact_id in contact_ids:
                if contact_id in self._entries:
                    self._entries[contact_id].decide_at = NOW

    def decide_all_again(self) -> None:
        """Makes every contact due for a decision now."""
        with self._lock:
            for entry in self._entries.values():
                entry.decide_at = NOW

    def forget_details(self) -> None:
        """Forgets the details with which contacts were recorded, because they change."""
        with self._lock:
            for entry in self._entries.values():
                if entry.contact.details is not None:
                    entry.contact = replace(entry.contact, details=None)

    def begin_poll(self) -> None:
        """Makes the contacts due for a decision on which every poll decides."""
        with self._lock:
            for entry in self._entries.values():
                if entry.each_poll:
                    entry.decide_at = NOW

    def free_slots(self) -> bool:
        """Makes the contacts due that wait for a landing slot, because a contact has landed; returns whether any do."""
        with self._lock:
            waiting = [entry for entry in self._entries.values() if entry.awaits_slot]
            for entry in waiting:
                entry.decide_at, entry.awaits_slot = NOW, False
            return bool(waiting)

    def take_due(self, now: datetime) -> tuple[Contact, ...]:
        """Takes the contacts to decide on now.

        Whatever the decision, none of them is due again before the next poll, unless a method makes it due.
        """
        with self._lock:
            due = [entry for entry in self._entries.values() if entry.decide_at <= now]
            for entry in due:
                entry.decide_at, entry.each_poll = NEVER, True
            return tuple(entry.contact for entry in due)

    @property
    def next_at(self) -> datetime:
        """Returns when the next contact is due for a decision; ``NEVER`` if none is."""
        with self._lock:
            return min((entry.decide_at for entry in self._entries.values()), default=NEVER)

    def record_decisions(self, decisions: Iterable[tuple[Account, datetime, bool]]) -> None:
        """Records what was decided on contacts: the account, when to decide again, and whether at each poll.

        A contact whose account has no wait no longer waits and is removed. A contact that is gone, or was seen with
        changes since it was taken, is left as it is; then it is still due. So is a contact that was made due meanwhile.
        """
        with self._lock:
            for account, decide_at, each_poll in decisions:
                entry = self._entries.get(account.contact.id)
                if entry is None or entry.contact is not account.contact:
                    continue
                if account.wait is None:
                    del self._entries[account.contact.id]
                    continue
                entry.account, entry.each_poll = account, each_poll
                entry.decide_at = min(entry.decide_at, decide_at)
                entry.awaits_slot = False

    def remove(self, contact: Contact) -> None:
        """Removes the contact if it is still in the same wait."""
        with self._lock:
            self._remove(contact)

    def record_ended(self, contact: Contact, now: datetime, *, for_good: bool = True) -> None:
        """Removes a contact that a reading showed not to wait, and ignores later rows of the same wait for a while.

        ``for_good``: it is disconnected. Otherwise it may come back to its place.
        """
        with self._lock:
            self._ended.add(contact, now, for_good=for_good)
            self._remove(contact)

    def _remove(self, contact: Contact) -> None:
        entry = self._entries.get(contact.id)
        if entry is not None and _is_same_wait(entry.contact, contact):
            del self._entries[contact.id]

    def await_slot(self, contact_ids: Iterable[ContactId]) -> None:
        """Marks contacts whose flow has no landing slot left; ``free_slots`` makes them due."""
        with self._lock:
            for contact_id in contact_ids:
                if contact_id in self._entries:
                    self._entries[contact_id].awaits_slot = True

    @property
    def accounts(self) -> dict[ContactId, Account]:
        """Returns what was last decided on each contact that counts as waiting."""
        with self._lock:
            counting = ((one, entry.account) for one, entry in self._entries.items() if not entry.missed)
            return {one: account for one, account in counting if account is not None}

    def count_others(self, contacts: Iterable[Contact]) -> Counter[tuple[QueueId, Channel]]:
        """Counts the contacts that wait in addition to these, by queue and channel."""
        counts: Counter[tuple[QueueId, Channel]] = Counter()
        with self._lock:
            for entry in self._entries.values():
                if entry.contact.queue_id is not None and not entry.missed:
                    counts[entry.contact.queue_id, entry.contact.channel] += 1
        for contact in contacts:
            if contact.queue_id is not None:
                counts[contact.queue_id, contact.channel] -= 1
        return +counts

    def enqueued_at(self) -> Mapping[tuple[QueueId, Channel], list[datetime]]:
        """Returns, by queue and channel, when the contacts that wait there were enqueued, in order."""
        found: defaultdict[tuple[QueueId, Channel], list[datetime]] = defaultdict(list)
        with self._lock:
            for entry in self._entries.values():
                contact = entry.contact
                if contact.queue_id is not None and contact.enqueued_at is not None and not entry.missed:
                    found[contact.queue_id, contact.channel].append(contact.enqueued_at)
        for instants in found.values():
            instants.sort()
        return found

    def queues_due(self) -> frozenset[QueueId]:
        """Returns the queues with a contact that is to be moved or is held."""
        with self._lock:
            due = (entry for entry in self._entries.values() if entry.account is not None and entry.account.decisions)
            return frozenset(entry.contact.queue_id for entry in due if entry.contact.queue_id is not None)


def _is_same_wait(one: Contact, other: Contact) -> bool:
    return (one.queue_id, one.enqueued_at) == (other.queue_id, other.enqueued_at)
