"""Defines one poll of the search, a search that continues over polls, and how far the search has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.connect.answers import Failure, RowProblem, SearchPage
from router.model import Channel, Contact, QueueId, QueueMetrics

Row = tuple[QueueId, Channel]
Rows = Mapping[Row, QueueMetrics]
EnqueuedAt = Mapping[Row, Sequence[datetime]]
"""When the known contacts of each queue and channel were enqueued, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProgress:
    """Shows how far the search has come.

    ``begun``: everything was searched at least once. ``going_on``: this poll continued a full scan. ``unseen`` is how
    many contacts that full scan is still to return, by Connect's count, and ``unseen_for`` the time since the last
    complete one. ``failure`` is why a search could not be read to its end. ``unreadable`` are rows that were skipped.
    """

    begun: bool = False
    going_on: bool = False
    unseen: int = 0
    unseen_for: timedelta = timedelta()
    failure: Failure | None = None
    unreadable: tuple[RowProblem, ...] = ()

    @property
    def complete(self) -> bool:
        return self.failure is None and self.begun and not self.unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingReport:
    """Holds the waiting list of a running service, for a command that then makes no search.

    ``queue_ids`` are the queues that the service searches, ``None`` for all. Rules that meet others need a search.
    """

    contacts: tuple[Contact, ...]
    channels: frozenset[Channel]
    queue_ids: frozenset[QueueId] | None

    def covers(self, queue_ids: frozenset[QueueId] | None, channels: frozenset[Channel]) -> bool:
        """Returns whether every contact of these queues and channels is in the list."""
        known = self.queue_ids is None or (queue_ids is not None and queue_ids <= self.queue_ids)
        return known and channels <= self.channels


@dataclass(slots=True, kw_only=True)
class SearchCursor:
    """A search that continues over polls. ``queue_ids`` ``None`` means every queue; ``whole``: it is a full scan."""

    pages: Iterator[SearchPage]
    queue_ids: frozenset[QueueId] | None
    since: datetime
    began_at: datetime
    whole: bool
    returned: int = 0
    returned_before: int = 0
    total: int = 0
    failure: Failure | None = None

    @property
    def left(self) -> int:
        return max(self.total - self.returned, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPoll:
    """Holds what one poll is given.

    Contacts that fall due before ``due_before`` must be found. ``until`` is the monotonic instant of the next poll,
    ``None`` for no limit. ``queues`` are all queues that rules can meet, in order.
    """

    queues: tuple[QueueId, ...]
    rows: Rows
    now: datetime
    due_before: datetime
    gated: bool
    until: float | None
    on_news: Callable[[], object]
    stop: Callable[[], bool]
