"""Carries decisions out: intent, attempts, outcome, one log line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from router import events
from router.connect.answers import Failure, Full, Rejected, Throttled, Transferred
from router.cycle_context import CycleContext
from router.decide.decision import RoutingUpdate, RuleDecision, Transfer, Warn
from router.decide.snapshot import CHAIN_TRANSFERS
from router.execute.attempts import AttemptResult, Attempts, Effort
from router.execute.intent import intent_of, record_of
from router.execute.recheck import GONE, found_again
from router.execute.result import Outcome, Result
from router.execute.routing import RoutingPerformer
from router.execute.workers import InProgress
from router.followup.tracker import Tracker
from router.ledger.errors import AlreadyIntended, LedgerUnavailable, NotOpen
from router.model import Action, ActionState, ContactId, HoldReason, Landing
from router.model.chain import transfers_behind
from router.news import NewsFilter
from router.ports import Clock, Ledger, Reader
from router.safety.breakers import Breakers, Denials
from router.safety.landing_slots import LandingSlots


@dataclass(kw_only=True)
class TransferPerformer:
    """Thread-safe: every worker calls ``perform``. Raises ``LedgerUnavailable`` before anything is sent where an intent
    cannot be written; an outcome that cannot be written leaves the intent open, to be settled by reading."""

    ledger: Ledger
    attempts: Attempts
    reader: Reader
    blocked: Breakers
    denials: Denials
    places: LandingSlots
    follower: Tracker
    clock: Clock
    instance_id: str
    in_progress: InProgress
    rerouter: RoutingPerformer
    _unsent_news: NewsFilter[ContactId] = field(default_factory=NewsFilter)

    def perform(self, decision: RuleDecision, context: CycleContext) -> Result:
        """A warning may be told while the contact is being moved; two moves of one contact never overlap."""
        if isinstance(decision, Warn):
            return self._warn(decision, context)
        if isinstance(decision, RoutingUpdate):
            return self.rerouter.perform(decision, context)
        assert isinstance(decision, Transfer), "nothing else is carried out"
        with self.in_progress.claim(decision.contact.id) as mine:
            if not mine:
                return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.IN_FLIGHT)
            return self._let_through(decision, context)

    def _warn(self, decision: Warn, context: CycleContext) -> Result:
        """Told at most once: recorded before it is told."""
        hold = found_again(self.reader, decision, self.clock.now, self.attempts.details)
        if hold is not None:
            return Result(decision=decision, outcome=Outcome.HELD, reason=hold)
        now = self.clock.now()
        try:
            action = self.ledger.record(record_of(decision, context, now=now, observed=False))
        except AlreadyIntended:
            return Result(decision=decision, outcome=Outcome.DONE)
        events.warned(decision, context, observed=False, now=now)
        return Result(decision=decision, outcome=Outcome.DONE, action=action)

    def _let_through(self, decision: Transfer, context: CycleContext) -> Result:
        flow, contact_id = decision.target.flow_id, decision.contact.id
        refusal = self.blocked.admit(flow, contact_id, self.clock.now())
        if refusal is not None:
            return Result(decision=decision, outcome=Outcome.HELD, reason=refusal)
        try:
            if not self.places.take(flow, contact_id):
                return Result(decision=decision, outcome=Outcome.NO_PLACE)
            return self._transfer(decision, context)
        finally:
            self.blocked.leave(contact_id)

    def _transfer(self, decision: Transfer, context: CycleContext) -> Result:
        """From here on the intent has the place to land: it is given back as it is settled without effect, or as the
        contact lands, and not before, whatever is raised."""
        intent = intent_of(decision, context, instance_id=self.instance_id, now=self.clock.now())
        try:
            effort = Effort(
                self.ledger.intend(intent),
                context.until,
                relied_on=decision.relied_on,
                pauses=decision.pauses,
                grant=context.grant,
            )
        except AlreadyIntended:
            self._free(intent)
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.IN_FLIGHT)
        except BaseException:
            self._free(intent)
            raise
        try:
            return self._conclude(decision, effort, self.attempts.make(effort), context)
        except NotOpen:  # somebody has settled it, and said so
            return Result(decision=decision, outcome=Outcome.UNSETTLED, action=effort.action)

    def _conclude(self, decision: Transfer, effort: Effort, tried: AttemptResult, context: CycleContext) -> Result:
        answer = tried.answer
        if not isinstance(answer, Throttled | None):
            self._unsent_news.forget(decision.contact.id)
        if isinstance(answer, Transferred):
            return self._moved(decision, effort, answer, context)
        denied = self.denials.met(tried, decision.target.flow_id)
        if effort.uncertain:
            return self._uncertain(decision, effort, tried, context)
        if isinstance(answer, Rejected):
            self.blocked.permitted(decision.target.flow_id)
            return self._refused(decision, effort, answer.code, answer.message, context)
        if isinstance(answer, Full):
            return self._full(decision, effort, answer, context)
        failure = tried.failure
        self._settle(effort.action, ActionState.NEVER_SENT, error=failure.code if failure is not None else None)
        if denied:
            return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.DENIED, action=effort.action)
        if tried.hold is not None:
            return Result(decision=decision, outcome=Outcome.HELD, reason=tried.hold, action=effort.action)
        return self._not_sent(decision, effort, failure, context)

    def _moved(self, decision: Transfer, effort: Effort, answer: Transferred, context: CycleContext) -> Result:
        self.blocked.accepted(decision.target.flow_id)
        moved = replace(effort.action, new_contact_id=answer.contact_id, request_id=answer.request_id)
        try:
            moved = self._settle(moved, ActionState.ACTED)
        except LedgerUnavailable as problem:
            fields = events.of_decision(decision, context)
            accepted = {"new_contact_id": answer.contact_id, "request_id": answer.request_id}
            events.log.error("ledger.failed", message=str(problem), **fields, **accepted)
            return Result(decision=decision, outcome=Outcome.UNSETTLED, action=moved)
        events.transferred(decision, moved, context, read_age=effort.read_age, now=self.clock.now())
        self.follower.watch(moved, read_age=effort.read_age)
        return Result(decision=decision, outcome=Outcome.DONE, action=moved)

    def _uncertain(self, decision: Transfer, effort: Effort, tried: AttemptResult, context: CycleContext) -> Result:
        """A call was sent whose answer was lost. A contact that is gone since has been moved; one that is still there
        keeps its intent open, and a refusal of the repeat says nothing about the first call."""
        if tried.hold in GONE:
            moved = self._settle(effort.action, ActionState.ACTED)
            events.recovered(moved, outcome="acted")
            self.follower.watch(moved, read_age=effort.read_age)
            return Result(decision=decision, outcome=Outcome.DONE, action=moved)
        code = tried.failure.code if tried.failure is not None else "NoAnswer"
        message = "the outcome is not known yet; settled by reading"
        events.failed(decision, effort.action, context, code=code, message=message)
        return Result(decision=decision, outcome=Outcome.UNSETTLED, action=effort.action)

    def _refused(self, decision: Transfer, effort: Effort, code: str, message: str, context: CycleContext) -> Result:
        self._settle(effort.action, ActionState.REFUSED, error=code)
        events.failed(decision, effort.action, context, code=code, message=message)
        return Result(decision=decision, outcome=Outcome.REFUSED, action=effort.action)

    def _full(self, decision: Transfer, effort: Effort, answer: Full, context: CycleContext) -> Result:
        """The same error means that the chain has its 12 contacts or that the instance is full; the chain tells, or,
        where Connect's ids do not show it, that others get through."""
        code, contact_id = answer.code, decision.contact.id
        chain = self.reader.chain(contact_id)
        used_up = isinstance(chain, tuple) and transfers_behind(contact_id, chain) >= CHAIN_TRANSFERS
        if used_up or not self.blocked.full(decision.target.flow_id, contact_id, self.clock.now()):
            return self._refused(decision, effort, code, answer.message, context)
        self._settle(effort.action, ActionState.NEVER_SENT, error=code)
        return Result(decision=decision, outcome=Outcome.HELD, reason=HoldReason.INSTANCE_FULL, action=effort.action)

    def _not_sent(
        self, decision: Transfer, effort: Effort, failure: Failure | Full | None, context: CycleContext
    ) -> Result:
        if failure is not None and self._unsent_news.is_news(decision.contact.id, failure.code):
            message = "not sent; decided anew"
            events.failed(decision, effort.action, context, code=failure.code, message=message)
        return Result(decision=decision, outcome=Outcome.NOT_SENT, action=effort.action)

    def _settle(self, action: Action, state: ActionState, *, error: str | None = None) -> Action:
        landing = Landing.PENDING if state is ActionState.ACTED else None
        settled = replace(action, state=state, settled_at=self.clock.now(), error=error, landing=landing)
        self.ledger.settle(settled)
        if state is not ActionState.ACTED:
            self._free(settled)
        return settled

    def _free(self, action: Action) -> None:
        assert action.target is not None, "a transfer's intent has a target"
        self.places.free(action.target.flow_id, action.contact_id)
