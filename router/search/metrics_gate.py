"""Decides whether a queue may hold an unknown contact that falls due soon, because only then is it searched."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.decide.capacity import METRICS_LAG
from router.model import QueueId, QueueMetrics
from router.rules.bound import BoundRule
from router.rules.rule import Mode
from router.search.progress import EnqueuedAt, Row, SearchPoll
from router.search.waiting_list import INDEX_LAG

SAME_CONTACT = timedelta(seconds=5)
"""How far the age in the metrics and a contact's own age may differ for one contact, because both are rounded."""


@dataclass(frozen=True, slots=True)
class Earliest:
    """The earliest time at which a rule of a queue can act on a contact.

    ``at`` is the earliest step on the queue clock; ``None`` if there is none. ``any_time``: a rule has the chain clock,
    so that a contact may be due when it arrives.
    """

    at: timedelta | None
    any_time: bool

    @classmethod
    def of(cls, rules: tuple[BoundRule, ...]) -> Earliest:
        """Returns the earliest time of the rules that contacts of one queue can match."""
        acting = [rule.rule for rule in rules if rule.rule.mode is not Mode.OFF and rule.rule.steps]
        places = [step.at for rule in acting for step in rule.steps if rule.sla.clock == "queue"]
        return cls(min(places, default=None), any(rule.sla.clock == "chain" for rule in acting))


@dataclass
class DepartedContacts:
    """Finds the queues of whose known contacts some have left: the metrics count fewer, for longer than they lag.

    A difference that searches do not remove is usual from then on: the metrics may not count paused contacts, for
    example.
    """

    _usual: dict[Row, int] = field(default_factory=dict)
    _more_since: dict[Row, datetime] = field(default_factory=dict)

    def queues(self, poll: SearchPoll, known: EnqueuedAt) -> frozenset[QueueId]:
        return frozenset(row[0] for row, metrics in poll.rows.items() if self._fewer(row, metrics, known, poll.now))

    def forget(self) -> None:
        self._usual.clear()
        self._more_since.clear()

    def _fewer(self, row: Row, metrics: QueueMetrics, known: EnqueuedAt, now: datetime) -> bool:
        if metrics.contacts_in_queue is None:
            return False
        more = max(len(known.get(row, ())) - metrics.contacts_in_queue, 0)
        usual = self._usual[row] = min(self._usual.get(row, 0), more)
        if more == usual:
            self._more_since.pop(row, None)
            return False
        lasts = now - self._more_since.setdefault(row, now)
        if lasts > INDEX_LAG:
            self._usual[row] = more
        return METRICS_LAG <= lasts <= INDEX_LAG


def unknown_since(
    row: QueueMetrics | None,
    *,
    known: Sequence[datetime],
    searched_at: datetime | None,
    now: datetime,
) -> datetime | None:
    """Returns since when unknown contacts may wait in a queue; ``None``: for as long as a contact can.

    ``known`` is when the known contacts were enqueued, in order. A complete search has returned what was enqueued
    ``INDEX_LAG`` before it. The metrics give a bound too, because no contact waits longer than their oldest one. If
    that contact is not known, or they count more contacts than are known, the index hides a contact that may be old:
    it is searched for again, however recently the queue was searched. A missing metric gives no bound.
    """
    oldest = _oldest(row, now)
    searched = None if searched_at is None else searched_at - INDEX_LAG
    if row is None or oldest is None:
        return searched
    bound = oldest - METRICS_LAG
    more = row.contacts_in_queue is not None and row.contacts_in_queue > len(known)
    if searched is None or more or not _any_between(known, bound - SAME_CONTACT, oldest + SAME_CONTACT):
        return bound
    return max(bound, searched)


def _any_between(known: Sequence[datetime], start: datetime, end: datetime) -> bool:
    place = bisect_left(known, start)
    return place < len(known) and known[place] <= end


def _oldest(row: QueueMetrics | None, now: datetime) -> datetime | None:
    if row is None:
        return None
    if row.contacts_in_queue == 0:
        return now
    return None if row.oldest_contact_age is None else now - row.oldest_contact_age


def falls_due(since: datetime | None, earliest: Earliest, before: datetime) -> bool:
    """Returns whether a contact enqueued at ``since`` or later can be due before the other instant."""
    if earliest.any_time:
        return True
    return earliest.at is not None and (since is None or since + earliest.at <= before)
