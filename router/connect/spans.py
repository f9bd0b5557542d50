"""How a search is cut into the queries that Connect takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from router.model import QueueId

MAX_SPAN = timedelta(days=55)
"""Contact search takes at most 8 weeks at a time (Amazon Connect Administrator Guide, contact search); SearchContacts
was seen to answer 500 above some 56 days."""

MAX_QUEUES = 100
"""QueueIds of SearchCriteria, and Queues of GetCurrentMetricData's filter (botocore service model)."""

Id = TypeVar("Id", bound=str)


@dataclass(frozen=True, slots=True)
class Query:
    """One query of SearchContacts, to be paged. ``queue_ids`` is ``None`` for every queue."""

    start: datetime
    end: datetime
    queue_ids: tuple[QueueId, ...] | None


def queries(queue_ids: Collection[QueueId] | None, *, since: datetime, until: datetime) -> Iterator[Query]:
    """Newest span first, and in each span every queue; nothing where there is no queue or no time to search."""
    batches: list[tuple[QueueId, ...] | None] = (
        [None] if queue_ids is None else list(batched(sorted(queue_ids), MAX_QUEUES))
    )
    end = until
    while end > since:
        start = max(end - MAX_SPAN, since)
        for batch in batches:
            yield Query(start, end, batch)
        end = start


def batched(ids: list[Id], size: int) -> Iterator[tuple[Id, ...]]:
    for at in range(0, len(ids), size):
        yield tuple(ids[at : at + size])
