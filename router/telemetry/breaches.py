"""Logs that a rule's promise to a waiting contact is broken, with the reason why the contact is left where it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from router import events
from router.cycle_context import CycleContext
from router.decide.decide import Account, Decided
from router.decide.decision import Hold, Transfer
from router.decide.tried_rule import TriedRule
from router.events.notices import notice_of
from router.execute.result import Outcome, Result
from router.ledger.breach_records import BreachRecords
from router.ledger.errors import LedgerUnavailable
from router.model import Contact, ContactId, Notice, WaitKey
from router.news import NewsFilter
from router.rules.condition import Unread

NO_STEP_DUE = "no_step_due"
"""The reason if no step of the rule is due."""
NO_STEP_LEFT = "no_step_left"
"""The reason if no step of the rule is left that could move the contact, and the contact still waits."""
AGAIN_AT_ONCE = frozenset({Outcome.DONE, Outcome.UNSETTLED, Outcome.REFUSED, Outcome.INTERRUPTED, Outcome.LEARNT})
"""The contact was acted on, or is decided on again before the next poll."""
Knows = Callable[[Contact], bool]


def late_rules(account: Account) -> Iterator[tuple[TriedRule, timedelta]]:
    """Yields the rules whose promise to the waiting contact is broken, each with the time since.

    A clock whose hours could not be read breaks no promise.
    """
    found = account.governance
    if found is None:
        return
    for one in found.promising:
        target = one.rule.rule.sla.target
        if one.elapsed is None or target is None or one.elapsed <= target:
            continue
        if not isinstance(one.hours, Unread):
            yield one, one.elapsed - target


def why_late(tried: TriedRule) -> str:
    """Returns the reason for which a rule leaves a late contact where it is, if no decision has one."""
    return NO_STEP_LEFT if tried.no_step_left else NO_STEP_DUE


def most_late(account: Account) -> tuple[TriedRule, timedelta] | None:
    """Returns the rule whose promise is broken most, with the time since; ``None`` if no promise is broken. Of equal
    ones it is the rule that governs, or looked after the contact last."""
    return max(late_rules(account), key=lambda one: one[1], default=None)


class BreachTransitions:
    """Logs a breach once for each wait and rule.

    The ledger shows which breaches were logged by an earlier run, or by another router. A breach is logged before it is
    recorded: if the ledger cannot be written, it may be logged again, and is never withheld.
    """

    def __init__(self, records: BreachRecords, *, notifies: bool = False) -> None:
        self._records = records
        self._notifies = notifies
        self._news: NewsFilter[tuple[WaitKey, str]] = NewsFilter()
        self._first_seen: dict[ContactId, int] = {}

    def log_new(
        self, decided: Decided, results: Iterable[Result], context: CycleContext, *, now: datetime, knows_pauses: Knows
    ) -> Counter[str]:
        """Logs the breaches that are new after a round; returns how many there are by rule.

        A contact is logged in the cycle after, if it is not known yet whether it was paused: ``knows_pauses``.
        """
        ended = {one.decision.contact.id: one for one in results if isinstance(one.decision, Transfer)}
        found: list[tuple[WaitKey, str]] = []
        lines: list[dict[str, Any]] = []
        for account in decided.accounts.values():
            result = ended.get(account.contact.id)
            if account.wait is None or (result is not None and result.outcome in AGAIN_AT_ONCE):
                continue
            for tried, late in late_rules(account):
                breach = account.wait.key, tried.rule.name
                if self._is_sure(account.contact, context, knows_pauses) and self._is_new(*breach):
                    lines.append(self._log(account, tried, result, context, late))
                    found.append(breach)
        if found:
            with suppress(LedgerUnavailable):
                self._records.record(found, now, notices=self._notices(lines, now))
        return Counter(rule for _, rule in found)

    def forget_gone(self, contact_ids: Collection[ContactId], accounts: Iterable[Account]) -> None:
        """Forgets waits that are over. If such a wait is seen again, the ledger shows its breaches.

        ``contact_ids`` are all contacts that wait, and ``accounts`` the decisions on them.
        """
        waits = {account.wait.key for account in accounts if account.wait is not None}
        self._news.forget_if(lambda breach: breach[0] not in waits)
        for contact_id in self._first_seen.keys() - contact_ids:
            del self._first_seen[contact_id]

    def _log(
        self, account: Account, tried: TriedRule, result: Result | None, context: CycleContext, late: timedelta
    ) -> dict[str, Any]:
        assert account.wait is not None, "the contact waits"
        reason, detail = reason_of(account, tried, result)
        return events.log_breached(
            account.contact,
            context,
            wait_id=account.wait.key.wait_id,
            chain_id=account.wait.chain_id,
            rule=tried.rule.name,
            reason=reason,
            detail=detail,
            late=late,
        )

    def _notices(self, lines: Iterable[Mapping[str, Any]], now: datetime) -> list[Notice]:
        instance_id = self._records.ledger.instance_id
        notices = [
            notice_of("warning", {"event": "contact.breached", **line}, instance_id=instance_id, at=now)
            for line in (lines if self._notifies else ())
        ]
        return [notice for notice in notices if notice is not None]

    def _is_sure(self, contact: Contact, context: CycleContext, knows_pauses: Knows) -> bool:
        if knows_pauses(contact):
            self._first_seen.pop(contact.id, None)
            return True
        return self._first_seen.setdefault(contact.id, context.cycle) < context.cycle

    def _is_new(self, wait: WaitKey, rule: str) -> bool:
        if not self._news.is_news((wait, rule)):
            return False
        try:
            return not self._records.is_known(wait, rule)
        except LedgerUnavailable:
            return True


def reason_of(account: Account, tried: TriedRule, result: Result | None) -> tuple[str, str]:
    """Returns why the contact is left where it is: the reason of its hold, or how performing the decision ended."""
    name = tried.rule.name
    holds = [one for one in account.decisions if isinstance(one, Hold)]
    own = next((one for one in (*holds, *account.gave_way) if one.rule == name), None)
    if result is not None and (result.decision.rule == name or (own is None and not holds)):
        return (result.reason.value if result.reason is not None else result.outcome.value), result.detail
    hold = own or next(iter(holds), None)
    if hold is not None:
        return hold.reason.value, hold.detail
    return why_late(tried), ""
