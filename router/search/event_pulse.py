"""Decides whether events can be relied on: the queue answers, events arrive, and none are missing while queues move."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router import events
from router.model import IgnoredReason, QueueMetrics
from router.ports import Clock
from router.search.progress import Row

SILENT_AFTER = timedelta(minutes=10)
"""How long no event may arrive while the metrics change before the queues are searched without events."""
SETTLED_AFTER = timedelta(minutes=1)
"""How long after an event a change of the metrics may still be its effect."""
ANSWERED_WITHIN_S = 60.0
"""Seconds without an answer of SQS, three long polls, after which the queues are searched without events."""
LAGS = 500


@dataclass(kw_only=True)
class EventPulse:
    """Counts events, and knows whether they are live.

    ``received``, ``applied`` and ``ignored`` count messages since the start. ``lag`` is how late the last events
    arrived, the slowest of some hundred.
    """

    clock: Clock
    received: int = 0
    applied: int = 0
    ignored: Counter[IgnoredReason] = field(default_factory=Counter)
    silent: bool = False
    _began_at: datetime = field(init=False)
    _answered_at: float | None = None
    _event_at: datetime | None = None
    _moved_at: datetime | None = None
    _counts: Mapping[Row, int | None] = field(default_factory=dict)
    _lags: deque[timedelta] = field(default_factory=lambda: deque(maxlen=LAGS))

    def __post_init__(self) -> None:
        self._began_at = self.clock.now()

    def answered(self) -> None:
        """Records that SQS has answered, with messages or without."""
        self._answered_at = self.clock.monotonic()

    def arrived(self, sent_at: datetime) -> None:
        """Records an event of this instance."""
        now = self.clock.now()
        self._event_at = now
        self._lags.append(max(now - sent_at, timedelta()))
        if self.silent:
            self.silent = False
            events.log_events_returned()

    @property
    def lag(self) -> timedelta:
        return max(list(self._lags), default=timedelta())

    @property
    def last_event_at(self) -> datetime | None:
        return self._event_at

    @property
    def live(self) -> bool:
        """Returns whether events replace searches: one has arrived, SQS answers, and the events are not silent."""
        answered = self._answered_at is not None and self.clock.monotonic() - self._answered_at <= ANSWERED_WITHIN_S
        return answered and self._event_at is not None and not self.silent

    def compare(self, metrics: Mapping[Row, QueueMetrics]) -> None:
        """Compares the metrics with those of the last poll. Logs once that events are silent if the queues move for
        ten minutes without one."""
        now, since = self.clock.now(), self._event_at or self._began_at
        counts = {row: found.contacts_in_queue for row, found in metrics.items()}
        moved = any(self._counts[row] != count for row, count in counts.items() if row in self._counts)
        self._counts = counts
        if moved and now - since > SETTLED_AFTER:
            self._moved_at = now
        quiet = self._moved_at is not None and self._moved_at > since and now - since >= SILENT_AFTER
        if quiet and not self.silent:
            self.silent = True
            events.log_events_silent(now - since)
