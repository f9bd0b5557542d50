"""One look in, one ordered list of decisions out, and the account of how each came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from router.decide.act import StepTried, act
from router.decide.case import Case, read_case
from router.decide.decision import Decision, Hold
from router.decide.eligible import Sent
from router.decide.govern import Governance, govern
from router.decide.guards import Spent
from router.decide.look import Look
from router.decide.order import urgency_of
from router.decide.turn import Turn
from router.model import Contact, ContactId, HoldReason, Standing
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How the decisions on one contact came about: what ``explain`` tells. ``case`` is ``None`` for a stale sighting."""

    contact: Contact
    standing: Standing
    case: Case | None = None
    governance: Governance | None = None
    steps: tuple[StepTried, ...] = ()
    decisions: tuple[Decision, ...] = ()
    next_due_at: datetime | None = None

    @property
    def ungoverned(self) -> bool:
        """Waiting, and no rule has anything to do with it."""
        governance = self.governance
        return governance is not None and governance.governing is None and governance.held is None


@dataclass(frozen=True, kw_only=True)
class Decided:
    """``decisions`` are in the order of work, most overdue first. ``needs`` is what must be read to decide more: where
    it is not empty the decisions that depend on it are holds for now (``unreadable``)."""

    decisions: tuple[Decision, ...]
    accounts: Mapping[ContactId, Account]
    needs: tuple[object, ...] = ()

    @property
    def next_due_at(self) -> datetime | None:
        known = [account.next_due_at for account in self.accounts.values() if account.next_due_at is not None]
        return min(known, default=None)


@dataclass(slots=True)
class _Fold:
    """What deciding on one contact leaves for the next: limits used up, capacity sent to."""

    sent: Sent
    spent: Spent
    observed_sent: Sent
    observed_spent: Spent
    needs: list[object] = field(default_factory=list)


def decide(look: Look, rules: BoundRuleSet) -> Decided:
    """Decides on every contact of the look. The order of ``look.contacts`` does not matter: the most overdue comes
    first (clock time over target, then age, then id), and what it uses up is gone for the next."""
    accounts: dict[ContactId, Account] = {}
    governed: list[tuple[Contact, Case, Governance]] = []
    for contact in look.contacts:
        standing = contact.standing(look.now)
        case = _case_of(contact, standing, look)
        if case is None:
            accounts[contact.id] = Account(contact=contact, standing=standing)
            continue
        governed.append((contact, case, govern(contact, case, rules.rules, look)))
    governed.sort(key=lambda item: urgency_of(item[0], item[2]))
    fold = _Fold(_sent(look), Spent.so_far(look), _sent(look), Spent())
    for contact, case, governance in governed:
        accounts[contact.id] = _account(contact, case, governance, look, fold)
    decisions = tuple(one for account in accounts.values() for one in account.decisions)
    return Decided(decisions=decisions, accounts=accounts, needs=tuple(dict.fromkeys(fold.needs)))


def _case_of(contact: Contact, standing: Standing, look: Look) -> Case | None:
    if standing is not Standing.WAITING:
        return None
    return read_case(contact, look.histories.get(contact.id, ()))


def _sent(look: Look) -> Sent:
    return Sent(dict(look.pending), dict(look.at_agents))


def _account(contact: Contact, case: Case, governance: Governance, look: Look, fold: _Fold) -> Account:
    decisions: list[Decision] = []
    steps: list[StepTried] = []
    fold.needs.extend(governance.needs)
    if governance.held is not None:
        decisions.append(_held(contact, case, governance, look))
    for tried in (*((governance.governing,) if governance.governing else ()), *governance.beside):
        watched = tried.mode is Mode.OBSERVE
        turn = Turn(
            tried=tried,
            contact=contact,
            case=case,
            look=look,
            sent=fold.observed_sent if watched else fold.sent,
            spent=fold.observed_spent if watched else fold.spent,
        )
        outcome = act(turn)
        decisions.extend(outcome.decisions)
        steps.extend(outcome.steps)
        fold.needs.extend(outcome.needs)
    return Account(
        contact=contact,
        standing=Standing.WAITING,
        case=case,
        governance=governance,
        steps=tuple(steps),
        decisions=tuple(decisions),
        next_due_at=_next_due(governance),
    )


def _held(contact: Contact, case: Case, governance: Governance, look: Look) -> Hold:
    assert governance.held is not None and governance.held_by is not None
    by = governance.held_by
    unread = governance.held is HoldReason.UNREADABLE
    return Hold(
        contact=contact,
        case=case.key,
        chain_id=case.chain_id,
        reason=governance.held,
        mode=by.mode,
        rule=by.rule.name,
        detail="a condition's value could not be read" if unread else "the rule is a shield",
    )


def _next_due(governance: Governance) -> datetime | None:
    looked = (*((governance.governing,) if governance.governing else ()), *governance.beside)
    return min((tried.next_due_at for tried in looked if tried.next_due_at is not None), default=None)
