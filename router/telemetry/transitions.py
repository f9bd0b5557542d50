"""Logs a failed search, a limit or a hold when it begins or changes, and not in every cycle."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from router import events
from router.connect.answers import Failure, RowProblem
from router.cycle_context import CycleContext
from router.decide.decide import NOT_PASSED_ON, Decided
from router.decide.decision import Hold, RuleDecision, Transfer
from router.execute.result import Outcome, Result
from router.model import ContactId, HoldReason
from router.news import NewsFilter
from router.telemetry.breaches import AGAIN_AT_ONCE
from router.telemetry.cycle_report import LIMITS, CycleReport

QUOTA = "quota"
"""The limit that kept contacts back if they were not sent before the next poll."""
SEARCH = "search"
Held = tuple[ContactId, str | None]
"""A contact, and the rule that would have acted on it, or the reason of a hold that does not concern the rule."""


class SearchTransitions:
    """Logs failures of the search. The end of a failure is logged elsewhere, as ``api.recovered``."""

    def __init__(self) -> None:
        self._failures: NewsFilter[str] = NewsFilter()
        self._rows: NewsFilter[tuple[ContactId | None, str]] = NewsFilter()

    def log_failure(self, failure: Failure | None, *, cycle: int) -> None:
        """Logs why a search could not be read to its end; ``None`` means that it could."""
        if failure is None:
            self._failures.forget(SEARCH)
        elif self._failures.is_news(SEARCH, failure.code):
            events.log_search_failed(failure, cycle=cycle)

    def log_rows(self, problems: tuple[RowProblem, ...], *, whole: bool) -> None:
        """Logs the rows of one search that could not be read. If these are the rows of the ``whole`` search, the others
        are forgotten."""
        seen = {(row.contact_id, row.problem) for row in problems}
        for contact_id, problem in sorted(seen, key=str):
            if self._rows.is_news((contact_id, problem)):
                events.log_row_unreadable(contact_id, problem)
        if whole:
            self._rows.keep_only(seen)


class LimitsReached:
    """Logs when another limit begins to keep contacts back, and how long they will take."""

    def __init__(self) -> None:
        self._news: NewsFilter[str] = NewsFilter()

    def log_changes(self, report: CycleReport, *, period_s: float) -> None:
        """Logs each limit that did not bind in the cycle before. ``period_s`` is the time from this cycle's beginning
        to the next one's."""
        waiting = {reason.value: report.held.get(reason.value, 0) for reason in LIMITS} | {QUOTA: report.not_sent}
        reached = {guard: count for guard, count in waiting.items() if count}
        for guard, count in reached.items():
            if self._news.is_news(guard):
                # A suspended flow's contacts do not drain by themselves.
                drains = guard != HoldReason.FLOW_SUSPENDED.value
                events.log_guard_reached(
                    cycle=report.cycle,
                    guard=guard,
                    waiting=count,
                    transferred=report.transferred,
                    drain_s=report.drain_s(period_s) if drains else None,
                )
        self._news.keep_only(reached)


class HoldTransitions:
    """Logs a hold when its reason for this contact and rule has changed, and once for all rules if the reason lies with
    the contact."""

    def __init__(self) -> None:
        self._news: NewsFilter[Held] = NewsFilter()

    def log_changes(self, decided: Decided, results: list[Result], context: CycleContext, *, whole: bool) -> None:
        """Logs each hold whose reason has changed, and forgets contacts that are not held any longer.

        Unless the ``whole`` waiting list was decided on, only contacts among the decided ones are forgotten, because an
        incomplete search is no evidence that a contact has gone.
        """
        current: set[Held] = set()
        for decision, reason, detail in _holds(decided, results):
            held = (decision.contact.id, reason.value if reason in NOT_PASSED_ON else decision.rule)
            current.add(held)
            if self._news.is_news(held, reason):
                events.log_held(decision, reason, context, detail=detail)
        if whole:
            self._news.keep_only(current)
        else:
            self._news.forget_if(lambda held: held[0] in decided.accounts and held not in current)

    def forget_gone(self, contact_ids: Collection[ContactId]) -> None:
        """Forgets contacts that wait no longer. ``contact_ids`` are all that wait."""
        self._news.forget_if(lambda held: held[0] not in contact_ids)


def _holds(decided: Decided, results: list[Result]) -> Iterator[tuple[RuleDecision | Hold, HoldReason, str]]:
    """Yields the holds of the decisions, then those found when the contacts were read again, and unsent decisions.

    The holds of rules that gave way are left out if the contact is moved.
    """
    for decision in decided.decisions:
        if isinstance(decision, Hold):
            yield decision, decision.reason, decision.detail
    moves = [one for one in results if isinstance(one.decision, Transfer) and one.outcome in AGAIN_AT_ONCE]
    moved = {one.decision.contact.id for one in moves}
    for account in decided.accounts.values():
        for hold in account.gave_way if account.contact.id not in moved else ():
            yield hold, hold.reason, hold.detail
    for result in results:
        if result.outcome is Outcome.HELD and result.reason is not None:
            yield result.decision, result.reason, result.detail
        elif result.outcome is Outcome.NOT_SENT:
            yield result.decision, HoldReason.NOT_SENT, result.detail
