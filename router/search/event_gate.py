"""Decides, from counts and ages in the metrics, whether the waiting list that events maintain is complete."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import product
from threading import Lock

from router.decide.capacity import METRICS_LAG
from router.model import Channel, QueueId, QueueMetrics
from router.ports import Clock
from router.search.event_pulse import EventPulse
from router.search.metrics_gate import SAME_CONTACT, Earliest, falls_due, unknown_since
from router.search.progress import Row, SearchPoll
from router.search.waiting_list import INDEX_LAG, NEVER, WaitingList
from router.settings import Settings

DOUBTED_FOR = 2
"""Polls in succession in which metrics and waiting list disagree before the queue is searched: the metrics lag behind
the events, or the events behind the metrics."""
SEARCHED_FOR = 2
"""Polls in which a search for what came recently may find the contact that the list lacks, before all of the queue is
searched."""
LONGEST_LAG = timedelta(minutes=1)
"""How late events may be that are allowed for. Later ones, as after an outage, show nothing about the next."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
CHANGES = 20_000
"""Events of the last minutes whose queue is remembered."""


class Agreement(Enum):
    """Names how the waiting list of one queue and channel compares with its metrics."""

    AGREES = "agrees"
    UNSURE = "unsure"
    LACKS = "lacks"
    """A contact waits that the list does not have."""
    HAS_MORE = "has_more"
    """The list has a contact that does not wait any longer."""


def compare(metrics: QueueMetrics | None, known: Sequence[datetime], *, changing: int, now: datetime) -> Agreement:
    """Compares the metrics with the instants at which the known contacts were enqueued, in order.

    ``changing`` is how many contacts may have come or gone since the metrics were taken, or since the last event that
    has arrived. Metrics without a count show nothing.
    """
    if metrics is None or metrics.contacts_in_queue is None:
        return Agreement.UNSURE
    difference = metrics.contacts_in_queue - len(known)
    if abs(difference) > changing:
        return Agreement.LACKS if difference > 0 else Agreement.HAS_MORE
    if not known or metrics.contacts_in_queue == 0 or metrics.oldest_contact_age is None:
        return Agreement.AGREES if difference == 0 else Agreement.UNSURE
    oldest = now - metrics.oldest_contact_age
    earliest = oldest - METRICS_LAG - SAME_CONTACT
    first = known[bisect_left(known, earliest)] if known[-1] >= earliest else None
    if first is None or first > oldest + SAME_CONTACT + METRICS_LAG * (changing > 0):
        return Agreement.LACKS
    return Agreement.AGREES if difference == 0 and known[0] >= earliest else Agreement.UNSURE


