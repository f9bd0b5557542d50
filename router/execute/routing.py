"""Carries ``routing`` steps out: a contact's priority or routing age, changed where it waits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from router import events
from router.connect.answers import Missing, Reading, Rejected, Unknown, Updated
from router.cycle_context import CycleContext
from router.decide.decision import RoutingUpdate
from router.execute.attempts import AttemptResult, Attempts, Effort
from router.execute.intent import routing_intent_of
from router.execute.recheck import still_waits
from router.execute.result import Outcome, Result
from router.execute.routing_update import AgeMeaning, routing_of, update_for
from router.execute.workers import InProgress
from router.ledger.errors import AlreadyIntended, NotOpen
from router.model import Action, ActionState, HoldReason, RoutingData
from router.ports import Clock, Ledger, Reader
from router.safety.breakers import Breakers, Denials


@dataclass(frozen=True, kw_only=True)
class RoutingPerformer:
    """Thread-safe. UpdateContactRoutingData has no token (botocore service model), so a call whose outcome is not known
    is not repeated before a reading shows the old value, long enough after it."""

    ledger: Ledger
    attempts: Attempts
    reader: Reader
    blocked: Breakers
    denials: Denials
    clock: Clock
    in_progress: InProgress
    ages: AgeMeaning

    def perform(self, decision: RoutingUpdate, context: CycleContext) -> Result:
        """Raises ``LedgerUnavailable`` before anything is sent where the intent cannot be written."""
        if self.blocked.routing_stopped(self.clock.now()):
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.DENIED)
        with self.in_progress.claim(decision.contact.id) as mine:
            if not mine:
                return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.IN_FLIGHT)
            return self._read_and_update(decision, context)

    def _read_and_update(self, decision: RoutingUpdate, context: CycleContext) -> Result:
        """What is asked for depends on what the contact has, and the intent holds both."""
        reading = self.reader.describe(decision.contact.id)
        if isinstance(reading, Missing):
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.NOT_FOUND)
        if not isinstance(reading, Reading):
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.UNREADABLE)
        self.ages.seen(reading.contact)
        hold = still_waits(reading.contact, decision, self.clock.now())
        if hold is not None:
            return Result(decision=decision, outcome=Outcome.HELD, reason=hold)
        has = routing_of(reading.contact.details)
        update = update_for(decision.routing, has, adds=self.ages.adds)
        try:
            if update is None:
                return self._unchanged(decision, has, context)
            intent = routing_intent_of(decision, context, update=update, before=has, now=self.clock.now())
            effort = Effort(self.ledger.intend(intent), context.until, decision.relied_on, decision.pauses)
        except AlreadyIntended:
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.IN_FLIGHT)
        try:
            return self._conclude(decision, effort, self.attempts.make(effort), context)
        except NotOpen:  # somebody has settled it, and said so
            return Result(decision=decision, outcome=Outcome.UNSETTLED, action=effort.action)

    def _unchanged(self, decision: RoutingUpdate, has: RoutingData, context: CycleContext) -> Result:
        """Its place is as good already: the step has acted, and nothing is sent."""
        intent = routing_intent_of(decision, context, update=None, before=has, now=self.clock.now())
        acted = replace(intent, state=ActionState.ACTED, settled_at=self.clock.now(), send_by=None)
        action = self.ledger.record(acted)
        events.reprioritized(decision, action, context)
        return Result(decision=decision, outcome=Outcome.DONE, action=action)

    def _conclude(self, decision: RoutingUpdate, effort: Effort, tried: AttemptResult, context: CycleContext) -> Result:
        answer = tried.answer
        if isinstance(answer, Updated):
            action = replace(effort.action, request_id=answer.request_id)
            self._note(action)
            action = self._settle(action, ActionState.ACTED)
            events.reprioritized(decision, action, context)
            return Result(decision=decision, outcome=Outcome.DONE, action=action)
        denied = self.denials.met_routing(tried)
        code = tried.failure.code if tried.failure is not None else None
        if isinstance(answer, Unknown):
            self._note(effort.action)
            message = "the outcome is not known yet; settled by reading"
            events.failed(decision, effort.action, context, code=answer.code, message=message)
            return Result(decision=decision, outcome=Outcome.UNSETTLED, action=effort.action)
        if isinstance(answer, Rejected):
            self._settle(effort.action, ActionState.REFUSED, error=code)
            events.failed(decision, effort.action, context, code=answer.code, message=answer.message)
            return Result(decision=decision, outcome=Outcome.REFUSED, action=effort.action)
        self._settle(effort.action, ActionState.NEVER_SENT, error=code)
        if denied:
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.DENIED, action=effort.action)
        if tried.hold is not None:
            return Result(decision=decision, outcome=Outcome.HELD, reason=tried.hold, action=effort.action)
        return Result(decision=decision, outcome=Outcome.NOT_SENT, action=effort.action)

    def _note(self, action: Action) -> None:
        assert action.routing is not None and action.before is not None, "a routing intent has both"
        self.ages.sent(action.contact_id, action.routing, action.before, now=self.clock.now())

    def _settle(self, action: Action, state: ActionState, *, error: str | None = None) -> Action:
        settled = replace(action, state=state, settled_at=self.clock.now(), error=error)
        self.ledger.settle(settled)
        return settled
