"""Logs what would be done, and does nothing: the performer of observe mode."""

from __future__ import annotations

from dataclasses import dataclass

from router import events
from router.cycle_context import CycleContext
from router.decide.decision import RoutingUpdate, RuleDecision, Transfer, Warn
from router.execute.intent import record_of
from router.execute.recheck import found_again
from router.execute.result import Outcome, Result
from router.ledger.errors import AlreadyIntended
from router.lookup.details import DetailsCache
from router.ports import Clock, Ledger, Reader
from router.safety.safety import Safety
from router.safety.terms import RECORD


@dataclass(frozen=True, kw_only=True)
class ObservePerformer:
    """Reads the contact again, as enforcing would, and logs the decision.

    ``observed`` is a ledger in memory of its own. Ladders advance on it. Nothing that enforcing reads is written.
    """

    reader: Reader
    observed: Ledger
    clock: Clock
    details: DetailsCache
    safety: Safety

    def perform(self, decision: RuleDecision, context: CycleContext) -> Result:
        hold = found_again(self.reader, decision, self.clock.now, self.details)
        if hold is not None:
            return Result(decision=decision, outcome=Outcome.HELD, reason=hold)
        with self.safety.terms.call(context.terms, RECORD, decision.contact.id) as current:
            if not current:
                return Result(decision=decision, outcome=Outcome.INTERRUPTED)
            return self._report(decision, context)

    def _report(self, decision: RuleDecision, context: CycleContext) -> Result:
        now = self.clock.now()
        try:
            action = self.observed.record(record_of(decision, context, now=now, observed=True))
        except AlreadyIntended:
            return Result(decision=decision, outcome=Outcome.DONE)
        if isinstance(decision, Transfer):
            events.log_would_transfer(decision, context, now=now)
        elif isinstance(decision, RoutingUpdate):
            events.log_would_reprioritize(decision, context)
        elif isinstance(decision, Warn):
            events.log_warned(decision, context, observed=True, now=now)
        return Result(decision=decision, outcome=Outcome.DONE, action=action)
