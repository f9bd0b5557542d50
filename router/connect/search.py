"""Searches contacts that wait, as far as the index of SearchContacts knows them."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from router.connect.answers import Failure, Rejected, SearchPage, Unknown
from router.connect.api import Answered
from router.connect.contact_rows import contacts_of, id_if_any
from router.connect.missing_ids import BatchParts, MissingIds
from router.connect.reads import LISTING, Patience, Reads, RefusedLately, TokenExpired, pages
from router.model import Channel, Contact, ContactId, QueueId

# A search is cut into queries, because Connect limits the span and the queues of each.

MAX_SPAN = timedelta(days=55)
"""Contact search takes at most 8 weeks at a time (Amazon Connect Administrator Guide, contact search); SearchContacts
was seen to answer 500 above some 56 days."""

MAX_QUEUES = 100
"""QueueIds of SearchCriteria, and Queues of GetCurrentMetricData's filter (botocore service model)."""


@dataclass(frozen=True, slots=True)
class Query:
    """Holds one query of SearchContacts, which has pages. ``queue_ids`` is ``None`` for every queue."""

    start: datetime
    end: datetime
    queue_ids: tuple[QueueId, ...] | None


def queries(
    queue_ids: Collection[QueueId] | None, *, since: datetime, until: datetime, missing: MissingIds[QueueId]
) -> Iterator[Query]:
    """Returns the queries, newest span first, and in each span every queue; none if there is no queue or no time to
    search. Queues that are found missing are left out of later spans."""
    end = until
    while end > since:
        start = max(end - MAX_SPAN, since)
        batches: list[tuple[QueueId, ...] | None] = [None]
        if queue_ids is not None:
            batches = list(missing.batches(queue_ids, MAX_QUEUES))
        for batch in batches:
            yield Query(start, end, batch)
        end = start


PAGE_SIZE = 100
RESULT_CAP = 10_000
"""Contact search shows the first 10,000 results (Amazon Connect Administrator Guide, contact search); whether the API
stops there is not documented."""
FAILURES_IN_A_ROW = 2
"""Queries that fail one after the other before the rest is left for the next poll: Connect is ill, not one span."""

DEGRADED = "Connect refused the filter for contacts that still wait; every contact of the span is read instead"

_STILL_WAITING = {
    "MatchType": "MATCH_ALL",
    "Criteria": [
        {"TimestampCondition": {"Type": "DISCONNECT_TIMESTAMP", "ConditionType": "NOT_EXISTS"}},
        {"TimestampCondition": {"Type": "CONNECTED_TO_AGENT_TIMESTAMP", "ConditionType": "NOT_EXISTS"}},
    ],
}
"""Contacts that were neither disconnected nor connected to an agent (botocore service model, AdditionalTimeRange)."""


@dataclass(slots=True)
class _Progress:
    """Records one search: the ids it has yielded, and the failures of queries that did not end it."""

    seen: set[ContactId] = field(default_factory=set)
    failure: Failure | None = None
    in_a_row: int = 0


