"""A world that is only searched: contacts that come, are seen by an index and by metrics that lag, and go."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.connect.answers import Failure, SearchPage, Unknown
from router.model import Channel, Contact, QueueId, QueueMetrics
from tests.builders.contacts import NOW

NEVER = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Holds a contact that arrives.

    The index shows the contact ``shown_after`` its arrival. An agent accepts the contact at ``left_at``.
    """

    contact: Contact
    shown_after: timedelta = timedelta()
    left_at: datetime | None = None

    def waits(self, at: datetime) -> bool:
        entered = self.contact.enqueued_at
        assert entered is not None
        return entered <= at and (self.left_at is None or at < self.left_at)

    def shown(self, at: datetime) -> bool:
        entered = self.contact.enqueued_at
        assert entered is not None
        return self.waits(at) and entered + self.shown_after <= at


class SetClock:
    def __init__(self, now: datetime = NOW) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Plenty:
    """A quota that never runs out."""

    def acquire(self, operation: str, **_: object) -> bool:
        return True

    def awaits_token(self, thread: int) -> bool:
        return False

    def seconds_to_token(self, operation: str) -> float:
        return 0.0

    def nudge(self, operation: str) -> None: ...
    def give_back(self, operation: str) -> None: ...
    def pause(self, seconds: float) -> None: ...
    def throttled(self, operation: str) -> None: ...
    def succeeded(self, operation: str) -> None: ...


@dataclass
class WatchedWorld:
    """Plays both the reader and the instance of ``Searching``.

    ``searches`` are the queues of each requested page. ``silent`` channels have no row in the metrics, and the metrics
    leave out ``uncounted`` contacts. If ``failing``
    is set, searches return an error. A page has ``page`` contacts.
    """

    clock: SetClock
    arrivals: list[Arrival]
    metrics_lag: timedelta = timedelta()
    silent: frozenset[Channel] = frozenset()
    uncounted: frozenset[str] = frozenset()
    metrics_fail: bool = False
    failing: bool = False
    page: int = 100
    page_takes: timedelta = timedelta()
    searches: list[Collection[QueueId] | None] = field(default_factory=list)
    spans: list[timedelta] = field(default_factory=list)
    asked: int = 0

    def search(
        self, *, queue_ids: Collection[QueueId] | None, since: datetime, until: datetime
    ) -> Iterator[SearchPage]:
        found = [
            one.contact
            for one in self.arrivals
            if one.shown(self.clock.at)
            and (queue_ids is None or one.contact.queue_id in queue_ids)
            and one.contact.enqueued_at is not None
            and since <= one.contact.enqueued_at < until
        ]
        self.spans.append(until - since)
        for at in range(0, max(len(found), 1), self.page):
            self.searches.append(queue_ids)
            self.clock.at += self.page_takes
            failure = Unknown(code="Broken", message="a test") if self.failing else None
            yield SearchPage(
                contacts=() if failure else tuple(found[at : at + self.page]),
                span_start=since,
                span_end=until,
                failure=failure,
                total=len(found),
            )
            if failure:
                return

    def queue_metrics(
        self, queue_ids: Collection[QueueId], channels: Collection[Channel]
    ) -> Mapping[tuple[QueueId, Channel], QueueMetrics] | Failure:
        self.asked += 1
        if self.metrics_fail:
            return Unknown(code="Broken", message="a test")
        at = self.clock.at - self.metrics_lag
        rows = {}
        for queue_id in queue_ids:
            for channel in set(channels) - self.silent:
                ages = [
                    one.contact.waited(at)
                    for one in self.arrivals
                    if one.waits(at)
                    and one.contact.id not in self.uncounted
                    and (one.contact.queue_id, one.contact.channel) == (queue_id, channel)
                ]
                oldest = max(ages, default=None)
                rows[queue_id, channel] = QueueMetrics(contacts_in_queue=len(ages), oldest_contact_age=oldest)
        return rows
