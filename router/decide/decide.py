"""Decides on all contacts of a snapshot and records how each decision came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from router.decide.act import StepOutcome, TriedStep, act
from router.decide.capacity import CapacityUsed
from router.decide.decision import Decision, Hold
from router.decide.evaluation import Evaluation
from router.decide.govern import Governance, TriedRule, govern, urgency
from router.decide.guards import pause_of
from router.decide.rules_in_force import RulesInForce
from router.decide.snapshot import Snapshot
from router.decide.wait import Wait, read_wait
from router.decide.waiting_contact import WaitingContact
from router.model import Contact, ContactId, HoldReason, Need, Standing
from router.rules.bound import BoundRuleSet
from router.rules.condition import describe_unread
from router.rules.rule import Mode


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
    next_due_at: datetime | None = None

    @property
    def ungoverned(self) -> bool:
        """Returns whether the contact waits and no rule governs it, holds it or may turn out to."""
        found = self.governance
        return found is not None and found.governing is None and found.held is None and not found.undecided


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
        known = [account.next_due_at for account in self.accounts.values() if account.next_due_at is not None]
        return min(known, default=None)


@dataclass(slots=True)
class _Round:
    """Carries what the decision on one contact leaves for the next."""

    snapshot: Snapshot
    waits: Sequence[WaitingContact]
    needs: dict[Need, None] = field(default_factory=dict)
    _capacity: dict[bool, CapacityUsed] = field(default_factory=dict)

    def capacity(self, *, observed: bool) -> CapacityUsed:
        """Returns the capacity in use; rules that only observe have one of their own."""
        if observed not in self._capacity:
            self._capacity[observed] = CapacityUsed.before(self.snapshot, self.waits, observed=observed)
        return self._capacity[observed]


def decide(snapshot: Snapshot, rules: BoundRuleSet) -> Decided:
    """Decides on every contact of the snapshot, the most overdue first, whatever their order in it.

    "Overdue" is the time on the clock over the target, then the age, then the id. Capacity that one contact uses up is
    gone for the next.
    """
    in_force = RulesInForce(rules, snapshot)
    accounts: dict[ContactId, Account] = {}
    governed: list[tuple[WaitingContact, Governance]] = []
    for contact in snapshot.contacts:
        standing = contact.standing(snapshot.now)
        wait = _wait_of(contact, standing, snapshot)
        if wait is None:
            accounts[contact.id] = Account(contact=contact, standing=standing)
            continue
        waiting = WaitingContact(contact, wait, snapshot)
        governed.append((waiting, govern(waiting, in_force.for_wait(waiting))))
    governed.sort(key=lambda item: _urgency_of(*item))
    this_round = _Round(snapshot, [waiting for waiting, _ in governed])
    for waiting, governance in governed:
        accounts[waiting.contact.id] = _account(waiting, governance, this_round)
    decisions = tuple(one for account in accounts.values() for one in account.decisions)
    return Decided(decisions=decisions, accounts=accounts, needs=tuple(this_round.needs))


def _wait_of(contact: Contact, standing: Standing, snapshot: Snapshot) -> Wait | None:
    if standing is not Standing.WAITING:
        return None
    return read_wait(contact, snapshot.moves.histories.get(contact.id, ()))


def _account(waiting: WaitingContact, governance: Governance, this_round: _Round) -> Account:
    outcomes = [_act(tried, governance, waiting, this_round) for tried in governance.acting]
    held = (_held(waiting, governance),) if governance.held is not None else ()
    wanted = (need for outcome in outcomes for need in outcome.needs)
    for need in (*governance.needs, *governance.clock_needs, *wanted):
        this_round.needs[need] = None
    return Account(
        contact=waiting.contact,
        standing=Standing.WAITING,
        wait=waiting.wait,
        governance=governance,
        steps=tuple(step for outcome in outcomes for step in outcome.steps),
        decisions=(*held, *(decision for outcome in outcomes for decision in outcome.decisions)),
        next_due_at=governance.next_due_at,
    )


def _act(tried: TriedRule, governance: Governance, waiting: WaitingContact, this_round: _Round) -> StepOutcome:
    capacity = this_round.capacity(observed=tried.mode is Mode.OBSERVE)
    return act(Evaluation(tried, waiting, capacity, governance.relied_on))


def _held(waiting: WaitingContact, governance: Governance) -> Hold:
    held, by = governance.held, governance.held_by
    assert held is not None and by is not None, "a rule holds it"
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
    possible = tuple(one for one in governance.undecided if held is not None and one.mode is held.mode)
    governing = (governance.governing,) if governance.governing is not None else (held, *possible)
    return (-_most_urgent(governing), -_most_urgent(governance.side_rules), waiting.began_at, waiting.contact.id)


def _most_urgent(rules: Iterable[TriedRule | None]) -> float:
    due = (one for one in rules if one is not None and one.due is not None and one.due.to)
    return max((urgency(one, one.due.to[0]) for one in due if one.due is not None), default=0.0)
