"""What one cycle saw, queue by queue, and what falls due next: figures for people who ask, not for the log."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from router.decide.decide import Account, Decided
from router.model import ContactId, QueueId

UPCOMING = 5
"""Contacts of which it is told when they fall due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGlance:
    """``due`` are contacts with a step that acts or is held now; ``oldest_at`` is when the one that waits longest
    entered the queue."""

    queue_id: QueueId
    waiting: int
    due: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """``rule`` is the governing one, or one that may turn out to govern; ``None`` where only a rule beside acts."""

    due_at: datetime
    contact_id: ContactId
    queue_id: QueueId | None
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    queues: tuple[QueueGlance, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()


def glance_of(decided: Decided) -> Glance:
    """The queue with most due first; of those to come the nearest."""
    waiting: defaultdict[QueueId, list[Account]] = defaultdict(list)
    for account in decided.accounts.values():
        if account.case is not None and account.contact.queue_id is not None:
            waiting[account.contact.queue_id].append(account)
    queues = [_queue(queue_id, accounts) for queue_id, accounts in waiting.items()]
    queues.sort(key=lambda one: (-one.due, -one.waiting, one.queue_id))
    coming = [_upcoming(account) for account in decided.accounts.values()]
    known = sorted((one for one in coming if one is not None), key=lambda one: (one.due_at, one.contact_id))
    return Glance(queues=tuple(queues), upcoming=tuple(known[:UPCOMING]))


def _queue(queue_id: QueueId, accounts: list[Account]) -> QueueGlance:
    entered = [account.contact.enqueued_at for account in accounts if account.contact.enqueued_at is not None]
    return QueueGlance(
        queue_id=queue_id,
        waiting=len(accounts),
        due=sum(any(one.due_at is not None for one in account.decisions) for account in accounts),
        oldest_at=min(entered, default=None),
    )


def _upcoming(account: Account) -> Upcoming | None:
    found = account.governance
    if found is None or account.next_due_at is None:
        return None
    first = next((one for one in (found.governing, *found.undecided) if one is not None), None)
    return Upcoming(
        due_at=account.next_due_at,
        contact_id=account.contact.id,
        queue_id=account.contact.queue_id,
        rule=first.rule.name if first is not None else None,
    )
