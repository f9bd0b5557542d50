"""The contacts that are known to wait, each with what was last decided about it and when to look at it again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from router.decide.decide import Account
from router.execute.result import Outcome, Result
from router.model import Channel, Contact, ContactId, HoldReason, QueueId, Standing

# Waits that a reading has shown to be over, though the search's index still shows them.

OVER = frozenset({HoldReason.DISCONNECTED, HoldReason.PICKED_UP, HoldReason.LEFT_QUEUE})
"""What a wait never comes back from: a contact queued again is queued at another instant, and so another wait.
What is not found by its id, though the search has it, may be found in the next moment."""
KEPT = timedelta(hours=1)
"""How long the index is given to catch up; an hour is far more than was ever reported, and then it is read again."""


class EndedWaits:
    """Without this a stale row would cost a reading in every cycle until the index catches up."""

    def __init__(self) -> None:
        self._seen: dict[tuple[ContactId, datetime | None], datetime] = {}

    def remember(self, results: Iterable[Result], now: datetime) -> None:
        """Takes note of the contacts that were found, on reading again, to wait no more."""
        self._seen = {wait: at for wait, at in self._seen.items() if now - at < KEPT}
        for result in results:
            if result.outcome is Outcome.HELD and result.reason in OVER:
                contact = result.decision.contact
                self._seen[contact.id, contact.enqueued_at] = now

    def __contains__(self, contact: Contact) -> bool:
        return (contact.id, contact.enqueued_at) in self._seen


NOW = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)

INDEX_LAG = timedelta(minutes=2)
"""How long a contact may be in its queue before the search's index shows it; Amazon documents no figure. What was read
by id is kept so long though a search does not return it, and so much of the past is searched again."""


@dataclass(slots=True, kw_only=True)
class WaitingEntry:
    """``look_at`` is when to decide on it again, ``each_poll`` whether every poll does too. ``by_id``: read by its id,
    and not yet seen by a search. ``no_place``: it waits for another contact of its flow to land. ``missed``: the last
    search of its queue did not return it."""

    contact: Contact
    seen_at: datetime
    by_id: bool = False
    account: Account | None = None
    look_at: datetime = NOW
    each_poll: bool = False
    no_place: bool = False
    missed: bool = False


class WaitingList:
    """Thread-safe. A contact is forgotten when a row or a reading shows that it waits no more, or when two searches of
    its queue in succession, each read to its end, did not return it: absence from one is no evidence. Until then it
    does not count as waiting, and is acted on when it falls due, if a reading finds it there."""

    def __init__(
        self, *, channels: Collection[Channel], ended: Callable[[Contact], bool] = lambda contact: False
    ) -> None:
        """``ended`` tells rows of waits that a reading has shown to be over."""
        self._channels = frozenset(channels)
        self._ended = ended
        self._known: dict[ContactId, WaitingEntry] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, contact_id: object) -> bool:
        return contact_id in self._known

    def see(self, contacts: Iterable[Contact], now: datetime, *, by_id: bool = False) -> int:
        """Takes rows, or readings, of contacts; answers how many there are to be decided on anew."""
        fresh = 0
        with self._lock:
            for contact in contacts:
                if contact.channel not in self._channels:
                    continue
                if contact.standing(now) is not Standing.WAITING or self._ended(contact):
                    self._known.pop(contact.id, None)
                    continue
                fresh += self._take(contact, now, by_id=by_id)
        return fresh

    def _take(self, contact: Contact, now: datetime, *, by_id: bool) -> bool:
        known = self._known.get(contact.id)
        if known is None or not _same_wait(known.contact, contact):
            self._known[contact.id] = WaitingEntry(contact=contact, seen_at=now, by_id=by_id)
            return True
        known.seen_at, known.missed = now, False
        known.by_id = known.by_id and by_id
        if by_id or known.contact == contact:
            return False
        known.contact, known.look_at = contact, NOW
        return True

    def searched(
        self, queue_ids: Collection[QueueId] | None, began_at: datetime, *, since: datetime = NOW
    ) -> None:
        """Such a search, for what was enqueued ``since`` then, was read to its end."""

        def missing(known: WaitingEntry) -> bool:
            return (
                known.seen_at < began_at
                and (known.contact.enqueued_at or NOW) >= since
                and (queue_ids is None or known.contact.queue_id in queue_ids)
                and not (known.by_id and began_at - known.seen_at < INDEX_LAG)
            )

        with self._lock:
            for known in [known for known in self._known.values() if missing(known)]:
                if known.missed:
                    del self._known[known.contact.id]
                known.missed = True

    def press(self, contact_ids: Iterable[ContactId]) -> None:
        """These are to be decided on now."""
        with self._lock:
            for contact_id in contact_ids:
                if contact_id in self._known:
                    self._known[contact_id].look_at = NOW

    def press_all(self) -> None:
        with self._lock:
            for known in self._known.values():
                known.look_at = NOW

    def polled(self) -> None:
        """A poll has come: what is looked at in each is to be decided on."""
        with self._lock:
            for known in self._known.values():
                if known.each_poll:
                    known.look_at = NOW

    def landed(self) -> bool:
        """A moved contact has landed, so that its flow has a place; answers whether anybody waited for one."""
        with self._lock:
            waiting = [known for known in self._known.values() if known.no_place]
            for known in waiting:
                known.look_at, known.no_place = NOW, False
            return bool(waiting)

    def take_pressing(self, now: datetime) -> tuple[Contact, ...]:
        """The contacts to decide on now; whatever comes of it, they are not asked for again before the next poll unless
        somebody says so."""
        with self._lock:
            pressing = [known for known in self._known.values() if known.look_at <= now]
            for known in pressing:
                known.look_at, known.each_poll = NEVER, True
            return tuple(known.contact for known in pressing)

    @property
    def next_at(self) -> datetime:
        with self._lock:
            return min((known.look_at for known in self._known.values()), default=NEVER)

    def decided(self, accounts: Iterable[tuple[Account, datetime, bool]]) -> None:
        """What was decided, when to look again, and whether at each poll; the contact of an account without a wait
        waits no more."""
        with self._lock:
            for account, look_at, each_poll in accounts:
                known = self._known.get(account.contact.id)
                if known is None or known.contact is not account.contact:
                    continue  # gone, or seen anew while it was decided on: then it is still to be decided on
                if account.wait is None:
                    del self._known[account.contact.id]
                    continue
                known.account, known.look_at, known.each_poll = account, look_at, each_poll
                known.no_place = False

    def forget(self, contact: Contact) -> None:
        """This wait of the contact is over."""
        with self._lock:
            known = self._known.get(contact.id)
            if known is not None and _same_wait(known.contact, contact):
                del self._known[contact.id]

    def without_place(self, contact_ids: Iterable[ContactId]) -> None:
        with self._lock:
            for contact_id in contact_ids:
                if contact_id in self._known:
                    self._known[contact_id].no_place = True

    @property
    def accounts(self) -> dict[ContactId, Account]:
        """What was last decided on each contact that counts as waiting."""
        with self._lock:
            counting = ((one, known.account) for one, known in self._known.items() if not known.missed)
            return {one: account for one, account in counting if account is not None}

    def others(self, contacts: Iterable[Contact]) -> Counter[tuple[QueueId, Channel]]:
        """How many wait besides these, by queue and channel."""
        counts: Counter[tuple[QueueId, Channel]] = Counter()
        with self._lock:
            for known in self._known.values():
                if known.contact.queue_id is not None and not known.missed:
                    counts[known.contact.queue_id, known.contact.channel] += 1
        for contact in contacts:
            if contact.queue_id is not None:
                counts[contact.queue_id, contact.channel] -= 1
        return +counts

    def enqueued(self) -> Mapping[tuple[QueueId, Channel], list[datetime]]:
        """By queue and channel: when those that wait there were enqueued, in order."""
        found: defaultdict[tuple[QueueId, Channel], list[datetime]] = defaultdict(list)
        with self._lock:
            for known in self._known.values():
                contact = known.contact
                if contact.queue_id is not None and contact.enqueued_at is not None and not known.missed:
                    found[contact.queue_id, contact.channel].append(contact.enqueued_at)
        for instants in found.values():
            instants.sort()
        return found

    def queues_due(self) -> frozenset[QueueId]:
        """Those with a contact that is due, or held."""
        with self._lock:
            due = (known for known in self._known.values() if known.account is not None and known.account.decisions)
            return frozenset(known.contact.queue_id for known in due if known.contact.queue_id is not None)


def _same_wait(one: Contact, other: Contact) -> bool:
    return (one.queue_id, one.enqueued_at) == (other.queue_id, other.enqueued_at)
