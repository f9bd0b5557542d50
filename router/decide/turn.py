"""One rule's turn at one contact: what every decision of it has in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from router.decide.case import Case
from router.decide.decision import Hold
from router.decide.eligible import Sent
from router.decide.govern import Tried
from router.decide.guards import Refusal, Spent, chain_transfers
from router.decide.look import Look
from router.decide.order import urgency
from router.model import CaseKey, Contact, ContactId, FirstAct, Target
from router.rules.bound import BoundStep
from router.rules.clock import instant
from router.rules.rule import Mode, Step


class ByRuleFields(TypedDict):
    """The fields of ``decision.ByRule``."""

    contact: Contact
    case: CaseKey
    chain_id: ContactId
    rule: str
    step: int
    at: timedelta
    mode: Mode
    due_at: datetime
    late: timedelta
    urgency: float
    first: FirstAct
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Turn:
    """``tried`` matched, so its clock's fields are known. ``sent`` and ``spent`` are used up by what is decided."""

    tried: Tried
    contact: Contact
    case: Case
    look: Look
    sent: Sent
    spent: Spent

    @property
    def due_to(self) -> tuple[BoundStep, ...]:
        """The due ``to`` steps with their destinations, latest first."""
        assert self.tried.due is not None
        numbers = {step.number for step in self.tried.due.to}
        return tuple(step for step in reversed(self.tried.rule.steps) if step.step.number in numbers)

    def refused(self, step: Step) -> frozenset[Target]:
        """The destinations of the step that Connect has refused for this contact."""
        return self.case.refused(self.tried.rule.name, step.at, self.tried.rule.fingerprint, self.contact)

    def due_at(self, step: Step) -> datetime:
        assert self.tried.started_at is not None
        return instant(self.tried.started_at, step.at)

    def late(self, step: Step) -> timedelta:
        """Time since the breach, or since the step fell due where the rule has no target; negative before it."""
        assert self.tried.elapsed is not None
        return self.tried.elapsed - (self.tried.rule.rule.sla.target or step.at)

    def hold(self, step: Step, refusal: Refusal) -> Hold:
        return Hold(
            contact=self.contact,
            case=self.case.key,
            chain_id=self.case.chain_id,
            reason=refusal[0],
            detail=refusal[1],
            mode=self.tried.mode,
            rule=self.tried.rule.name,
            step=step.number,
            due_at=self.due_at(step),
            late=self.late(step),
            urgency=urgency(self.tried, step),
        )

    def by_rule(self, step: Step) -> ByRuleFields:
        return ByRuleFields(
            contact=self.contact,
            case=self.case.key,
            chain_id=self.case.chain_id,
            rule=self.tried.rule.name,
            step=step.number,
            at=step.at,
            mode=self.tried.mode,
            due_at=self.due_at(step),
            late=self.late(step),
            urgency=urgency(self.tried, step),
            first=self._first(),
            fingerprint=self.tried.rule.fingerprint,
        )

    def _first(self) -> FirstAct:
        """The contact as it was when the rule first acted on the case: recorded then, or as it is now."""
        known = self.case.first_act(self.tried.rule.name, observed=self.tried.mode is Mode.OBSERVE)
        if known is not None:
            return known
        assert self.tried.started_at is not None and self.contact.queue_id is not None, "a waiting contact has a queue"
        transfers = chain_transfers(self.contact, self.case, self.look)
        return FirstAct(
            clock_started_at=self.tried.started_at,
            queue_id=self.contact.queue_id,
            waited=self.contact.waited(self.look.now),
            initiation_method=self.contact.initiation_method,
            priority=self.contact.details.priority if self.contact.details else None,
            transfers=transfers if isinstance(transfers, int) else None,
        )
