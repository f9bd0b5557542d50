"""Spends the scarcest quota, SearchContacts, on queues where a contact not yet known can be due, page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from router import events
from router.connect.answers import Failure, RowProblem, SearchPage
from router.connect.connection import Connection
from router.connect.search import MAX_QUEUES, MAX_SPAN
from router.model import Channel, Directory, QueueId
from router.news import NewsFilter
from router.ports import Clock, Gauge, Pacer, Searcher
from router.rules.bound import BoundRuleSet
from router.search.due_times import NextDue
from router.search.event_gate import LONG_AGO, EventGate, search_since, with_late
from router.search.metrics_gate import DepartedContacts, Earliest
from router.search.progress import Rows, SearchCursor, SearchPoll, SearchProgress
from router.search.waiting_list import WaitingList
from router.settings import Settings

SEARCH = "SearchContacts"
SPARE = timedelta(seconds=5)
"""How much later than planned the next poll may come to a queue."""

LONG_AGO_EVERY = timedelta(hours=1)
"""How often contacts are searched for that were enqueued before the newest span: no contact is added there, and each
search costs a call or more."""


def ignore_news() -> None:
    """Does nothing; for callers that read the waiting list after the search."""


@dataclass(kw_only=True)
class SearchPlanner:
    """Searches for waiting contacts and records them in the waiting list. One thread at a time calls ``poll``.

    A full scan runs every ``sweep``. In between, a poll searches only queues that may hold a contact which is not known
    and falls due before the next poll, for contacts enqueued since the last search. Under rules with the chain clock a
    contact may be late when it arrives. Their queues are therefore searched at each poll. Remaining time is used for
    queues with a contact that is due or that contacts have left, so that these no longer count.

    ``lookback`` is how long contacts may wait. While the events of ``gate`` are live, full scans are rarer, and a poll
    searches only queues of which it does not know that their waiting list is complete.
    """

    reader: Searcher
    gauge: Gauge
    clock: Clock
    pacer: Pacer
    waiting_list: WaitingList
    lookback: timedelta
    sweep: timedelta
    gate: EventGate | None = None
    _searched: dict[QueueId, datetime] = field(default_factory=dict)
    _polled_at: datetime | None = None
    _everything_at: datetime | None = None
    _long_ago_at: datetime | None = None
    _cursor: SearchCursor | None = None
    _next_due: NextDue | None = None
    _departed: DepartedContacts = field(default_factory=DepartedContacts)
    _unreadable: list[RowProblem] = field(default_factory=list)
    _news: NewsFilter[str] = field(default_factory=NewsFilter)

    @classmethod
    def open(
        cls,
        connection: Connection,
        clock: Clock,
        settings: Settings,
        *,
        gauge: Gauge | None = None,
        gate: EventGate | None = None,
    ) -> SearchPlanner:
        """Opens it over a connection, with an empty waiting list; ``gauge`` replaces the connection's."""
        channels = frozenset(Channel(channel) for channel in settings.poll.channels)
        return cls(
            reader=connection.reader,
            gauge=gauge or connection.instance,
            clock=clock,
            pacer=connection.quotas,
            waiting_list=WaitingList(channels=channels),
            lookback=settings.poll.lookback,
            sweep=settings.poll.sweep,
            gate=gate,
        )

    def search_everything(
        self, rules: BoundRuleSet, directory: Directory, *, stop: Callable[[], bool] = lambda: False
    ) -> SearchProgress:
        """Searches every queue that rules can meet, to the end and without the metrics; ``stop`` ends it early."""
        self._cursor = None
        progress = self.poll(rules, directory, every=timedelta(), until=None, stop=stop, gated=False)
        return progress if self._cursor is None else SearchProgress(unreadable=progress.unreadable)

    def poll(
        self,
        rules: BoundRuleSet,
        directory: Directory,
        *,
        every: timedelta,
        until: float | None,
        on_news: Callable[[], object] = ignore_news,
        stop: Callable[[], bool] = lambda: False,
        gated: bool = True,
    ) -> SearchProgress:
        """Searches until there is nothing left to search for, or the next poll begins, which then continues.

        ``until`` is the monotonic instant of the next poll, and ``every`` the time between polls. ``on_news`` is called
        after each page with a new or changed contact. Without ``gated`` the metrics are not read and everything is
        searched.
        """
        self._use(rules, directory)
        self._unreadable.clear()
        now, queues = self._now(), self._queues(rules, directory)
        poll = SearchPoll(
            queues=queues,
            rows=self._read_metrics(queues) if gated else {},
            now=now,
            due_before=now + every + SPARE,
            gated=gated,
            until=until,
            on_news=on_news,
            stop=stop,
        )
        if gated and self.gate is not None:
            self.gate.begin_poll(poll, self.waiting_list, last=self._everything_at, refresh_after=self.sweep)
        failure = self._search_new(poll) if self._everything_at is not None and gated else None
        if self._cursor is None:
            self._cursor = self._next_cursor(rules, poll)
        failure = self._continue_cursor(poll) or failure
        return self._progress(failure)

    @property
    def complete(self) -> bool:
        """Returns whether everything that the rules can meet was searched at least once."""
        return self._everything_at is not None

    @property
    def live_gate(self) -> EventGate | None:
        """Returns the gate of the events; ``None`` unless events are relied on."""
        return self.gate if self.gate is not None and self.gate.live else None

    def _now(self) -> datetime:
        """Returns the time, and forgets all searches after the clock was set back: they would lie in the future, and
        nothing would be searched until then."""
        before, self._polled_at = self._polled_at, self.clock.now()
        if before is not None and self._polled_at < before:
            self._searched.clear()
            self._everything_at = self._long_ago_at = self._cursor = None
            self._departed.forget()
            if self.gate is not None:
                self.gate.forget()
        return self._polled_at

    def _use(self, rules: BoundRuleSet, directory: Directory) -> None:
        """Takes up other rules, which can meet other queues: a search for the old ones begins again."""
        old = self._next_due
        if old is not None and old.rules is rules and old.directory is directory:
            return
        if old is not None and old.rules.queue_ids != rules.queue_ids:
            self._cursor = None
        if old is not None and old.rules is not rules:
            self._everything_at = self._long_ago_at = None
        self._next_due = NextDue(rules, directory)

    def _queues(self, rules: BoundRuleSet, directory: Directory) -> tuple[QueueId, ...]:
        listed = (queue.id for queue in directory.queues if queue.agent_id is None)
        return tuple(sorted(rules.queue_ids if rules.queue_ids is not None else listed))

    def _read_metrics(self, queues: Collection[QueueId]) -> Rows:
        """Reads the queues' metrics. A missing row bounds nothing: then only the search shows what waits."""
        bounded = [one for one in queues if self.gate is not None or self._earliest_in(one).at is not None]
        if not bounded:
            return {}
        rows = self.gauge.queue_metrics(bounded, self.waiting_list.channels)
        return rows if isinstance(rows, Mapping) else {}

    def _earliest_in(self, queue_id: QueueId) -> Earliest:
        assert self._next_due is not None, "rules are in use"
        return self._next_due.earliest(queue_id)

    def _search_new(self, poll: SearchPoll) -> Failure | None:
        """Searches the queues where an unknown contact may fall due, for what was enqueued since their last search.

        The queues with the longest time to search come first. Returns why a search failed, ``None`` if none did.
        """
        since = dict(self._to_search(poll))
        order = sorted(since, key=lambda queue_id: (since[queue_id], queue_id))
        for at in range(0, len(order), MAX_QUEUES):
            batch = order[at : at + MAX_QUEUES]
            if poll.stop() or (at and not self._in_time(poll)):
                break
            began_at = self.clock.now()
            start = min(since[queue_id] for queue_id in batch)
            for page in self.reader.search(queue_ids=batch, since=start, until=began_at):
                self._take(page, poll)
                if page.failure is not None:
                    return page.failure
            self._searched.update(dict.fromkeys(batch, began_at))
        return None

    def _to_search(self, poll: SearchPoll) -> Iterator[tuple[QueueId, datetime]]:
        enqueued, channels = self.waiting_list.enqueued_at(), self.waiting_list.channels
        longest_ago = poll.now - self.lookback
        for queue_id in poll.queues:
            earliest, searched_at = self._earliest_in(queue_id), self._searched.get(queue_id)
            starts = [
                search_since(
                    (queue_id, channel), poll, earliest, known=enqueued, searched_at=searched_at, gate=self.live_gate
                )
                for channel in channels
            ]
            since = min((start for start in starts if start is not None), default=None)
            if since is not None:
                yield queue_id, max(since, longest_ago)

    def _next_cursor(self, rules: BoundRuleSet, poll: SearchPoll) -> SearchCursor | None:
        began_at = self.clock.now()
        gate = self.live_gate
        sweep = self.sweep if gate is None else gate.sweep
        if self._everything_at is None or not poll.gated or poll.now - self._everything_at >= sweep:
            since = self._scan_since(began_at, poll)
            late = frozenset(with_late(poll, self.waiting_list.channels, self._earliest_in))
            rest = rules.queue_ids if rules.queue_ids is None else rules.queue_ids - late
            first = self._search(late, since, began_at) if late else iter(())
            pages = chain(first, self._search(rest, since, began_at) if rest is None or rest else iter(()))
            return SearchCursor(pages=pages, queue_ids=rules.queue_ids, since=since, began_at=began_at, whole=True)
        left = self._departed.queues(poll, self.waiting_list.enqueued_at())
        due, since = (self.waiting_list.queues_due() | left).intersection(poll.queues), LONG_AGO
        if gate is not None:
            due, since = gate.next_search(poll, self._searched, self._earliest_in, every=self.sweep)
        since = max(since, poll.now - self._newest_span)
        again = self._search(due, since, began_at)
        return SearchCursor(pages=again, queue_ids=due, since=since, began_at=began_at, whole=False) if due else None

    @property
    def _newest_span(self) -> timedelta:
        return min(MAX_SPAN, self.lookback)

    def _scan_since(self, began_at: datetime, poll: SearchPoll) -> datetime:
        recently = self._long_ago_at is not None and began_at - self._long_ago_at < LONG_AGO_EVERY
        return began_at - (self._newest_span if recently and poll.gated else self.lookback)

    def _search(
        self, queue_ids: frozenset[QueueId] | None, since: datetime, began_at: datetime
    ) -> Iterator[SearchPage]:
        return self.reader.search(queue_ids=queue_ids, since=since, until=began_at)

    def _continue_cursor(self, poll: SearchPoll) -> Failure | None:
        cursor = self._cursor
        if cursor is not None:
            cursor.returned_before = cursor.returned
        while cursor is not None and not poll.stop() and self._in_time(poll):
            try:
                page = next(cursor.pages, None)
                if page is not None:
                    self._take(page, poll)
            except Exception:  # a bug: the rest of this search is lost
                self._cursor = None
                raise
            if page is None:
                self._end(cursor, poll)
                return cursor.failure
            cursor.returned += len(page.contacts)
            cursor.total = max(cursor.total, page.total or 0)
            cursor.failure = page.failure or cursor.failure
        return None

    def _end(self, cursor: SearchCursor, poll: SearchPoll) -> None:
        """Records a search that was read to its end. A failed one is no evidence, and the next poll searches again."""
        self._cursor = None
        if cursor.failure is not None:
            return
        self.waiting_list.record_search(cursor.queue_ids, cursor.began_at, since=cursor.since)
        if cursor.whole:
            self.waiting_list.decide_all_again()  # attributes, priorities and hours change without a change of a row
            self._everything_at = cursor.began_at
            if cursor.since <= cursor.began_at - self.lookback:
                self._long_ago_at = cursor.began_at
        self._searched.update(dict.fromkeys(cursor.queue_ids or poll.queues, cursor.began_at))

    def _in_time(self, poll: SearchPoll) -> bool:
        """Returns whether a token is free before the next poll, which begins with more urgent searches."""
        return poll.until is None or self.clock.monotonic() + self.pacer.seconds_to_token(SEARCH) < poll.until

    def _take(self, page: SearchPage, poll: SearchPoll) -> None:
        if self.waiting_list.record_seen(page.contacts, self.clock.now()):
            poll.on_news()
        self._unreadable.extend(page.problems)
        if page.degraded is not None and self._news.is_news("filter"):
            events.log_filter_refused(page.degraded)

    def _progress(self, failure: Failure | None) -> SearchProgress:
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
