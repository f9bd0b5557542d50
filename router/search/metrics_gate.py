"""Whether a queue may hold a contact that is not known yet and falls due before long: only then is it searched."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.decide.capacity import METRICS_LAG
from router.model import QueueMetrics
from router.rules.bound import BoundRule
from router.rules.rule import Mode
from router.search.waiting_list import INDEX_LAG

SAME_CONTACT = timedelta(seconds=5)
"""How far the age in the metrics and a contact's own may differ and be of one contact: both are rounded."""


@dataclass(frozen=True, slots=True)
class Earliest:
    """What the rules that contacts of a queue can meet come to. ``at`` is the first place of any step on the queue
    clock, ``None``: there is none. ``any_time``: a step goes by the age of the chain, so that a contact may be due as
    it arrives."""

    at: timedelta | None
    any_time: bool

    @classmethod
    def of(cls, rules: tuple[BoundRule, ...]) -> Earliest:
        acting = [rule.rule for rule in rules if rule.rule.mode is not Mode.OFF and rule.rule.steps]
        places = [step.at for rule in acting for step in rule.steps if rule.sla.clock == "queue"]
        return cls(min(places, default=None), any(rule.sla.clock == "chain" for rule in acting))


def unknown_since(
    row: QueueMetrics | None,
    *,
    known: Sequence[datetime],
    searched_at: datetime | None,
    now: datetime,
) -> datetime | None:
    """Since when contacts may wait in a queue that are not known; ``None``: for as long as contacts can. ``known`` is
    when those that are known were enqueued, in order.

    A search that was read to its end has seen what was enqueued ``INDEX_LAG`` before it. The metrics bound it too:
    nothing waits longer than their oldest contact. Where that one is not known, or they count more than are known, a
    contact is hidden that may be old (an index that lags more): it is searched for however lately that was done. A
    metric that is missing bounds nothing.
    """
    oldest = _oldest(row, now)
    searched = None if searched_at is None else searched_at - INDEX_LAG
    if row is None or oldest is None:
        return searched
    bound = oldest - METRICS_LAG
    more = row.contacts_in_queue is not None and row.contacts_in_queue > len(known)
    if searched is None or more or not _known_about(known, bound - SAME_CONTACT, oldest + SAME_CONTACT):
        return bound
    return max(bound, searched)


def _known_about(known: Sequence[datetime], start: datetime, end: datetime) -> bool:
    place = bisect_left(known, start)
    return place < len(known) and known[place] <= end


def _oldest(row: QueueMetrics | None, now: datetime) -> datetime | None:
    if row is None:
        return None
    if row.contacts_in_queue == 0:
        return now
    return None if row.oldest_contact_age is None else now - row.oldest_contact_age


def falls_due(since: datetime | None, earliest: Earliest, before: datetime) -> bool:
    """Whether a contact enqueued at that instant or later can be due before the other."""
    if earliest.any_time:
        return True
    return earliest.at is not None and (since is None or since + earliest.at <= before)
