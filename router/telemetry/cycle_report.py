"""What one cycle saw and did: the figures of ``cycle.finished``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from router.connect.answers import Failure
from router.cycle_context import CycleContext
from router.decide.decide import Account, Decided
from router.decide.decision import Hold, Transfer
from router.durations import format_duration
from router.execute.result import Outcome, Result
from router.model import Contact, ContactId, HoldReason, QueueId
from router.rules.rule import Mode

# What one cycle saw, queue by queue, and what falls due next: figures for people who ask, not for the log.

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


# What one cycle has come to so far.

_PASSING = frozenset({Outcome.HELD, Outcome.NOT_SENT, Outcome.NO_PLACE, Outcome.LEARNT, Outcome.INTERRUPTED})
"""What a later round of the same cycle may make something else of."""


@dataclass(kw_only=True)
class CycleTally:
    """``accounts`` are the latest of each contact that was decided on, ``calls`` those made before it began."""

    context: CycleContext
    began: float
    calls: Counter[str]
    accounts: dict[ContactId, Account] = field(default_factory=dict)
    _lasting: list[Result] = field(default_factory=list)
    _passing: dict[ContactId, list[Result]] = field(default_factory=dict)

    @property
    def results(self) -> list[Result]:
        return [*self._lasting, *(result for results in self._passing.values() for result in results)]

    def decided(self, decided: Decided) -> None:
        """What was held or left of these contacts in an earlier round counts no more."""
        self.accounts.update(decided.accounts)
        for contact_id in decided.accounts:
            self._passing.pop(contact_id, None)

    def done(self, results: list[Result]) -> None:
        for result in results:
            if result.outcome in _PASSING:
                self._passing.setdefault(result.decision.contact.id, []).append(result)
            else:
                self._lasting.append(result)

    def refusals(self, contact: Contact) -> int:
        return sum(one.outcome is Outcome.REFUSED and one.decision.contact.id == contact.id for one in self._lasting)


LIMITS = (HoldReason.PERCENT_OF_QUEUE, HoldReason.PER_CYCLE, HoldReason.PER_HOUR, HoldReason.FLOW_SUSPENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """``due`` counts contacts; ``held`` decisions by reason; ``oldest_breach`` is of those still not served, ``None``
    where nothing is late; ``not_sent`` what the quota or the next poll came before: it is decided anew; ``complete``
    whether everything that waits has been looked at and no search failed; ``searching``: not yet, and the search for it
    goes on. ``unseen`` is how many contacts that search is still to return, ``unseen_for`` since when nobody has looked
    at them all. ``glance`` is not in the log line."""

    cycle: int
    waiting: int
    ungoverned: int
    due: int
    transferred: int
    would_transfer: int
    reprioritized: int
    warned: int
    failed: int
    not_sent: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    oldest_breach: timedelta | None = None
    next_due_at: datetime | None = None
    complete: bool = True
    searching: bool = False
    unseen: int = 0
    unseen_for: timedelta = timedelta()
    failure: Failure | None = None
    seconds: float = 0.0
    glance: Glance = field(default_factory=Glance)

    def fields(self, *, period_s: float | None = None) -> dict[str, Any]:
        """As the log line carries them; durations in seconds. ``period_s`` is the time to the next cycle, by which the
        pace is told at which what limits and quotas kept back drains."""
        return {
            "cycle": self.cycle,
            "waiting": self.waiting,
            "ungoverned": self.ungoverned,
            "due": self.due,
            "transferred": self.transferred,
            "would_transfer": self.would_transfer,
            "reprioritized": self.reprioritized,
            "warned": self.warned,
            "failed": self.failed,
            "not_sent": self.not_sent,
            "held": dict(self.held),
            "oldest_breach_s": None if self.oldest_breach is None else round(self.oldest_breach.total_seconds(), 3),
            "next_due_at": None if self.next_due_at is None else self.next_due_at.isoformat(),
            "drain_s": self.drain_s(self.seconds if period_s is None else period_s),
            "complete": self.complete,
            "unseen": self.unseen,
            "unseen_s": round(self.unseen_for.total_seconds(), 3),
            "seconds": round(self.seconds, 3),
        }

    @property
    def kept_back(self) -> int:
        """What is due and was not moved for the quota's or a limit's sake."""
        return self.not_sent + sum(self.held.get(reason.value, 0) for reason in LIMITS)

    def drain_s(self, period_s: float) -> float | None:
        """How long what was kept back takes at this cycle's pace; ``None``: there is nothing, or nothing was moved."""
        if not self.transferred or not self.kept_back:
            return None
        return round(self.kept_back * period_s / self.transferred, 1)


