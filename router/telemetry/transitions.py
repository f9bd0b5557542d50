"""Tells why contacts are held: one line when a contact's reason changes, not one each cycle."""

from __future__ import annotations

from collections.abc import Iterator

from router import events
from router.connect.answers import Failure, RowProblem
from router.cycle_context import CycleContext
from router.decide.decide import Decided
from router.decide.decision import Hold, RuleDecision
from router.execute.result import Outcome, Result
from router.model import ContactId, HoldReason
from router.telemetry.cycle_report import LIMITS, CycleReport

# What a search could not read, told when it begins or changes, not in each cycle.

class SearchTransitions:
    """That a search can be read to its end again is told as ``api.recovered``."""

    def __init__(self) -> None:
        self._code: str | None = None
        self._rows: set[tuple[ContactId | None, str]] = set()

    def search(self, failure: Failure | None, *, cycle: int) -> None:
        """Why a search could not be read to its end; ``None`` where it could."""
        code = failure.code if failure is not None else None
        if failure is not None and code != self._code:
            events.log.warning("search.degraded", cycle=cycle, error=failure.code, message=failure.message)
        self._code = code

    def rows(self, problems: tuple[RowProblem, ...], *, whole: bool) -> None:
        """The rows of one search that could not be read; ``whole``: all there are, so that others can be forgotten."""
        seen = {(row.contact_id, row.problem) for row in problems}
        for contact_id, problem in sorted(seen - self._rows, key=str):
            events.log.warning("search.degraded", error="UnreadableRow", message=problem, contact_id=contact_id)
        self._rows = seen if whole else self._rows | seen


# Says when more is due than quotas and limits let through, and how long that will take.

QUOTA = "quota"
"""What was not sent before the next poll."""


class LimitsReached:
    """Told when another limit begins to bind, not in each cycle."""

    def __init__(self) -> None:
        self._told: frozenset[str] = frozenset()

    def tell(self, report: CycleReport, *, period_s: float) -> None:
        """``period_s`` is the time from this cycle's beginning to the next one's."""
        waiting = {reason.value: report.held.get(reason.value, 0) for reason in LIMITS} | {QUOTA: report.not_sent}
        reached = {guard: count for guard, count in waiting.items() if count}
        for guard, count in reached.items():
            if guard not in self._told:
                events.log.warning(
                    "guard.reached",
                    cycle=report.cycle,
                    guard=guard,
                    waiting=count,
                    transferred=report.transferred,
                    drain_s=self._drain_s(guard, report, sum(reached.values()), period_s),
                    order="most overdue first",
                )
        self._told = frozenset(reached)

    def _drain_s(self, guard: str, report: CycleReport, left: int, period_s: float) -> float | None:
        """Contacts that a flow has eaten do not drain by themselves."""
        return None if guard == HoldReason.FLOW_SUSPENDED.value else drain_s(report, left, period_s)


def drain_s(report: CycleReport, left: int, period_s: float) -> float | None:
    """How long what is left takes at this cycle's pace; ``None`` where nothing was moved to tell it by."""
    if not report.transferred:
        return None
    return round(left * period_s / report.transferred, 1)


Held = tuple[ContactId, str | None]
"""A contact, and the rule that would have acted on it."""
KEPT = 1000
"""Cycles for which what was told is remembered of a contact that is not seen any more: while no search can be read to
its end, being gone is no evidence, and a service that runs for months must not remember every contact there was."""


class HoldTransitions:
    """Remembers what was last told of each contact and rule."""

    def __init__(self) -> None:
        self._told: dict[Held, tuple[HoldReason, int]] = {}

    def __len__(self) -> int:
        return len(self._told)

    def tell(self, decided: Decided, results: list[Result], context: CycleContext, *, whole: bool) -> None:
        """``whole``: every waiting contact was looked at, so that what is not seen any more can be forgotten."""
        current: dict[Held, tuple[HoldReason, int]] = {}
        for decision, reason, detail in _holds(decided, results):
            held = (decision.contact.id, decision.rule)
            before, _ = current.get(held) or self._told.get(held) or (None, 0)
            if reason is not before:
                events.held(decision, reason, context, detail=detail)
            current[held] = (reason, context.cycle)
        kept = {} if whole else self._of_others(decided, context)
        self._told = {**kept, **current}

    def _of_others(self, decided: Decided, context: CycleContext) -> dict[Held, tuple[HoldReason, int]]:
        return {
            held: (reason, cycle)
            for held, (reason, cycle) in self._told.items()
            if held[0] not in decided.accounts and context.cycle - cycle < KEPT
        }


def _holds(decided: Decided, results: list[Result]) -> Iterator[tuple[RuleDecision | Hold, HoldReason, str]]:
    """What was held on deciding, and what was found on reading again."""
    for decision in decided.decisions:
        if isinstance(decision, Hold):
            yield decision, decision.reason, decision.detail
    for result in results:
        if result.outcome is Outcome.HELD and result.reason is not None:
            yield result.decision, result.reason, result.detail
