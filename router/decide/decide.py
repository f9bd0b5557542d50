"""Decides on all contacts of a snapshot and records how each decision came about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from router.decide.act import NOTHING_DUE, StepOutcome, TriedStep, act
from router.decide.capacity import CapacityUsed
from router.decide.decision import Decision, Hold, RoutingUpdate, RuleDecision, Transfer
from router.decide.evaluation import Evaluation, urgency
from router.decide.govern import Governance, govern
from router.decide.guards import pause_of
from router.decide.rules_in_force import RulesInForce
from router.decide.snapshot import Snapshot
from router.decide.tried_rule import Role, TriedRule
from router.decide.wait import Wait, read_wait
from router.decide.waiting_contact import WaitingContact
from router.model import Contact, ContactId, HoldReason, Need, Standing
from router.rules.bound import BoundRuleSet
from router.rules.condition import ReliedOnValue, describe_unread
from router.rules.rule import Mode, OnHold


@dataclass(frozen=True, slots=True)
class Promise:
    """Holds the target that a rule has for a contact, and the time of it that its clock shows."""

    rule: str
    target: timedelta
    elapsed: timedelta

    @property
    def used(self) -> float:
        """Returns the used share; 1 and more: the promise is broken."""
        return self.elapsed / self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Records how the decisions on one contact came about, for ``explain``. ``wait`` is ``None`` for a stale
    sighting."""

    contact: Contact
    standing: Standing
    wait: Wait | None = None
    governance: Governance | None = None
    steps: tuple[TriedStep, ...] = ()
    decisions: tuple[Decision, ...] = ()
    gave_way: tuple[Hold, ...] = ()
    """The holds of rules with ``on_hold = "next"`` that are not among the decisions."""
    next_due_at: datetime | None = None

    @property
    def clock_left(self) -> timedelta | None:
        """Returns how much clock time is left before a step falls due, zero if one is due; ``None`` if none is left."""
        found = self.governance
        tried = () if found is None else (*found.acting, *found.undecided)
        return min((left for one in tried if (left := one.clock_left) is not None), default=None)

    def promise(self, rule: str | None = None) -> Promise | None:
        """Returns the promise of the rule, or else the most used one that counts; ``None`` if there is none."""
        tried = self.governance.promising if self.governance is not None else ()
        made = [
            Promise(one.rule.name, one.rule.rule.sla.target, one.elapsed)
            for one in tried
            if one.elapsed is not None and one.rule.rule.sla.target is not None
        ]
        return max((one for one in made if rule in (None, one.rule)), key=lambda one: one.used, default=None)

    @property
    def past_target(self) -> bool:
        """Returns whether a promise to the contact is broken."""
        promise = self.promise()
        return promise is not None and promise.used >= 1

    @property
    def out_of_steps(self) -> TriedRule | None:
        """Returns the rule that looks after the contact and cannot move it any more: it has finished with the wait, or
        it promises and only warns. ``None`` if another rule governs the contact, holds it or may turn out to."""
        found = self.governance
        if found is None or found.giving_way or found.governing or found.held is not None or found.undecided:
            return None
        promises = [one for one in found.side_rules if one.no_step_left]
        return next((one for one in promises if one.role is Role.FINISHED or one.rule.rule.sla.target), None)

    @property
    def ungoverned(self) -> bool:
        """Returns whether the contact waits and no rule looks after it: none governs it, holds it, may turn out to, or
        is out of steps."""
        found = self.governance
        if found is None or found.giving_way or self.out_of_steps is not None:
            return False
        return found.governing is None and found.held is None and not found.undecided


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Holds the decisions in the order of work, most overdue first.

    ``needs`` must be read to decide more; until then the decisions that depend on them are holds (``unreadable``).
    """

    decisions: tuple[Decision, ...]
    accounts: Mapping[ContactId, Account]
    needs: tuple[Need, ...] = ()

    @property
    def next_due_at(self) -> datetime | None:
        return min((due for one in self.accounts.values() if (due := one.next_due_at) is not None), default=None)


@dataclass(slots=True)
class _Round:
    """Carries what the decision on one contact leaves for the next."""

    snapshot: Snapshot
    in_force: RulesInForce
    waits: Sequence[WaitingContact] = ()
    needs: dict[Need, None] = field(default_factory=dict)
    _capacity: dict[bool, CapacityUsed] = field(default_factory=dict)

    def capacity(self, *, observed: bool) -> CapacityUsed:
        """Returns the capacity in use; rules that only observe have one of their own."""
        if observed not in self._capacity:
            self._capacity[observed] = CapacityUsed.before(self.snapshot, self.waits, observed=observed)
        return self._capacity[observed]


class DecidingStopped(Exception):
    """Ends a decision on many contacts, because the service stops."""


def decide(snapshot: Snapshot, rules: BoundRuleSet, *, stopping: Callable[[], bool] = lambda: False) -> Decided:
    """Decides on every contact of the snapshot, the most overdue first, whatever their order in it.

    "Overdue" is the time on the clock over the target, then the age, then the id. Capacity that one contact uses up is
    gone for the next. Raises ``DecidingStopped`` if the service is ``stopping``, which it looks at before each contact.
    """
    in_force = RulesInForce(rules, snapshot)
    this_round = _Round(snapshot, in_force)
    accounts: dict[ContactId, Account] = {}
    governed: list[tuple[WaitingContact, Governance]] = []
    for contact in snapshot.contacts:
        _go_on(stopping)
        standing = contact.standing(snapshot.now)
        wait = _wait_of(contact, standing, snapshot)
        if wait is None:
            accounts[contact.id] = Account(contact=contact, standing=standing)
            continue
        waiting = WaitingContact(contact, wait, snapshot)
        governed.append((waiting, govern(waiting, in_force.for_wait(waiting))))
    governed.sort(key=lambda item: _urgency_of(*item))
    this_round.waits = [waiting for waiting, _ in governed]
    for waiting, governance in governed:
        _go_on(stopping)
        accounts[waiting.contact.id] = _account(waiting, governance, this_round)
    decisions = tuple(one for account in accounts.values() for one in account.decisions)
    return Decided(decisions=decisions, accounts=accounts, needs=tuple(this_round.needs))


def _go_on(stopping: Callable[[], bool]) -> None:
    if stopping():
        raise DecidingStopped


def _wait_of(contact: Contact, standing: Standing, snapshot: Snapshot) -> Wait | None:
    if standing is not Standing.WAITING:
        return None
    return read_wait(contact, snapshot.moves.histories.get(contact.id, ()))


def _account(waiting: WaitingContact, governance: Governance, this_round: _Round) -> Account:
    governance, outcomes, gave_way = _govern_and_act(waiting, governance, this_round)
    outcomes += [_act(tried, governance, waiting, this_round) for tried in governance.side_rules]
    if governance.held is not None and not governance.giving_way:
        assert governance.held_by is not None, "a rule holds it"
        outcomes.insert(0, StepOutcome(decisions=(_held(waiting, governance.held, governance.held_by),)))
    wanted = (need for outcome in outcomes for need in outcome.needs)
    for need in (*governance.needs, *governance.clock_needs, *wanted):
        this_round.needs[need] = None
    decisions = tuple(decision for outcome in outcomes for decision in outcome.decisions)
    return Account(
        contact=waiting.contact,
        standing=Standing.WAITING,
        wait=waiting.wait,
        governance=governance,
        steps=tuple(step for outcome in outcomes for step in outcome.steps),
        decisions=_without_own_priority(decisions),
        gave_way=gave_way,
        next_due_at=governance.next_due_at,
    )


def _govern_and_act(
    waiting: WaitingContact, governance: Governance, this_round: _Round
) -> tuple[Governance, list[StepOutcome], tuple[Hold, ...]]:
    """Lets the governing rule act. While a rule holds the contact and has ``on_hold = "next"``, the next matching rule
    governs.

    The contact is held by the first of these rules if none of the others acts. Returns the other holds last.
    """
    outcomes: list[StepOutcome] = []
    holds: list[Hold] = []
    holding: list[str] = []
    while (tried := governance.governing) is not None:
        outcome = _act(tried, governance, waiting, this_round)
        hold = _hold_to_pass_on(tried, outcome, waiting)
        if hold is None:
            outcomes.append(outcome)
            break
        holds.append(hold)
        outcomes.append(replace(outcome, decisions=outcome.decisions[:-1]))
        holding.append(tried.rule.name)
        governance = govern(waiting, this_round.in_force.for_wait(waiting), holding)
    if holds and not _acts_last(outcomes, governance):
        holds += (one for one in outcomes[-1].decisions if isinstance(one, Hold))
        outcomes[-1] = replace(outcomes[-1], decisions=_only_acts(outcomes[-1]))
        outcomes.insert(0, StepOutcome(decisions=(holds.pop(0),)))
    return governance, outcomes, tuple(holds)


def _hold_to_pass_on(tried: TriedRule, outcome: StepOutcome, waiting: WaitingContact) -> Hold | None:
    """Returns the hold of a rule that lets the next one govern; ``None`` if the rule acts or retains the contact.

    A rule retains a contact that it may still move, one that is under way, and one that an operator has paused.
    """
    last = outcome.decisions[-1] if outcome.decisions else None
    if tried.rule.rule.on_hold is not OnHold.NEXT or not isinstance(last, Hold) or last.reason in NOT_PASSED_ON:
        return None
    return last if pause_of(waiting, tried.rule.name) is None else None


NOT_PASSED_ON = frozenset({HoldReason.UNREADABLE, HoldReason.IN_FLIGHT, HoldReason.STRAY})
"""The holds that do not concern the rule: it is not known yet whether it can act, or the contact is under way."""


def _acts_last(outcomes: Sequence[StepOutcome], governance: Governance) -> bool:
    """Returns whether the last of the rules that were tried moves the contact."""
    acts = governance.governing is not None and outcomes[-1].decisions
    return bool(acts) and isinstance(outcomes[-1].decisions[-1], Transfer)


def _only_acts(outcome: StepOutcome) -> tuple[Decision, ...]:
    return tuple(one for one in outcome.decisions if not isinstance(one, Hold))


def _without_own_priority(decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """Returns the decisions, which no longer rely on the priority if one of them changes it."""
    if not any(isinstance(one, RoutingUpdate) for one in decisions):
        return decisions
    return tuple(one if isinstance(one, Hold) else replace(one, relied_on=_without_priority(one)) for one in decisions)


def _without_priority(decision: RuleDecision) -> tuple[ReliedOnValue, ...]:
    return tuple(seen for seen in decision.relied_on if seen.test.key != "priority")


def _act(tried: TriedRule, governance: Governance, waiting: WaitingContact, this_round: _Round) -> StepOutcome:
    """Lets one rule act. An exclusion rule that only observes shows what it would exclude."""
    if tried.rule.rule.excludes and tried.role is Role.SIDE_RULE:
        return StepOutcome(decisions=(_held(waiting, HoldReason.EXCLUDED, tried),))
    if tried.due_now is None:
        return NOTHING_DUE
    capacity = this_round.capacity(observed=tried.mode is Mode.OBSERVE)
    return act(Evaluation(tried, waiting, capacity, governance.relied_on))


def _held(waiting: WaitingContact, held: HoldReason, by: TriedRule) -> Hold:
    paused = pause_of(waiting, by.rule.name) if held is not HoldReason.EXCLUDED else None
    return Hold(
        contact=waiting.contact,
        wait=waiting.wait.key,
        chain_id=waiting.wait.chain_id,
        reason=held if paused is None else HoldReason.OPERATOR_PAUSE,
        mode=by.mode,
        rule=by.rule.name,
        detail=_why_held(held, by) if paused is None else str(paused),
    )


def _why_held(held: HoldReason, by: TriedRule) -> str:
    if held is HoldReason.UNREADABLE:
        return describe_unread(by.match)
    return "the rule is an exclusion rule" if held is HoldReason.EXCLUDED else "; ".join(map(str, by.rule.unresolved))


def _urgency_of(waiting: WaitingContact, governance: Governance) -> tuple[float, float, datetime, str]:
    """Returns a sort key that puts the most overdue contact first; ties go to the older one, then to the lower id.

    Side rules only break ties, so that a rule that observes changes nothing for the others. If several rules may
    govern, the most urgent of them counts, because reading for it must not wait.
    """
    held = governance.held_by
    if governance.governing is not None:
        most = _urgency(governance.governing)
    else:
        possible = (one for one in governance.undecided if held is not None and one.mode is held.mode)
        most = max(map(_urgency, (held, *possible)))
    of_side_rules = max(map(_urgency, governance.side_rules), default=0.0)
    return (-most, -of_side_rules, waiting.began_at, waiting.contact.id)


def _urgency(tried: TriedRule | None) -> float:
    moves = tried.due.to if tried is not None and tried.due is not None else ()
    return urgency(tried, moves[0]) if tried is not None and moves else 0.0