class Search:
    """Finds contacts by the time at which they entered a queue.

    It therefore finds only contacts that were queued at some time.

    Rows are candidates: the index lags behind Connect by an undocumented time, and AWS promises no filter for "still
    waiting".
    """

    def __init__(
        self,
        reads: Reads,
        *,
        channels: Collection[Channel],
        missing: MissingIds[QueueId],
        patience: Patience = LISTING,
    ) -> None:
        self._reads = reads
        self._missing = missing
        self._channels = sorted(channel.value for channel in channels)
        self._patience = patience
        self._filter_refused = RefusedLately(lambda: reads.monotonic)

    def run(self, *, queue_ids: Collection[QueueId] | None, since: datetime, until: datetime) -> Iterator[SearchPage]:
        """Yields page by page, each contact once.

        A query that cannot be read to its end does not stop those for other spans and queues, unless Connect refuses or
        throttles, or two fail in a row; the last page then has the failure.
        """
        progress = _Progress()
        query: Query | None = None
        for query in queries(queue_ids, since=since, until=until, missing=self._missing):
            failure = yield from self._query(query, progress)
            if failure is None:
                progress.in_a_row = 0
                continue
            progress.failure = failure
            progress.in_a_row += 1
            if not isinstance(failure, Unknown) or progress.in_a_row >= FAILURES_IN_A_ROW:
                break
        if query is not None:
            self._reads.record_health("SearchContacts", progress.failure)
        if progress.failure is not None and query is not None:
            yield self._page(query, (), failure=progress.failure)

    def _query(self, query: Query, progress: _Progress) -> Generator[SearchPage, None, Failure | None]:
        """Reads one query to its end; a queue that the instance no longer has does not keep the others from it."""
        parts = BatchParts(self._missing, query.queue_ids or ())
        for part in parts:
            failure = yield from self._whole(replace(query, queue_ids=part or None), progress)
            if failure is None:
                parts.answered(part)
            elif isinstance(failure, TokenExpired):
                return failure.failure
            elif not parts.refused(part, failure):
                return failure
        return None

    def _whole(self, query: Query, progress: _Progress) -> Generator[SearchPage, None, Failure | TokenExpired | None]:
        """Reads one query to its end.

        It begins again if Connect no longer knows its own token.
        """
        failure = yield from self._pages(query, progress)
        if isinstance(failure, TokenExpired):
            failure = yield from self._pages(query, progress)
        return failure

    def _pages(self, query: Query, progress: _Progress) -> Generator[SearchPage, None, Failure | TokenExpired | None]:
        last_ids: list[object] = []
        rows = 0
        total: int | None = None
        for answer in pages("SearchContacts", lambda token: self._ask(query, token)):
            if not isinstance(answer, Answered):
                return answer
            yield self._read(query, answer, progress)
            ids: list[object] = [id_if_any(row) for row in answer.body.get("Contacts") or ()]
            if ids and ids == last_ids:  # following it would never end, or miss the pages between
                return Unknown(code="RepeatedPage", message="SearchContacts answered the same page twice")
            last_ids, rows, total = ids, rows + len(ids), answer.body.get("TotalCount")
        if total is None or rows < RESULT_CAP or total <= rows:
            return None
        return Unknown(code="ResultCap", message=f"SearchContacts ended after {rows} of {total} contacts")

    def _ask(self, query: Query, token: str | None) -> Answered | Failure:
        """Returns one page. If the filter is refused, it returns the same page without it.

        If the filter was the reason, later queries do without it.
        """
        answer = self._reads.get("SearchContacts", patience=self._patience, **self._parameters(query, token))
        refused = isinstance(answer, Rejected) and answer.status == 400
        if not refused or token is not None or self._filter_refused:
            return answer
        self._filter_refused.record()
        unfiltered = self._reads.get("SearchContacts", patience=self._patience, **self._parameters(query, token))
        if isinstance(unfiltered, Answered):
            return unfiltered
        self._filter_refused.forget()
        return answer if isinstance(unfiltered, Rejected) else unfiltered

    def _parameters(self, query: Query, token: str | None) -> dict[str, Any]:
        criteria: dict[str, Any] = {"Channels": self._channels}
        if query.queue_ids is not None:
            criteria["QueueIds"] = list(query.queue_ids)
        if not self._filter_refused:
            criteria["AdditionalTimeRange"] = _STILL_WAITING
        parameters: dict[str, Any] = {
            "TimeRange": {"Type": "ENQUEUE_TIMESTAMP", "StartTime": query.start, "EndTime": query.end},
            "SearchCriteria": criteria,
            "MaxResults": PAGE_SIZE,
            "Sort": {"FieldName": "INITIATION_TIMESTAMP", "Order": "ASCENDING"},
        }
        return parameters if token is None else {**parameters, "NextToken": token}

    def _read(self, query: Query, answer: Answered, progress: _Progress) -> SearchPage:
        contacts, problems = contacts_of(answer.body.get("Contacts") or ())
        fresh: list[Contact] = []
        for contact in contacts:
            if contact.id not in progress.seen:
                progress.seen.add(contact.id)
                fresh.append(contact)
        page = self._page(query, tuple(fresh))
        return replace(page, problems=problems, total=answer.body.get("TotalCount"))

    def _page(self, query: Query, contacts: tuple[Contact, ...], *, failure: Failure | None = None) -> SearchPage:
        return SearchPage(
            contacts=contacts,
            span_start=query.start,
            span_end=query.end,
            failure=failure,
            degraded=DEGRADED if self._filter_refused else None,
        )
