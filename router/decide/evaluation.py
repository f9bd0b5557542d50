"""Joins one rule and one contact, and makes the decisions on that pair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from router.decide.capacity import CapacityUsed
from router.decide.decision import GuardRefusal, Hold, PausesSeen, RuleDecision
from router.decide.snapshot import NEVER_PAUSED, Snapshot
from router.decide.targets import target_of
from router.decide.tried_rule import TriedRule
from router.decide.waiting_contact import WaitingContact, lazy_value, priority_of
from router.model import Contact, FirstAct, Target
from router.rules.bound import BoundStep
from router.rules.clock import queue_clock_start
from router.rules.condition import ReliedOnValue, Unread
from router.rules.rule import Mode, Step


def urgency(tried: TriedRule, step: Step) -> float:
    """Returns the clock time over the rule's target, or over the step's own time; infinite for a step at zero."""
    assert tried.elapsed is not None, "a rule that matched has a clock"
    scale = tried.rule.rule.sla.target or step.at
    return tried.elapsed / scale if scale > timedelta() else float("inf")


D = TypeVar("D", bound=RuleDecision)


@dataclass(frozen=True)
class Evaluation:
    """Evaluates one rule that matched on one contact; decisions add to ``capacity``.

    ``relied_on`` are the conditions that depended on values of DescribeContact when the rules were tried.
    """

    tried: TriedRule
    waiting: WaitingContact
    capacity: CapacityUsed
    relied_on: tuple[ReliedOnValue, ...] = ()

    @property
    def rule(self) -> str:
        return self.tried.rule.name

    @property
    def contact(self) -> Contact:
        return self.waiting.contact

    @property
    def snapshot(self) -> Snapshot:
        return self.waiting.snapshot

    @property
    def observed(self) -> bool:
        return self.tried.mode is Mode.OBSERVE

    @lazy_value
    def due_moves(self) -> tuple[BoundStep, ...]:
        """Returns the due ``to`` steps with their destinations, latest first."""
        assert self.tried.due is not None, "a rule that matched has a clock"
        numbers = {step.number for step in self.tried.due.to}
        return tuple(step for step in reversed(self.tried.rule.steps) if step.step.number in numbers)

    @lazy_value
    def moves_to_try(self) -> tuple[BoundStep, ...]:
        """Returns the due ``to`` steps that can still be tried, latest first.

        A step of which Connect refused every destination has skipped the steps before it, and later ones skip it.
        """
        live: list[BoundStep] = []
        for bound in self.due_moves:
            refused = self.refused(bound.step)
            targets = [target_of(entry, self.waiting) for entry in bound.entries]
            if refused and all(target in refused for target in targets if target is not None):
                break
            live.append(bound)
        return tuple(live)

    def refused(self, step: Step) -> frozenset[Target]:
        """Returns the destinations of the step that Connect has refused for this contact."""
        return self.waiting.wait.refused_targets(self.rule, step.at, self.tried.rule.fingerprint, self.waiting.contact)

    def due_at(self, step: Step) -> datetime:
        return self.tried.at(step.at)

    def late(self, step: Step) -> timedelta:
        """Returns the time since the breach, or since the step was due if the rule has no target; negative
        before it."""
        assert self.tried.elapsed is not None, "a rule that matched has a clock"
        return self.tried.elapsed - (self.tried.rule.rule.sla.target or step.at)

    def hold(self, step: Step, refusal: GuardRefusal) -> Hold:
        return Hold(
            contact=self.waiting.contact,
            wait=self.waiting.wait.key,
            chain_id=self.waiting.wait.chain_id,
            reason=refusal.reason,
            detail=refusal.why,
            mode=self.tried.mode,
            rule=self.rule,
            step=step.number,
            due_at=self.due_at(step) if self.tried.unread_clock is None else None,
            late=self.late(step) if self.tried.unread_clock is None else None,
            urgency=urgency(self.tried, step),
        )

    def decision(self, kind: type[D], step: Step, **of_kind: Any) -> D:
        """Returns a decision for the step. ``of_kind`` are the fields that only this kind of decision has."""
        calendar = self.tried.calendar
        return kind(
            contact=self.waiting.contact,
            wait=self.waiting.wait.key,
            chain_id=self.waiting.wait.chain_id,
            rule=self.rule,
            step=step.number,
            at=step.at,
            mode=self.tried.mode,
            due_at=self.due_at(step),
            late=self.late(step),
            urgency=urgency(self.tried, step),
            first=self._first(),
            fingerprint=self.tried.rule.fingerprint,
            acts_before=calendar.open_until(self.waiting.snapshot.now) if calendar is not None else None,
            relied_on=self.relied_on,
            pauses=self._pauses(),
            **of_kind,
        )

    def _pauses(self) -> PausesSeen | None:
        known = self.waiting.pauses
        if isinstance(known, Unread):
            return None
        return PausesSeen(known.resumed_at, assumed=known is NEVER_PAUSED)

    def _first(self) -> FirstAct:
        """Returns the contact as it was when the rule first acted on the wait, or as it is now if the rule has not
        acted."""
        known = self.waiting.wait.first_act(self.rule, observed=self.observed)
        if known is not None:
            return known
        contact, transfers, details = self.waiting.contact, self.waiting.transfers, self.waiting.details
        by_others = self.waiting.wait.priority_by_others
        return FirstAct(
            clock_started_at=queue_clock_start(contact, None),
            queue_id=self.waiting.queue_id,
            waited=contact.waited(self.waiting.snapshot.now),
            initiation_method=contact.initiation_method,
            priority=None if isinstance(details, Unread) else by_others(priority_of(details)),
            transfers=transfers if isinstance(transfers, int) else None,
        )
