"""Carries decisions out: intent, attempts, outcome, one log line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock

from router.connect.answers import Denied, Failure, Full, Rejected, Transferred, Unauthenticated
from router.decide.decision import ByRule, Transfer, Warn
from router.decide.look import CHAIN_TRANSFERS
from router.ledger.errors import AlreadyIntended
from router.model import Action, ActionState, ContactId, HoldReason, Landing
from router.service import tell
from router.service.attempts import Attempts, Effort, Tried
from router.service.blocked import Blocked
from router.service.follow import Follower
from router.service.intent import intent_of, record_of
from router.service.landing import LandingPlaces
from router.service.performing import Came, CycleContext, Result
from router.service.ports import Clock, Ledger, Reader
from router.service.reread import found_again

GONE = frozenset({HoldReason.DISCONNECTED, HoldReason.PICKED_UP, HoldReason.LEFT_QUEUE})
"""Found on reading again: the contact is no longer where it was, so a call whose answer was lost has had its effect, or
none of it matters any more."""


@dataclass(kw_only=True)
class Enforcer:
    """Thread-safe: every worker calls ``perform``. Raises ``LedgerUnavailable`` before anything is sent where an intent
    cannot be written; an outcome that cannot be written leaves the intent open, to be settled by reading."""

    ledger: Ledger
    attempts: Attempts
    reader: Reader
    blocked: Blocked
    places: LandingPlaces
    follower: Follower
    clock: Clock
    instance_id: str
    _busy: set[ContactId] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    @property
    def in_progress(self) -> frozenset[ContactId]:
        with self._lock:
            return frozenset(self._busy)

    def perform(self, decision: ByRule, context: CycleContext) -> Result:
        """A warning may be told while the contact is being moved; two moves of one contact never overlap."""
        if isinstance(decision, Warn):
            return self._warn(decision, context)
        with self._lock:
            if decision.contact.id in self._busy:
                return Result(decision=decision, came=Came.HELD, reason=HoldReason.IN_FLIGHT)
            self._busy.add(decision.contact.id)
        try:
            return self._perform(decision, context)
        except AlreadyIntended:
            return Result(decision=decision, came=Came.HELD, reason=HoldReason.IN_FLIGHT)
        finally:
            with self._lock:
                self._busy.discard(decision.contact.id)

    def _perform(self, decision: ByRule, context: CycleContext) -> Result:
        assert isinstance(decision, Transfer), "routing steps are refused at load in this version"
        flow = decision.target.flow_id
        refusal = self.blocked.admit(flow, self.clock.now())
        if refusal is not None:
            return Result(decision=decision, came=Came.HELD, reason=refusal)
        if not self.places.take(flow, until=context.until):
            return Result(decision=decision, came=Came.NOT_SENT, reason=HoldReason.FLOW_SUSPENDED)
        result = Result(decision=decision, came=Came.NOT_SENT)
        try:
            result = self._transfer(decision, context)
        finally:
            if not _under_way(result):
                self.places.free(flow)
        return result

    def _warn(self, decision: Warn, context: CycleContext) -> Result:
        """Told at most once: recorded before it is told."""
        hold = found_again(self.reader, decision, self.clock.now)
        if hold is not None:
            return Result(decision=decision, came=Came.HELD, reason=hold)
        now = self.clock.now()
        try:
            action = self.ledger.record(record_of(decision, context, now=now, observed=False))
        except AlreadyIntended:
            return Result(decision=decision, came=Came.DONE)
        tell.warned(decision, observed=False, directory=context.directory, now=now)
        return Result(decision=decision, came=Came.DONE, action=action)

    def _transfer(self, decision: Transfer, context: CycleContext) -> Result:
        intent = intent_of(decision, context, instance_id=self.instance_id, now=self.clock.now())
        effort = Effort(action=self.ledger.intend(intent), until=context.until)
        tried = self.attempts.make(effort)
        return self._conclude(decision, effort, tried, context)

    def _conclude(self, decision: Transfer, effort: Effort, tried: Tried, context: CycleContext) -> Result:
        if isinstance(tried.answer, Transferred):
            return self._moved(decision, effort, tried.answer, context)
        if effort.uncertain:
            return self._uncertain(decision, effort, tried, context)
        if isinstance(tried.answer, Rejected):
            return self._refused(decision, effort, tried.answer.code, tried.answer.message)
        if isinstance(tried.answer, Full):
            return self._full(decision, effort, tried.answer)
        failure = tried.answer or tried.unread
        self._settle(effort.action, ActionState.NEVER_SENT, error=_code(failure))
        if isinstance(failure, Denied | Unauthenticated):
            return self._stopped(decision, effort, failure, by_flow=failure is tried.answer)
        self.blocked.undecided(self.clock.now())
        if tried.hold is not None:
            return Result(decision=decision, came=Came.HELD, reason=tried.hold, action=effort.action)
        if failure is not None:
            tell.failed(decision, effort.action, code=_code(failure) or "", message="not sent; decided anew")
        return Result(decision=decision, came=Came.NOT_SENT, action=effort.action)

    def _moved(self, decision: Transfer, effort: Effort, answer: Transferred, context: CycleContext) -> Result:
        moved = replace(effort.action, new_contact_id=answer.contact_id, request_id=answer.request_id)
        moved = self._settle(moved, ActionState.ACTED)
        self.blocked.accepted(decision.target.flow_id)
        now = self.clock.now()
        tell.transferred(decision, moved, context.directory, read_age=effort.read_age, now=now)
        self.follower.watch(moved, read_age=effort.read_age)
        return Result(decision=decision, came=Came.DONE, action=moved)

    def _uncertain(self, decision: Transfer, effort: Effort, tried: Tried, context: CycleContext) -> Result:
        """A call was sent whose answer was lost. A contact that is gone since has been moved; one that is still there
        keeps its intent open, and a refusal of the repeat says nothing about the first call."""
        if tried.hold in GONE:
            moved = self._settle(effort.action, ActionState.ACTED)
            tell.recovered(moved, outcome="acted")
            self.follower.watch(moved, read_age=effort.read_age)
            return Result(decision=decision, came=Came.DONE, action=moved)
        failure = tried.answer or tried.unread
        code = _code(failure) or "NoAnswer"
        tell.failed(decision, effort.action, code=code, message="the outcome is not known yet; settled by reading")
        return Result(decision=decision, came=Came.UNSETTLED, action=effort.action)

    def _refused(self, decision: Transfer, effort: Effort, code: str, message: str) -> Result:
        self._settle(effort.action, ActionState.REFUSED, error=code)
        self.blocked.undecided(self.clock.now())
        tell.failed(decision, effort.action, code=code, message=message)
        return Result(decision=decision, came=Came.REFUSED, action=effort.action)

    def _full(self, decision: Transfer, effort: Effort, answer: Full) -> Result:
        """The same error means that the chain has its 12 contacts or that the instance is full; the chain tells."""
        chain = self.reader.chain(effort.action.contact_id)
        if isinstance(chain, tuple) and len(chain) > CHAIN_TRANSFERS:
            return self._refused(decision, effort, "ServiceQuotaExceededException", answer.message)
        self._settle(effort.action, ActionState.NEVER_SENT, error="ServiceQuotaExceededException")
        self.blocked.full(self.clock.now())
        return Result(decision=decision, came=Came.HELD, reason=HoldReason.INSTANCE_FULL, action=effort.action)

    def _stopped(
        self, decision: Transfer, effort: Effort, failure: Denied | Unauthenticated, *, by_flow: bool
    ) -> Result:
        if isinstance(failure, Denied) and by_flow:
            self.blocked.denied(decision.target.flow_id, self.clock.now())
        else:
            self.blocked.unauthenticated(self.clock.now())
        return Result(decision=decision, came=Came.HELD, reason=HoldReason.DENIED, action=effort.action)

    def _settle(self, action: Action, state: ActionState, *, error: str | None = None) -> Action:
        landing = Landing.PENDING if state is ActionState.ACTED else None
        settled = replace(action, state=state, settled_at=self.clock.now(), error=error, landing=landing)
        self.ledger.settle(settled)
        return settled


def _under_way(result: Result) -> bool:
    """Whether the contact is, or may be, between its move and its landing."""
    return result.came is Came.UNSETTLED or (result.came is Came.DONE and isinstance(result.decision, Transfer))


def _code(failure: Failure | Full | Transferred | None) -> str | None:
    if failure is None or isinstance(failure, Transferred):
        return None
    return "AccessDeniedException" if isinstance(failure, Denied) else getattr(failure, "code", type(failure).__name__)