@dataclass(kw_only=True)
class EventGate:
    """Remembers when the list of each queue was last known to be complete, and which queues are in doubt.

    ``sweep`` is the time between two full scans while events are live. The thread of the polls uses it; only
    ``record_change`` is called by others.
    """

    pulse: EventPulse
    sweep: timedelta
    live: bool = False
    _changes: deque[tuple[datetime, Row]] = field(default_factory=lambda: deque(maxlen=CHANGES))
    _complete_at: dict[Row, datetime] = field(default_factory=dict)
    _doubts: dict[Row, int] = field(default_factory=dict)
    _differs: dict[Row, Agreement] = field(default_factory=dict)
    _older: dict[Row, datetime] = field(default_factory=dict)
    _searched_whole: dict[QueueId, datetime] = field(default_factory=dict)
    _refreshed_at: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def open(cls, settings: Settings, clock: Clock) -> EventGate | None:
        """Returns ``None`` if the configuration names no queue of events."""
        return cls(pulse=EventPulse(clock=clock), sweep=settings.events.sweep) if settings.events.queue else None

    def record_change(self, row: Row, at: datetime) -> None:
        """Records that a contact has come to a queue or has left it, at the time of its event."""
        with self._lock:
            self._changes.append((at, row))

    def forget(self) -> None:
        """Forgets what was known, because the clock was set back or events are not relied on."""
        for each in (self._complete_at, self._doubts, self._differs, self._older, self._searched_whole):
            each.clear()
        self._refreshed_at = None

    def begin_poll(
        self, poll: SearchPoll, waiting_list: WaitingList, *, last: datetime | None, refresh_after: timedelta
    ) -> None:
        """Decides whether events are relied on until the next poll, and if so compares every queue.

        Every ``refresh_after`` since the ``last`` full scan it also has every contact decided on again, because
        attributes, priorities and hours change without an event.
        """
        self.pulse.compare(poll.rows)
        self.live = self.pulse.live
        if not self.live:
            self.forget()
            return
        self._compare(poll, waiting_list)
        refreshed_at = max(filter(None, (last, self._refreshed_at)), default=poll.now)
        if poll.now - refreshed_at >= refresh_after:
            waiting_list.forget_details()
            waiting_list.decide_all_again()
            self._refreshed_at = poll.now
            poll.on_news()

    def _compare(self, poll: SearchPoll, waiting_list: WaitingList) -> None:
        now, lag, known = poll.now, min(self.pulse.lag, LONGEST_LAG), waiting_list.enqueued_at()
        changing = self._changing(now - METRICS_LAG - lag)
        for row in product(poll.queues, waiting_list.channels):
            waiting, metrics = known.get(row, ()), poll.rows.get(row)
            found = compare(metrics, waiting, changing=changing[row], now=now)
            self._older.pop(row, None)
            if found in (Agreement.LACKS, Agreement.HAS_MORE):
                self._doubts[row] = self._doubts.get(row, 0) + 1
                self._differs[row] = found
                self._note_oldest(row, metrics, waiting, now)
                continue
            self._doubts.pop(row, None)
            self._differs.pop(row, None)
            if found is Agreement.AGREES:
                self._complete_at[row] = now - METRICS_LAG - lag

    def _note_oldest(self, row: Row, metrics: QueueMetrics | None, waiting: Sequence[datetime], now: datetime) -> None:
        """Notes since when a contact waits that is older than all that are known, by the metrics."""
        if metrics is None or metrics.oldest_contact_age is None:
            return
        oldest = now - metrics.oldest_contact_age
        if not waiting or waiting[0] > oldest + SAME_CONTACT:
            self._older[row] = oldest - METRICS_LAG

    def _changing(self, since: datetime) -> Counter[Row]:
        with self._lock:
            return Counter(row for at, row in self._changes if at >= since)

    def known_since(self, row: Row, searched_at: datetime | None) -> datetime:
        """Returns since when unknown contacts may wait in the queue; ``LONG_AGO`` if for as long as contacts wait."""
        searched = LONG_AGO if searched_at is None else searched_at - INDEX_LAG
        return max(searched, self._complete_at.get(row, LONG_AGO))

    def unknown_since(
        self, row: Row, earliest: Earliest, *, searched_at: datetime | None, before: datetime
    ) -> datetime | None:
        """Returns since when to search the queue at once; ``None`` if no search is needed now.

        A queue in which the list lacks contacts is searched. So is one whose list was not found complete in time, if an
        unknown contact could fall due ``before`` the next poll.
        """
        since = self.known_since(row, searched_at)
        if self._doubts.get(row, 0) >= DOUBTED_FOR and self._differs[row] is Agreement.LACKS:
            return min(since, self._older.get(row, NEVER))
        due = earliest.at is not None and (since == LONG_AGO or since + earliest.at <= before)
        return since if due else None

    def next_search(
        self,
        poll: SearchPoll,
        searched: Mapping[QueueId, datetime],
        earliest_in: Callable[[QueueId], Earliest],
        *,
        every: timedelta,
    ) -> tuple[frozenset[QueueId], datetime]:
        """Returns the queues to search in the remaining time, and since when; no queue if there is nothing to search.

        A queue in doubt is searched as a whole, once in ``every``. A queue where so many contacts come and go that its
        count never agrees is searched for the contacts that came since it was last known to be complete.
        """
        patience = {Agreement.HAS_MORE: DOUBTED_FOR, Agreement.LACKS: DOUBTED_FOR + SEARCHED_FOR}
        doubted = {row[0] for row, polls in self._doubts.items() if polls >= patience[self._differs[row]]}
        doubted.intersection_update(poll.queues)
        last = self._searched_whole
        whole = frozenset(one for one in doubted if one not in last or poll.now - last[one] >= every)
        if whole:
            last.update(dict.fromkeys(whole, poll.now))
            return whole, LONG_AGO
        since: dict[QueueId, datetime] = {}
        for row in poll.rows:
            if earliest_in(row[0]).at is not None:
                at = self.known_since(row, searched.get(row[0]))
                since[row[0]] = min(since.get(row[0], at), at)
        stale = {queue_id: at for queue_id, at in since.items() if poll.now - at >= every + INDEX_LAG}
        return frozenset(stale), min(stale.values(), default=poll.now)

    @property
    def doubted(self) -> int:
        """Returns how many queues are in doubt."""
        return len({row[0] for row in list(self._doubts)})


def search_since(
    row: Row,
    poll: SearchPoll,
    earliest: Earliest,
    *,
    known: Mapping[Row, Sequence[datetime]],
    searched_at: datetime | None,
    gate: EventGate | None,
) -> datetime | None:
    """Returns since when to search a queue and channel, ``LONG_AGO`` if for as long as contacts wait; ``None`` if no
    search is needed now. ``gate`` is ``None`` unless events are relied on."""
    if gate is not None:
        return gate.unknown_since(row, earliest, searched_at=searched_at, before=poll.due_before)
    since = unknown_since(poll.rows.get(row), known=known.get(row, ()), searched_at=searched_at, now=poll.now)
    return (since or LONG_AGO) if falls_due(since, earliest, poll.due_before) else None


def with_late(
    poll: SearchPoll, channels: Iterable[Channel], earliest_in: Callable[[QueueId], Earliest]
) -> Iterator[QueueId]:
    """Yields the queues whose oldest contact has waited longer than the first step of a rule requires; none if there
    is one queue only."""
    for queue_id in poll.queues if len(poll.queues) > 1 else ():
        first = earliest_in(queue_id).at
        known = (poll.rows.get((queue_id, channel)) for channel in channels)
        ages = [row.oldest_contact_age for row in known if row is not None]
        if first is not None and any(age is not None and age >= first for age in ages):
            yield queue_id
