"""Spends the scarcest quota, SearchContacts, where something may be due that is not known yet, and page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from router import events
from router.connect.answers import Failure, RowProblem, SearchPage
from router.connect.search import MAX_QUEUES, MAX_SPAN
from router.model import Channel, Directory, QueueId, QueueMetrics
from router.news import NewsFilter
from router.ports import Clock, Gauge, Pacer, Searcher
from router.rules.bound import BoundRuleSet
from router.search.metrics_gate import Earliest, falls_due, unknown_since
from router.search.next_due import NextDue
from router.search.waiting_list import WaitingList

SEARCH = "SearchContacts"
SPARE = timedelta(seconds=5)
"""How much later than planned the next poll's searching may come to a queue."""

LONG_AGO_EVERY = timedelta(hours=1)
"""How often contacts are searched for that were enqueued before the newest span: none comes to be there, and each look
costs a call or more."""

Row = tuple[QueueId, Channel]
Rows = Mapping[Row, QueueMetrics]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProgress:
    """How far searching has come. ``unseen`` is how many contacts the search under way is still to return, as far as
    Connect counts them, and ``unseen_for`` since when nobody has looked at them all; ``begun``: everything was looked
    at once, ``going_on``: this poll came further with it. ``failure`` is why a search could not be read to its end,
    ``unreadable`` are rows of which the others stand."""

    begun: bool = False
    going_on: bool = False
    unseen: int = 0
    unseen_for: timedelta = timedelta()
    failure: Failure | None = None
    unreadable: tuple[RowProblem, ...] = ()

    @property
    def complete(self) -> bool:
        return self.failure is None and self.begun and not self.unseen


@dataclass(slots=True, kw_only=True)
class _Cursor:
    """A search that goes on over polls. ``queue_ids`` is ``None`` for every queue; ``whole``: all that rules can
    meet."""

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


