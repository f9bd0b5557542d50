"""Describes for ``status`` each queue and each rule in the last cycle, and what falls due next."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.decide.decide import Account, Decided, Promise
from router.decide.decision import Hold, Transfer
from router.execute.result import Outcome, Result
from router.model import ContactId, QueueId
from router.telemetry.breaches import AGAIN_AT_ONCE, most_late, reason_of

UPCOMING = 5
"""How many contacts ``status`` shows of those that fall due next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGlance:
    """Describes one queue.

    ``due`` are contacts with a step that acts or is held now, ``promised`` those with a promise, ``late`` those with a
    broken one, ``ungoverned`` those that no rule looks after. ``oldest_at`` is when the contact that waits longest
    entered the queue, of those that a rule looks after, and ``ungoverned_at`` of the others. ``promise`` is the most
    used one, ``None`` if no rule promises anything.
    """

    queue_id: QueueId
    waiting: int
    due: int
    late: int
    promised: int
    ungoverned: int
    oldest_at: datetime | None
    promise: Promise | None
    ungoverned_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """Describes when a contact falls due. ``rule`` is the rule that governs it or may turn out to; ``None`` if only a
    side rule acts."""

    due_at: datetime
    contact_id: ContactId
    queue_id: QueueId | None
    rule: str | None
    promise: Promise | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldContact:
    """Describes a contact that waits and is left where it is: it is held, or it is late and no step is due.

    ``late`` is the time since its promise was broken; ``None``: it is not broken."""

    contact_id: ContactId
    queue_id: QueueId | None
    rule: str | None
    reason: str
    detail: str
    late: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Holds figures for ``status`` that are not in the log line: each queue, what falls due next, the held contacts,
    and their number of each rule by reason."""

    queues: tuple[QueueGlance, ...] = ()
    upcoming: tuple[Upcoming, ...] = ()
    held: tuple[HeldContact, ...] = ()
    held_by: Mapping[str | None, Mapping[str, int]] = field(default_factory=dict)


def glance_of(decided: Decided, results: Iterable[Result] = ()) -> Glance:
    """Returns the queues, the one with most due contacts first, the contacts that fall due next, and the held ones, the
    latest first."""
    results = tuple(results)
    waiting: defaultdict[QueueId, list[Account]] = defaultdict(list)
    for account in decided.accounts.values():
        if account.wait is not None and account.contact.queue_id is not None:
            waiting[account.contact.queue_id].append(account)
    queues = [_queue(queue_id, accounts) for queue_id, accounts in waiting.items()]
    queues.sort(key=lambda one: (-one.due, -one.waiting, one.queue_id))
    coming = [_upcoming(account) for account in decided.accounts.values()]
    known = sorted((one for one in coming if one is not None), key=lambda one: (one.due_at, one.contact_id))
    held = sorted(_held(decided, results), key=lambda one: (-(one.late or timedelta()), one.contact_id))
    return Glance(
        queues=tuple(queues), upcoming=tuple(known[:UPCOMING]), held=tuple(held), held_by=_held_by(decided, results)
    )


def _held(decided: Decided, results: Iterable[Result]) -> Iterator[HeldContact]:
    ended = {one.decision.contact.id: one for one in results if isinstance(one.decision, Transfer)}
    for account in decided.accounts.values():
        contact, result = account.contact, ended.get(account.contact.id)
        if account.wait is None or (result is not None and result.outcome in AGAIN_AT_ONCE):
            continue
        late = most_late(account)
        hold = next((one for one in account.decisions if isinstance(one, Hold)), None)
        if late is not None:
            rule: str | None = late[0].rule.name
            reason, detail = reason_of(account, late[0], result)
        elif result is not None and result.reason is not None:
            rule, reason, detail = result.decision.rule, result.reason.value, result.detail
        elif hold is not None:
            rule, reason, detail = hold.rule, hold.reason.value, hold.detail
        else:
            continue
        yield HeldContact(
            contact_id=contact.id,
            queue_id=contact.queue_id,
            rule=rule,
            reason=reason,
            detail=detail,
            late=late[1] if late is not None else None,
        )


def _held_by(decided: Decided, results: Iterable[Result]) -> Mapping[str | None, Mapping[str, int]]:
    held: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
    for decision in decided.decisions:
        if isinstance(decision, Hold):
            held[decision.rule][decision.reason.value] += 1
    for result in results:
        if result.outcome is Outcome.HELD and result.reason is not None:
            held[result.decision.rule][result.reason.value] += 1
    return held


def _queue(queue_id: QueueId, accounts: list[Account]) -> QueueGlance:
    promises = [promise for account in accounts if (promise := account.promise()) is not None]
    return QueueGlance(
        queue_id=queue_id,
        waiting=len(accounts),
        due=sum(any(one.due_at is not None for one in account.decisions) for account in accounts),
        late=sum(one.used >= 1 for one in promises),
        promised=len(promises),
        ungoverned=sum(account.ungoverned for account in accounts),
        oldest_at=_oldest(account for account in accounts if not account.ungoverned),
        ungoverned_at=_oldest(account for account in accounts if account.ungoverned),
        promise=max(promises, key=lambda one: one.used, default=None),
    )


def _oldest(accounts: Iterable[Account]) -> datetime | None:
    entered = (account.contact.enqueued_at for account in accounts)
    return min((at for at in entered if at is not None), default=None)


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
        promise=account.promise(),
    )
