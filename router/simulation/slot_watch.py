"""Collects when the recorded metrics of a queue showed no free slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.history.world import Event, Gap, Looked, Measured
from router.model import Channel, QueueId, QueueMetrics

Place = tuple[QueueId, Channel]
FRESH = timedelta(minutes=10)
"""How long metrics hold without a newer record, at most."""
LAG = timedelta(minutes=2)
"""By how much the metrics may be late, with the time between two polls."""


@dataclass(slots=True)
class SlotWatch:
    """Holds the times without a free slot. ``measured`` are the queues and channels with metrics at all."""

    unserved: dict[Place, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    measured: set[Place] = field(default_factory=set)
    _since: dict[Place, datetime] = field(default_factory=dict)
    _at: datetime | None = None

    def watch(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yields the events as they are."""
        for event in events:
            if isinstance(event, Measured):
                self._take(event.at, event.rows)
            elif isinstance(event, Looked):
                self._take(event.at, event.snapshot.read.metrics.rows)
            elif isinstance(event, Gap):
                self._end(list(self._since), event.at)
            yield event
        if self._at is not None:
            self._end(list(self._since), self._at)

    def _take(self, at: datetime, rows: Mapping[Place, QueueMetrics]) -> None:
        if not rows:
            return
        if self._at is not None and at - self._at > FRESH:
            self._end(list(self._since), self._at + FRESH)
        self._at = at
        self.measured.update(rows)
        for place, row in rows.items():
            if row.slots_available == 0:
                self._since.setdefault(place, at)
            else:
                self._end([place], at)

    def _end(self, places: Iterable[Place], at: datetime) -> None:
        for place in places:
            since = self._since.pop(place, None)
            if since is not None and at - LAG > since:
                self.unserved[place].append((since, at - LAG))
