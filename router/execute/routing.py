"""Carries ``routing`` steps out: changes a contact's priority or routing age where it waits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from router import events
from router.connect.answers import Missing, Reading, Throttled
from router.cycle_context import CycleContext
from router.decide.decision import RoutingUpdate
from router.execute.attempts import Attempts, Effort
from router.execute.claims import InProgress
from router.execute.intent import routing_intent_of
from router.execute.recheck import still_waits
from router.execute.result import AttemptResult, Outcome, Result
from router.execute.routing_update import routing_of, update_for
from router.execute.settlement import Settlement
from router.execute.settler import Settler
from router.ledger.errors import AlreadyIntended, NotOpen
from router.model import Action, ActionState, ContactId, HoldReason, RoutingData
from router.news import NewsFilter
from router.ports import Clock, Ledger


@dataclass(frozen=True, kw_only=True)
class RoutingPerformer:
    """Performs routing updates; thread-safe.

    UpdateContactRoutingData has no token (botocore service model). A call whose outcome is not known is therefore
    repeated only after a reading shows the old value, long enough after the call.
    """

    ledger: Ledger
    attempts: Attempts
    settler: Settler
    clock: Clock
    in_progress: InProgress
    _unsent_news: NewsFilter[ContactId] = field(default_factory=NewsFilter)

    def perform(self, decision: RoutingUpdate, context: CycleContext) -> Result:
        """Performs an update. Raises ``LedgerUnavailable`` before anything is sent if the intent cannot be written."""
        with self.in_progress.claim_update(decision.contact.id) as mine:
            if not mine:
                return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.IN_FLIGHT)
            return self._read_and_update(decision, context)

    def _read_and_update(self, decision: RoutingUpdate, context: CycleContext) -> Result:
        """Reads the contact first, because the update depends on what it has; the intent holds both."""
        reading = self.attempts.reader.describe(decision.contact.id)
        if isinstance(reading, Missing):
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.NOT_FOUND)
        if not isinstance(reading, Reading):
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.UNREADABLE)
        self.settler.ages.seen(reading.contact)
        self.attempts.details.remember(reading.contact, self.clock.now())
        hold = still_waits(reading.contact, decision, self.clock.now())
        if hold is not None:
            return Result(decision=decision, outcome=Outcome.HELD, reason=hold)
        has = routing_of(reading.contact.details)
        update = update_for(decision.routing, has, adds=self.settler.ages.adds)
        try:
            if update is None:
                return self._unchanged(decision, has, context)
            intent = routing_intent_of(decision, context, update=update, before=has, now=self.clock.now())
            effort = Effort(
                self.ledger.intend(intent),
                context.until,
                context.terms,
                decision.relied_on,
                decision.pauses,
                decided_on=decision.contact,
                gives_way=context.interrupted,
            )
        except AlreadyIntended:
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.IN_FLIGHT)
        try:
            return self._settle(decision, effort, self.attempts.make(effort), context)
        except NotOpen:  # recovery or another router has settled it, and logged that
            return Result(decision=decision, outcome=Outcome.UNSETTLED, action=effort.action)

    def _unchanged(self, decision: RoutingUpdate, has: RoutingData, context: CycleContext) -> Result:
        """Records that the step has acted without a call, because the contact's place is as good already."""
        intent = routing_intent_of(decision, context, update=None, before=has, now=self.clock.now())
        acted = replace(intent, state=ActionState.ACTED, settled_at=self.clock.now(), send_by=None)
        action = self.ledger.record(acted)
        events.log_reprioritized(decision, action, context)
        return Result(decision=decision, outcome=Outcome.DONE, action=action)

    def _settle(self, decision: RoutingUpdate, effort: Effort, attempt: AttemptResult, context: CycleContext) -> Result:
        if not isinstance(attempt.answer, Throttled | None):
            self._unsent_news.forget(decision.contact.id)
        action, settlement = self.settler.apply(effort.action, attempt, uncertain=effort.uncertain)
        self._log(decision, action, settlement, context)
        outcome, reason = settlement.outcome, settlement.reason
        return Result(decision=decision, outcome=outcome, reason=reason, detail=settlement.detail, action=action)

    def _log(self, decision: RoutingUpdate, action: Action, settlement: Settlement, context: CycleContext) -> None:
        event, code = settlement.event, settlement.error
        if event == "contact.reprioritized":
            events.log_reprioritized(decision, action, context)
        elif event == "contact.recovered":
            events.log_recovered(action, outcome="gone")
        elif event == "contact.failed":
            assert code is not None, "a failure has a code"
            if not settlement.only_news or self._unsent_news.is_news(decision.contact.id, code):
                events.log_failed(decision, action, context, code=code, message=settlement.message)
