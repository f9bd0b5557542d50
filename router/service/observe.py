"""Only tells what would be done: the same decisions, another performer."""

from __future__ import annotations

from dataclasses import dataclass

from router.decide.decision import ByRule, Reroute, Transfer, Warn
from router.ledger.errors import AlreadyIntended
from router.service import tell
from router.service.details import KnownDetails
from router.service.intent import record_of
from router.service.performing import Came, CycleContext, Result
from router.service.ports import Clock, Ledger, Reader
from router.service.reread import found_again


@dataclass(frozen=True, kw_only=True)
class Observer:
    """Reads the contact again, as enforcing would, and tells. ``observed`` is a ledger in memory of its own: ladders
    advance on it, and nothing that enforcing reads is written."""

    reader: Reader
    observed: Ledger
    clock: Clock
    details: KnownDetails

    def perform(self, decision: ByRule, context: CycleContext) -> Result:
        hold = found_again(self.reader, decision, self.clock.now, self.details)
        if hold is not None:
            return Result(decision=decision, came=Came.HELD, reason=hold)
        now = self.clock.now()
        try:
            action = self.observed.record(record_of(decision, context, now=now, observed=True))
        except AlreadyIntended:
            return Result(decision=decision, came=Came.DONE)
        if isinstance(decision, Transfer):
            tell.would_transfer(decision, context, now=now)
        elif isinstance(decision, Reroute):
            tell.would_reprioritize(decision, context)
        elif isinstance(decision, Warn):
            tell.warned(decision, context, observed=True, now=now)
        return Result(decision=decision, came=Came.DONE, action=action)
