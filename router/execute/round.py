"""Carries out the decisions of one round, most urgent first, on a bounded number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from router import events
from router.connect.answers import Missing, Reading
from router.cycle_context import CycleContext
from router.decide.decision import RoutingUpdate, RuleDecision, Transfer
from router.execute.preparations import BeforeMoves
from router.execute.result import Outcome, Performer, Result
from router.execute.stragglers import RoundEnd, Stragglers
from router.execute.workers import PacedWork, perform_paced
from router.ledger.errors import LedgerUnavailable
from router.model import ContactId, HoldReason
from router.ports import REROUTE, TRANSFER, Describer, Grant, Pacer
from router.rules.rule import Mode
from router.runtime import Runtime
from router.safety.safety import NO_SLOT, Safety, SafetyHold

ENDED = "the next poll is due"
NO_TOKEN = "the quota allowed no call in time"
"""The reasons of an unsent decision."""
MOVE_FIRST = SafetyHold(HoldReason.IN_FLIGHT, "a move of the contact has begun")


@dataclass(kw_only=True)
class Round:
    """Performs what was decided. ``runtime.stopping`` ends a round between two contacts."""

    enforcer: Performer
    observer: Performer
    safety: Safety
    pacer: Pacer
    runtime: Runtime
    reader: Describer
    """Reads a contact that may hang before it gets a landing slot."""
    stragglers: Stragglers = field(default_factory=Stragglers)

    def perform(
        self,
        decisions: Iterable[object],
        context: CycleContext,
        *,
        wait_for_slots: bool,
    ) -> list[Result]:
        """Performs the decisions in the order given and returns what came of each; holds are ignored. Contacts that
        took long lately come last.

        A contact whose flow has no landing slot left waits while the contacts of other flows go on. With
        ``wait_for_slots`` this round waits for a slot and for every contact. Otherwise the contact is decided on again
        in a later round. Work that hangs, or lasts while something else is due, is then left to the ``stragglers``.
        """
        end = None
        if not wait_for_slots:
            end = RoundEnd(stragglers=self.stragglers, context=context, pacer=self.pacer, runtime=self.runtime)
        left = [decision for decision in decisions if isinstance(decision, RuleDecision)]
        left.sort(key=self.stragglers.is_slow)
        order = {id(decision): place for place, decision in enumerate(left)}
        results: list[Result] = []
        while left:
            done = self._perform_each(left, context, end)
            again = [one for one in done if wait_for_slots and self._gave_way(one, context)]
            again += [one for one in done if one.outcome is Outcome.NO_PLACE]
            results.extend(one for one in done if one not in again)
            left = sorted((one.decision for one in again), key=lambda decision: order[id(decision)])
            flows = {decision.target.flow_id for decision in left if isinstance(decision, Transfer)}
            if not wait_for_slots or (flows and not self.safety.slots.await_one(flows, until=context.until)):
                break
            self.safety.slots.reopen()
        return _with_the_ledger_as_reason([*results, *map(_left_over, left)], self.safety.ledger.problem)

    def _gave_way(self, result: Result, context: CycleContext) -> bool:
        """Returns whether an update was put off only because a landing slot has become free for a move."""
        interrupted = result.outcome is Outcome.INTERRUPTED and isinstance(result.decision, RoutingUpdate)
        return interrupted and not self._superseded(context) and not context.interrupted()

    def _perform_each(
        self, decisions: Sequence[RuleDecision], context: CycleContext, end: RoundEnd | None
    ) -> list[Result]:
        """Performs every decision. Only transfers wait for tokens, and a worker takes the most urgent one when it has
        its token. Warnings and observations of a contact come before its move.

        Routing updates get the workers that no move needs, and end when a move becomes possible or something else is
        due. An update is not begun once the move of its contact has begun.
        """
        transfers = [one for one in decisions if isinstance(one, Transfer) and one.mode is Mode.ENFORCE]
        scarce = {id(decision) for decision in transfers}
        updates = [one for one in decisions if isinstance(one, RoutingUpdate) and one.mode is Mode.ENFORCE]
        moved = {decision.contact.id for decision in transfers}
        paced: PacedWork[RuleDecision] = PacedWork(
            transfers,
            lambda: self._await_token(context),
            lambda: self.pacer.give_back(TRANSFER),
            self._nudge,
            sorted(updates, key=lambda update: update.contact.id in moved),
        )
        rest = scarce | {id(decision) for decision in updates}
        free = [decision for decision in decisions if id(decision) not in rest]
        before = BeforeMoves([decision for decision in free if decision.contact.id in moved])

        gives_way = replace(context, interrupted=lambda: context.interrupted() or self.safety.slots.can_reopen())
        begun: set[ContactId] = set()

        def perform(decision: RuleDecision, grant: Grant | None) -> list[Result]:
            one = replace(context, grant=grant)
            if id(decision) in scarce:
                begun.add(decision.contact.id)
                earlier = before.make_sure(decision.contact.id, lambda other: self._perform_one(other, context))
                result = self._perform_one(decision, one)
                if result.outcome not in (Outcome.DONE, Outcome.UNSETTLED):
                    begun.discard(decision.contact.id)
                return [*earlier, result]
            if id(decision) in rest:
                superseded = decision.contact.id in begun
                return [_held(decision, MOVE_FIRST) if superseded else self._perform_one(decision, gives_way)]
            return before.once(decision, lambda: self._perform_one(decision, one))

        return self._on_workers(free, paced, perform, end)

    def _on_workers(
        self,
        free: Sequence[RuleDecision],
        paced: PacedWork[RuleDecision],
        perform: Callable[[RuleDecision, Grant | None], list[Result]],
        end: RoundEnd | None,
    ) -> list[Result]:
        done = perform_paced(free, paced, perform, pool=self.runtime.pool, workers=self.runtime.workers, late=end)
        return [result for results in done for result in results]

    def _nudge(self) -> None:
        for operation in (TRANSFER, REROUTE):
            self.pacer.nudge(operation)

    def _await_token(self, context: CycleContext) -> bool:
        return self.pacer.acquire(
            TRANSFER, until=context.until, cancelled=lambda: self._superseded(context) or context.interrupted()
        )

    def _superseded(self, context: CycleContext) -> bool:
        """Returns whether rules, limits or pauses have changed since the decision."""
        return context.terms != self.safety.terms.number

    def _perform_one(self, decision: RuleDecision, context: CycleContext) -> Result:
        """Performs one decision, unless something came first: the next poll, the end of the rule's hours, a more urgent
        contact, or the end of the service. A failure of one contact never stops the others."""
        unbegun = self._reason_not_to_begin(decision, context)
        if unbegun is not None:
            return unbegun
        performer = self.enforcer if decision.mode is Mode.ENFORCE else self.observer
        try:
            return self._or_again(performer.perform(decision, context), context)
        except LedgerUnavailable as problem:
            self.safety.ledger.report(problem, **events.decision_fields(decision, context))
            return _held(decision, SafetyHold(HoldReason.LEDGER, str(problem)))
        except Exception:
            events.log_broken(**events.decision_fields(decision, context))
        return Result(decision=decision, outcome=Outcome.NOT_SENT, detail="see contact.broken")

    def _or_again(self, result: Result, context: CycleContext) -> Result:
        """Returns ``LEARNT`` if reading the contact showed pauses that the decision had assumed away.

        Returns ``INTERRUPTED`` if rules, limits or pauses changed before the call, or an update gave way.
        """
        pauses = result.decision.pauses
        if pauses is not None and pauses.assumed and result.reason is HoldReason.CONTACT_PAUSED:
            return replace(result, outcome=Outcome.LEARNT, reason=None)
        gave_way = isinstance(result.decision, RoutingUpdate) and context.interrupted()
        again = result.outcome is Outcome.NOT_SENT and (gave_way or self._superseded(context))
        if again:
            return replace(result, outcome=Outcome.INTERRUPTED)
        unexplained = result.outcome is Outcome.NOT_SENT and not result.detail
        return replace(result, detail=NO_TOKEN) if unexplained else result

    def _reason_not_to_begin(self, decision: RuleDecision, context: CycleContext) -> Result | None:
        now = self.runtime.clock.now()
        over = context.until is not None and self.runtime.clock.monotonic() >= context.until
        closed = decision.acts_before is not None and now >= decision.acts_before
        if over or closed or self.runtime.stopping.is_set():
            why = ENDED if over else "its hours close" if closed else "the service stops"
            return Result(decision=decision, outcome=Outcome.NOT_SENT, detail=why)
        if self._superseded(context) or context.interrupted():
            return Result(decision=decision, outcome=Outcome.INTERRUPTED)
        hold = self.safety.hold_before_call(decision)
        if hold is None and self._hangs(decision, context):
            hold = SafetyHold(HoldReason.UNREADABLE, "DescribeContact does not answer")
        return _held(decision, hold) if hold is not None else None

    def _hangs(self, decision: RuleDecision, context: CycleContext) -> bool:
        """Returns whether a contact that may hang cannot be read: one that took long lately, or any contact while many
        others hang. It takes no landing slot and retains no token for that."""
        many = 2 * self.stragglers.count >= self.runtime.workers
        if not isinstance(decision, Transfer) or not (many or self.stragglers.is_slow(decision)):
            return False
        if context.grant is not None and context.grant.use():
            self.pacer.give_back(TRANSFER)
        return not isinstance(self.reader.describe(decision.contact.id), Reading | Missing)


def _with_the_ledger_as_reason(results: list[Result], problem: str | None) -> list[Result]:
    """Returns the results. If the ledger could not be written, it is the reason for each hold that follows from that:
    no slot, the contact's own move, which is held itself, and no time left, because the ledger has used it up.

    ``problem`` is the last failure of the ledger, ``None`` if it has been written since.
    """
    failed = next((one.detail for one in results if one.reason is HoldReason.LEDGER), problem)
    if failed is None:
        return results
    moved = {
        one.decision.contact.id
        for one in results
        if isinstance(one.decision, Transfer) and one.outcome in (Outcome.DONE, Outcome.UNSETTLED)
    }
    hold = SafetyHold(HoldReason.LEDGER, failed)

    def is_by_the_ledger(one: Result) -> bool:
        waits_for_move = one.reason is HoldReason.IN_FLIGHT and one.detail == MOVE_FIRST.detail
        no_slot = one.reason is HoldReason.FLOW_SUSPENDED and one.detail == NO_SLOT.detail
        no_time = one.outcome is Outcome.NOT_SENT and one.detail in (ENDED, NO_TOKEN)
        enforced = one.decision.mode is Mode.ENFORCE
        return no_slot or (no_time and enforced) or (waits_for_move and one.decision.contact.id not in moved)

    return [_held(one.decision, hold) if is_by_the_ledger(one) else one for one in results]


def _left_over(decision: RuleDecision) -> Result:
    if isinstance(decision, Transfer):
        return _held(decision, NO_SLOT)
    return Result(decision=decision, outcome=Outcome.INTERRUPTED)


def _held(decision: RuleDecision, hold: SafetyHold) -> Result:
    return Result(decision=decision, outcome=Outcome.HELD, reason=hold.reason, detail=hold.detail)