@dataclass(kw_only=True)
class SearchPlanner:
    """``poll`` is called by one thread at a time. Everything that waits is looked at every ``sweep``; in between only
    queues that may hold a contact which is not known and falls due before the next poll (and those under rules that go
    by the age of the chain: there a contact may be late as it arrives), for what came since they were searched; and, if
    there is time, those that hold something due, so that what left them is not counted any more."""

    reader: Searcher
    gauge: Gauge
    clock: Clock
    pacer: Pacer
    roster: WaitingList
    channels: frozenset[Channel]
    lookback: timedelta
    sweep: timedelta
    gated: bool = True
    """Without it the metrics are not asked, and every poll searches everything."""
    _searched: dict[QueueId, datetime] = field(default_factory=dict)
    _polled_at: datetime | None = None
    _everything_at: datetime | None = None
    _long_ago_at: datetime | None = None
    _cursor: _Cursor | None = None
    _ahead: NextDue | None = None
    _earliest: dict[QueueId, Earliest] = field(default_factory=dict)
    _news: NewsFilter[str] = field(default_factory=NewsFilter)
    _unreadable: list[RowProblem] = field(default_factory=list)

    def poll(
        self,
        rules: BoundRuleSet,
        directory: Directory,
        *,
        every: timedelta,
        until: float | None,
        news: Callable[[], object],
        stop: Callable[[], bool],
    ) -> SearchProgress:
        """Searches until there is nothing to search for, or the next poll comes (``until``, monotonic seconds; then it
        is gone on with there). ``news`` is called after each page that brought something."""
        self._use(rules, directory)
        self._unreadable.clear()
        now = self._now()
        queues = self._queues(rules, directory)
        rows = self._metrics([one for one in queues if self._earliest_in(one).at is not None]) if self.gated else {}
        failure = None
        if self._everything_at is not None and self.gated:
            failure = self._search_new(queues, rows, now, every, until, news, stop)
        if self._cursor is None:
            self._cursor = self._next_cursor(rules, queues, rows, now)
        failure = self._go_on(until, news, stop) or failure
        return self._seen(failure)

    def _now(self) -> datetime:
        """A clock that was set back makes every search one of the future, and nothing would be searched until then."""
        before, self._polled_at = self._polled_at, self.clock.now()
        if before is not None and self._polled_at < before:
            self._searched.clear()
            self._everything_at = self._long_ago_at = self._cursor = None
        return self._polled_at

    def _use(self, rules: BoundRuleSet, directory: Directory) -> None:
        """Other rules can meet other queues: a search that is under way for the old ones begins again."""
        if self._ahead is not None and self._ahead.rules is rules and self._ahead.directory is directory:
            return
        if self._ahead is not None and self._ahead.rules.queue_ids != rules.queue_ids:
            self._cursor = None
        if self._ahead is not None and self._ahead.rules is not rules:
            self._everything_at = self._long_ago_at = None
        self._ahead = NextDue(rules, directory)
        self._earliest = {}

    def _queues(self, rules: BoundRuleSet, directory: Directory) -> tuple[QueueId, ...]:
        listed = (queue.id for queue in directory.queues if queue.agent_id is None)
        return tuple(sorted(rules.queue_ids if rules.queue_ids is not None else listed))

    def _metrics(self, queues: Collection[QueueId]) -> Rows:
        """What is missing bounds nothing: then the search alone tells."""
        if not queues:
            return {}
        rows = self.gauge.queue_metrics(queues, self.channels)
        return rows if isinstance(rows, Mapping) else {}

    def _earliest_in(self, queue_id: QueueId) -> Earliest:
        if queue_id not in self._earliest:
            assert self._ahead is not None, "rules are in use"
            self._earliest[queue_id] = Earliest.of(self._ahead.meeting(queue_id))
        return self._earliest[queue_id]

    def _search_new(
        self,
        queues: Iterable[QueueId],
        rows: Rows,
        now: datetime,
        every: timedelta,
        until: float | None,
        news: Callable[[], object],
        stop: Callable[[], bool],
    ) -> Failure | None:
        """Of the queues where something not known may fall due, what may have come since they were searched: the queues
        with the most to search for first."""
        since = dict(self._to_search(queues, rows, now, now + every + SPARE))
        order = sorted(since, key=lambda queue_id: (since[queue_id], queue_id))
        for at in range(0, len(order), MAX_QUEUES):
            batch = order[at : at + MAX_QUEUES]
            if stop() or (at and not self._in_time(until)):
                break
            began_at = self.clock.now()
            start = min(since[queue_id] for queue_id in batch)
            for page in self.reader.search(queue_ids=batch, since=start, until=began_at):
                self._take(page, news)
                if page.failure is not None:
                    return page.failure
            self._searched.update(dict.fromkeys(batch, began_at))
        return None

    def _to_search(
        self, queues: Iterable[QueueId], rows: Rows, now: datetime, before: datetime
    ) -> Iterator[tuple[QueueId, datetime]]:
        enqueued, longest_ago = self.roster.enqueued(), now - self.lookback
        for queue_id in queues:
            earliest, starts = self._earliest_in(queue_id), []
            for channel in self.channels:
                since = unknown_since(
                    rows.get((queue_id, channel)),
                    known=enqueued.get((queue_id, channel), ()),
                    searched_at=self._searched.get(queue_id),
                    now=now,
                )
                if falls_due(since, earliest, before):
                    starts.append(max(since or longest_ago, longest_ago))
            if starts:
                yield queue_id, min(starts)

    def _next_cursor(
        self, rules: BoundRuleSet, queues: Collection[QueueId], rows: Rows, now: datetime
    ) -> _Cursor | None:
        began_at = self.clock.now()
        if self._everything_at is None or not self.gated or now - self._everything_at >= self.sweep:
            since = self._since(began_at)
            late = frozenset(self._with_late(queues, rows)) if len(queues) > 1 else frozenset()
            rest = rules.queue_ids if rules.queue_ids is None else rules.queue_ids - late
            first = self._search(late, since, began_at) if late else iter(())
            pages = chain(first, self._search(rest, since, began_at) if rest is None or rest else iter(()))
            return _Cursor(pages=pages, queue_ids=rules.queue_ids, since=since, began_at=began_at, whole=True)
        due, since = self.roster.queues_due().intersection(queues), now - min(MAX_SPAN, self.lookback)
        if not due:
            return None
        again = self._search(due, since, began_at)
        return _Cursor(pages=again, queue_ids=due, since=since, began_at=began_at, whole=False)

    def _since(self, began_at: datetime) -> datetime:
        lately = self._long_ago_at is not None and began_at - self._long_ago_at < LONG_AGO_EVERY
        return began_at - (min(MAX_SPAN, self.lookback) if lately and self.gated else self.lookback)

    def _with_late(self, queues: Iterable[QueueId], rows: Rows) -> Iterator[QueueId]:
        """Those with a contact that has waited longer than the first step of a rule asks for."""
        for queue_id in queues:
            first = self._earliest_in(queue_id).at
            known = (rows.get((queue_id, channel)) for channel in self.channels)
            ages = [row.oldest_contact_age for row in known if row is not None]
            if first is not None and any(age is not None and age >= first for age in ages):
                yield queue_id

    def _search(
        self, queue_ids: frozenset[QueueId] | None, since: datetime, began_at: datetime
    ) -> Iterator[SearchPage]:
        return self.reader.search(queue_ids=queue_ids, since=since, until=began_at)

    def _go_on(
        self, until: float | None, news: Callable[[], object], stop: Callable[[], bool]
    ) -> Failure | None:
        cursor = self._cursor
        if cursor is not None:
            cursor.returned_before = cursor.returned
        while cursor is not None and not stop() and self._in_time(until):
            try:
                page = next(cursor.pages, None)
                if page is not None:
                    self._take(page, news)
            except Exception:  # a bug: what is left of it has come to no end
                self._cursor = None
                raise
            if page is None:
                self._end(cursor)
                return cursor.failure
            cursor.returned += len(page.contacts)
            cursor.total = max(cursor.total, page.total or 0)
            cursor.failure = page.failure or cursor.failure
        return None

    def _end(self, cursor: _Cursor) -> None:
        """A search that failed is no evidence of what it did not return; the next poll searches again."""
        self._cursor = None
        if cursor.failure is not None:
            return
        self.roster.searched(cursor.queue_ids, cursor.began_at, since=cursor.since)
        if cursor.whole:
            self.roster.press_all()  # attributes, priorities and hours change without a row that does
            self._everything_at = cursor.began_at
            if cursor.since <= cursor.began_at - self.lookback:
                self._long_ago_at = cursor.began_at
        assert self._ahead is not None, "rules are in use"
        queues = cursor.queue_ids or self._queues(self._ahead.rules, self._ahead.directory)
        self._searched.update(dict.fromkeys(queues, cursor.began_at))

    def _in_time(self, until: float | None) -> bool:
        """Whether a token comes before the next poll: that one begins with what is more urgent."""
        return until is None or self.clock.monotonic() + self.pacer.seconds_to_token(SEARCH) < until

    def _take(self, page: SearchPage, news: Callable[[], object]) -> None:
        if self.roster.see(page.contacts, self.clock.now()):
            news()
        self._unreadable.extend(page.problems)
        self._tell_degraded(page)

    def _seen(self, failure: Failure | None) -> SearchProgress:
        cursor, now = self._cursor, self.clock.now()
        whole = cursor if cursor is not None and cursor.whole else None
        since = self._everything_at or (whole.began_at if whole is not None else now)
        return SearchProgress(
            begun=self._everything_at is not None,
            going_on=whole is not None and whole.returned > whole.returned_before,
            unseen=whole.left if whole is not None else 0,
            unseen_for=now - since if whole is not None else timedelta(),
            failure=failure,
            unreadable=tuple(self._unreadable),
        )

    def _tell_degraded(self, page: SearchPage) -> None:
        """Once, a filter that Connect does not take."""
        if page.degraded is not None and self._news.is_news("filter"):
            events.log_filter_refused(page.degraded)