def in_a_line(report: CycleReport) -> str:
    """For ``systemctl status``."""
    told = [f"{report.waiting} waiting", f"{report.due} due", f"{report.transferred} moved"]
    more = {"held": sum(report.held.values()), "failed": report.failed}
    told += [f"{count} {name}" for name, count in more.items() if count]
    if report.oldest_breach is not None:
        told.append(f"oldest breach {format_duration(timedelta(seconds=int(report.oldest_breach.total_seconds())))}")
    return f"cycle {report.cycle}: {', '.join(told)}{'' if report.complete else '; the search was incomplete'}"


def report_of(cycle: int, decided: Decided, results: list[Result], later: Iterable[Hold] = ()) -> CycleReport:
    """``decided`` is the cycle's first round, which saw every contact; ``results`` are of all rounds, ``later`` the
    holds of those after the first."""
    moved = (one.decision for one in results if one.outcome is Outcome.DONE and isinstance(one.decision, Transfer))
    served = {decision.contact.id for decision in moved}
    late = [_late(account) for account in decided.accounts.values() if account.contact.id not in served]
    came = Counter((type(result.decision).__name__, result.decision.mode, result.outcome) for result in results)
    return CycleReport(
        cycle=cycle,
        waiting=sum(1 for account in decided.accounts.values() if account.wait is not None),
        ungoverned=sum(1 for account in decided.accounts.values() if account.ungoverned),
        due=len({one.contact.id for one in decided.decisions if one.due_at is not None}),
        transferred=came["Transfer", Mode.ENFORCE, Outcome.DONE],
        would_transfer=came["Transfer", Mode.OBSERVE, Outcome.DONE],
        reprioritized=came["Reroute", Mode.ENFORCE, Outcome.DONE],
        warned=came["Warn", Mode.ENFORCE, Outcome.DONE] + came["Warn", Mode.OBSERVE, Outcome.DONE],
        failed=sum(1 for result in results if result.outcome in (Outcome.REFUSED, Outcome.UNSETTLED)),
        not_sent=sum(1 for result in results if result.outcome is Outcome.NOT_SENT),
        held=_held(decided, results, later),
        oldest_breach=max((one for one in late if one > timedelta()), default=None),
        next_due_at=decided.next_due_at,
        glance=glance_of(decided),
    )


def _late(account: Account) -> timedelta:
    """How far a waiting contact is past what the rule that governs it, or may, has promised; zero where none has."""
    found = account.governance
    if found is None:
        return timedelta()
    rules = [one for one in (found.governing, found.held_by, *found.undecided) if one is not None]
    late = (
        one.elapsed - one.rule.rule.sla.target
        for one in rules
        if one.elapsed is not None and one.rule.rule.sla.target is not None
    )
    return max(late, default=timedelta())


def _held(decided: Decided, results: list[Result], later: Iterable[Hold]) -> dict[str, int]:
    holds = (*(one for one in decided.decisions if isinstance(one, Hold)), *later)
    held = Counter(one.reason.value for one in holds)
    held.update(result.reason.value for result in results if result.outcome is Outcome.HELD and result.reason)
    return dict(held)
