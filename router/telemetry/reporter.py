"""Reports cycles: their figures, the line at their end, and what has changed for the worse since it was last logged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from router import events
from router.decide.decide import Account, Decided
from router.execute.result import Result
from router.model import Contact, ContactId
from router.rules.rule import Mode
from router.search.progress import SearchProgress
from router.telemetry.breaches import BreachTransitions, Knows
from router.telemetry.cycle_report import CycleReport, CycleTally, report_of
from router.telemetry.transitions import HoldTransitions, LimitsReached, SearchTransitions

if TYPE_CHECKING:
    from router.history.journal import Journal

Count = Callable[[CycleReport, list[Result]], object]


def count_nothing(report: CycleReport, results: list[Result]) -> None:
    """Does nothing, if Prometheus is not served."""


@dataclass(kw_only=True)
class CycleReporter:
    """Reports the cycles of one router. ``calls`` returns how many calls of each operation were made so far; ``count``
    gets each cycle that has ended. ``journal`` is ``None`` if none is written."""

    mode: Mode
    calls: Callable[[], Mapping[str, int]]
    breaches: BreachTransitions
    count: Count = count_nothing
    journal: Journal | None = None
    _searches: SearchTransitions = field(default_factory=SearchTransitions)
    _holds: HoldTransitions = field(default_factory=HoldTransitions)
    _limits: LimitsReached = field(default_factory=LimitsReached)

    def calls_so_far(self) -> Counter[str]:
        return Counter(self.calls())

    def log_search(self, seen: SearchProgress, *, cycle: int) -> None:
        """Logs why a search could not be read to its end, and which rows could not be read."""
        self._searches.log_failure(seen.failure, cycle=cycle)
        self._searches.log_rows(seen.unreadable, whole=seen.complete)

    def log_holds(self, decided: Decided, results: list[Result], tally: CycleTally, *, whole: bool) -> None:
        """Logs the holds of a round whose reasons have changed. ``whole``: everything that waits was decided on."""
        self._holds.log_changes(decided, results, tally.context, whole=whole)

    def log_breaches(
        self, decided: Decided, results: list[Result], tally: CycleTally, *, now: datetime, knows_pauses: Knows
    ) -> None:
        """Logs and counts the promises that are broken since the last round, and why their contacts still wait."""
        tally.breached += self.breaches.log_new(decided, results, tally.context, now=now, knows_pauses=knows_pauses)

    def forget_gone(self, contacts: Iterable[Contact], accounts: Mapping[ContactId, Account]) -> None:
        """Forgets what was logged of contacts that wait no longer. ``contacts`` are all that wait."""
        waiting = {contact.id for contact in contacts}
        self._holds.forget_gone(waiting)
        self.breaches.forget_gone(waiting, accounts.values())

    def report(
        self, tally: CycleTally, accounts: Mapping[ContactId, Account], seen: SearchProgress, *, now: float
    ) -> CycleReport:
        """Returns the figures of the cycle up to the monotonic instant ``now``. ``accounts`` are of all waiting
        contacts."""
        latest = {**accounts, **tally.accounts}
        decisions = tuple(decision for account in latest.values() for decision in account.decisions)
        return replace(
            report_of(tally.context.cycle, Decided(decisions=decisions, accounts=latest), tally.results),
            breached=sum(tally.breached.values()),
            breached_by=dict(tally.breached),
            search=seen,
            seconds=now - tally.began,
            busy=tally.busy,
        )

    def log_finished(self, report: CycleReport, tally: CycleTally) -> None:
        """Logs the end of a cycle, counts it, and logs limits that begin to keep contacts back."""
        until = tally.context.until
        period_s = report.seconds if until is None else max(report.seconds, until - tally.began)
        calls = self.calls_so_far() - tally.calls
        line = report.fields(period_s=period_s)
        events.log_cycle_finished(line, mode=self.mode, revision=tally.context.revision, calls=calls)
        self._limits.log_changes(report, period_s=period_s)
        self.count(report, tally.results)
