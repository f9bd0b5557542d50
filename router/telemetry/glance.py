"""Describes for ``status`` each queue in the last cycle, and what falls due next."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from router.decide.decide import Account, Decided
from router.model import ContactId, QueueId

UPCOMING = 5
"""How many contacts ``status`` shows of those that fall due next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGlance:
    """Describes one queue. ``due`` are contacts with a step that acts or is held now; ``oldest_at`` is when the contact
    that waits longest entered the queue."""

    queue_id: QueueId
    waiting: int
    due: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """Describes when a contact falls due. ``rule`` is the rule that governs it or may turn out to; ``None`` if only a
    side rule acts."""

    due_at: datetime
    contact_id: ContactId
    queue_id: QueueId | None
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Holds figures for ``status`` that are not in the log line: each queue, and what falls due next."""
    queues: tuple[QueueGlance, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()


def glance_of(decided: Decided) -> Glance:
    """Returns the queues, the one with most due contacts first, and the contacts that fall due next."""
    waiting: defaultdict[QueueId, list[Account]] = defaultdict(list)
    for account in decided.accounts.values():
        if account.wait is not None and account.contact.queue_id is not None:
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
