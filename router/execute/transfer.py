"""Carries transfers and warnings out: intent, attempts, settlement, one log line."""

from __future__ import annotations

from dataclasses import dataclass, field

from router import events
from router.connect.answers import Full, Throttled
from router.cycle_context import CycleContext
from router.decide.decision import RoutingUpdate, RuleDecision, Transfer, Warn
from router.decide.snapshot import CHAIN_TRANSFERS
from router.events.notices import warning_notice
from router.execute.attempts import Attempts, Effort
from router.execute.claims import InProgress
from router.execute.intent import intent_of, record_of
from router.execute.recheck import found_again
from router.execute.result import AttemptResult, Outcome, Result
from router.execute.routing import RoutingPerformer
from router.execute.settlement import Settlement
from router.execute.settler import Settler
from router.ledger.errors import AlreadyIntended, NotOpen
from router.model import Action, ContactId, HoldReason, transfers_behind
from router.news import NewsFilter
from router.ports import Clock, Ledger
from router.safety.safety import NO_SLOT, Safety
from router.safety.terms import RECORD


@dataclass(kw_only=True)
class TransferPerformer:
    """Performs decisions. It is thread-safe, because every worker calls ``perform``.

    ``perform`` raises ``LedgerUnavailable`` before anything is sent if the intent cannot be written. An outcome that
    cannot be written leaves the intent open, and recovery settles it by reading.
    """

    ledger: Ledger
    attempts: Attempts
    safety: Safety
    settler: Settler
    clock: Clock
    in_progress: InProgress
    routing: RoutingPerformer
    instance_id: str
    notifies: bool = False
    _unsent_news: NewsFilter[ContactId] = field(default_factory=NewsFilter)

    def perform(self, decision: RuleDecision, context: CycleContext) -> Result:
        """Performs a decision. A warning may overlap with the contact's move; two moves of a contact never overlap."""
        if isinstance(decision, Warn):
            return self._warn(decision, context)
        if isinstance(decision, RoutingUpdate):
            return self.routing.perform(decision, context)
        assert isinstance(decision, Transfer), "nothing else is carried out"
        with self.in_progress.claim(decision.contact.id) as mine:
            if not mine:
                return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.IN_FLIGHT)
            return self._let_through(decision, context)

    def _warn(self, decision: Warn, context: CycleContext) -> Result:
        """Warns at most once, because the warning is recorded before it is logged, and its notice together with it."""
        hold = found_again(self.attempts.reader, decision, self.clock.now, self.attempts.details)
        if hold is not None:
            return Result(decision=decision, outcome=Outcome.HELD, reason=hold)
        with self.safety.terms.call(context.terms, RECORD, decision.contact.id) as current:
            if not current:
                return Result(decision=decision, outcome=Outcome.INTERRUPTED)
            now = self.clock.now()
            notice = None
            if self.notifies:
                notice = warning_notice(decision, context, instance_id=self.instance_id, now=now)
            try:
                action = self.ledger.record(record_of(decision, context, now=now, observed=False), notice=notice)
            except AlreadyIntended:
                return Result(decision=decision, outcome=Outcome.DONE)
            events.log_warned(decision, context, observed=False, now=now)
        return Result(decision=decision, outcome=Outcome.DONE, action=action)

    def _let_through(self, decision: Transfer, context: CycleContext) -> Result:
        flow, contact_id = decision.target.flow_id, decision.contact.id
        with self.safety.admission(flow, contact_id, takes_slot=True) as hold:
            if hold is None:
                return self._transfer(decision, context)
            if hold is NO_SLOT:
                return Result(decision=decision, outcome=Outcome.NO_PLACE)
            return Result(decision=decision, outcome=Outcome.HELD, reason=hold.reason)

    def _transfer(self, decision: Transfer, context: CycleContext) -> Result:
        """Writes the intent, which owns the landing slot from then on, and makes the attempts.

        Whatever is raised, the slot is given back only when the intent is settled without effect, or when the contact
        lands.
        """
        intent = intent_of(decision, context, instance_id=self.instance_id, now=self.clock.now())
        try:
            effort = Effort(
                self.ledger.intend(intent),
                context.until,
                context.terms,
                relied_on=decision.relied_on,
                pauses=decision.pauses,
                decided_on=decision.contact,
                grant=context.grant,
            )
        except AlreadyIntended:
            self._free_unless_moved(intent)
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.IN_FLIGHT)
        except BaseException:
            self.settler.free(intent)
            raise
        try:
            return self._settle(decision, effort, self.attempts.make(effort), context)
        except NotOpen:  # recovery or another router has settled it, and logged that
            return Result(decision=decision, outcome=Outcome.UNSETTLED, action=effort.action)

    def _free_unless_moved(self, intent: Action) -> None:
        """Gives the landing slot back, unless it belongs to an earlier move of the same contact."""
        earlier = (*self.ledger.open_intents(), *self.ledger.followed())
        if not any(one.contact_id == intent.contact_id and one.target is not None for one in earlier):
            self.settler.free(intent)

    def _settle(self, decision: Transfer, effort: Effort, attempt: AttemptResult, context: CycleContext) -> Result:
        if not isinstance(attempt.answer, Throttled | None):
            self._unsent_news.forget(decision.contact.id)
        action, settlement = self.settler.apply(
            effort.action,
            attempt,
            uncertain=effort.uncertain,
            chain_full=not effort.uncertain and self._is_chain_full(decision, attempt),
            read_age=effort.read_age,
        )
        self._log(decision, action, settlement, effort, context)
        outcome, reason = settlement.outcome, settlement.reason
        return Result(decision=decision, outcome=outcome, reason=reason, detail=settlement.detail, action=action)

    def _is_chain_full(self, decision: Transfer, attempt: AttemptResult) -> bool:
        """Decides whether "full" means this chain: Connect gives the same error for a chain of 12 contacts and for a
        full instance. If Connect's ids do not show the chain, it counts that other contacts get through."""
        contact_id = decision.contact.id
        if not isinstance(attempt.answer, Full):
            return False
        chain = self.attempts.reader.chain(contact_id)
        used_up = isinstance(chain, tuple) and transfers_behind(contact_id, chain) >= CHAIN_TRANSFERS
        return used_up or self.safety.breakers.is_suspect(contact_id)

    def _log(
        self, decision: Transfer, action: Action, settlement: Settlement, effort: Effort, context: CycleContext
    ) -> None:
        event, code = settlement.event, settlement.error
        if event == "contact.transferred":
            events.log_transferred(decision, action, context, read_age=effort.read_age, now=self.clock.now())
        elif event == "contact.recovered":
            events.log_recovered(action, outcome="acted")
        elif event == "contact.failed":
            assert code is not None, "a failure has a code"
            if not settlement.only_news or self._unsent_news.is_news(decision.contact.id, code):
                events.log_failed(decision, action, context, code=code, message=settlement.message)
