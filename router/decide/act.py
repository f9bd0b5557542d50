"""Selects the steps of a rule that act on a contact now, at most one of each kind, and makes their decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from router.decide.decision import Decision, GuardRefusal, RoutingUpdate, Transfer, Warn
from router.decide.destinations import Weighed, weigh
from router.decide.evaluation import Evaluation
from router.decide.guards import AFTER_DESTINATIONS, BEFORE_DESTINATIONS, CLOCK, first_refusal, whereabouts
from router.decide.pick import pick
from router.decide.targets import condition_on_agent
from router.decide.tried_rule import Role
from router.model import Action, ActionKind, ActionState, HoldReason, Need, Target
from router.rules.bound import BoundStep
from router.rules.condition import describe_unread
from router.rules.placeholders import fill
from router.rules.rule import Pick, Routing, Step
from router.rules.steps import Due

ROUTING_APPLIES_WITHIN = timedelta(seconds=60)
"""How long Connect may take to apply a change to a contact that is queued already (Amazon Connect administrator guide,
"Set routing priority and age")."""


@dataclass(frozen=True, kw_only=True)
class TriedStep:
    """Records one due ``to`` step and the result for each of its destinations, tier by tier."""

    rule: str
    step: BoundStep
    tiers: tuple[tuple[Weighed, ...], ...]
    chosen: Weighed | None = None

    @property
    def weighed(self) -> tuple[Weighed, ...]:
        return tuple(one for tier in self.tiers for one in tier)

    @cached_property
    def tier(self) -> tuple[Weighed, ...]:
        """Returns the first tier with an entry that is eligible or may turn out to be; empty if no tier has one."""
        return next((tier for tier in self.tiers if any(one.eligible or one.unread for one in tier)), ())

    @property
    def unread(self) -> bool:
        """Returns whether more must be read before the step can pick an entry of the tier.

        ``first`` ignores the entries after the first eligible one.
        """
        if self.step.step.pick is Pick.FIRST:
            return next((one.unread for one in self.tier if one.eligible or one.unread), False)
        return any(one.unread for one in self.tier)

    @property
    def needs(self) -> tuple[Need, ...]:
        return tuple(one.need for one in self.weighed if one.need is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """Holds the decisions of one rule on one contact; ``needs`` must be read before the holds among them can change."""

    decisions: tuple[Decision, ...] = ()
    steps: tuple[TriedStep, ...] = ()
    needs: tuple[Need, ...] = ()


NOTHING_DUE = StepOutcome()
PAUSED = GuardRefusal(HoldReason.CONTACT_PAUSED, "the contact is paused, and its clock does not run")
"""The hold of a contact that would be due if it were not paused. Polls read it again, because the pause may end."""


def act(evaluation: Evaluation) -> StepOutcome:
    """Decides what one rule does to one contact.

    Warnings and routing updates do not wait for the guards that hold a move, except if the contact may be elsewhere.
    Nothing acts while the rule's hours are closed, or the contact is paused.
    """
    due, but_for_pause, first = evaluation.tried.due, evaluation.tried.due_but_for_pause, evaluation.tried.due_now
    assert due is not None and first is not None, "a rule with nothing due does not act"
    if (stopped := first_refusal(CLOCK, evaluation)) is not None:
        return _held(evaluation, _latest(first), stopped)
    if evaluation.tried.role is Role.UNREAD:
        return _unread(evaluation, _latest(first))
    if but_for_pause is not None:
        return _held(evaluation, _latest(first), PAUSED)
    free = _without_transfer(evaluation) if whereabouts(evaluation) is None else ()
    if not due.to:
        return StepOutcome(decisions=free)
    moved = _move(evaluation)
    return replace(moved, decisions=(*free, *moved.decisions)) if free else moved


def _without_transfer(evaluation: Evaluation) -> tuple[Decision, ...]:
    """Decides the latest due ``routing`` and the latest due ``warn`` step: both cost no transfer."""
    assert evaluation.tried.due is not None, "a rule that matched has a clock"
    found: list[Decision] = []
    step = evaluation.tried.due.routing
    if step is not None and step.routing is not None:
        found.append(_update_routing(evaluation, step, step.routing))
    step = evaluation.tried.due.warn
    if step is not None and step.warn is not None:
        found.append(evaluation.decision(Warn, step, text=_warning(evaluation, step, step.warn)))
    return tuple(found)


def _warning(evaluation: Evaluation, step: Step, text: str) -> str:
    contact, snapshot = evaluation.contact, evaluation.snapshot
    return fill(
        text,
        late=evaluation.late(step),
        waited=contact.waited(snapshot.now),
        queue=snapshot.directory.queue_name(contact.queue_id) or "",
        rule=evaluation.rule,
        contact_id=contact.id,
    )


def _update_routing(evaluation: Evaluation, step: Step, routing: Routing) -> Decision:
    """Updates the contact's routing, unless an update of it is under way or may not be applied yet: Connect may take
    a minute, and until then the contact may show old values. One decision makes one update of a contact, and none if
    another contact of its chain is moved."""
    contact, capacity, wait = evaluation.contact, evaluation.capacity, evaluation.waiting.wait
    of_contact = [act for act in wait.chain if act.acts_on == contact.id]
    since = evaluation.snapshot.now - ROUTING_APPLIES_WITHIN
    if any(_is_update_under_way(act) for act in of_contact):
        why = "an update of its routing has no known outcome yet"
    elif any(_is_updated_after(act, since, observed=evaluation.observed) for act in of_contact):
        why = "its routing was changed less than a minute ago"
    elif contact.id in capacity.updated:
        why = "another rule changes its routing now"
    elif capacity.moved_chains.get(wait.chain_id, contact.id) != contact.id:
        why = "another contact of its chain is being moved"
    else:
        capacity.updated.add(contact.id)
        return evaluation.decision(RoutingUpdate, step, routing=routing)
    return evaluation.hold(step, GuardRefusal(HoldReason.IN_FLIGHT, why))


def _is_update_under_way(act: Action) -> bool:
    return act.open and act.kind.is_routing and (not act.kind.follows or act.sent_at is not None)


def _is_updated_after(act: Action, instant: datetime, *, observed: bool) -> bool:
    """Returns whether an update of the router's was made later than the instant, as far as is known; with
    ``observed`` also one that it would have made."""
    if act.observed:
        return observed and act.kind is ActionKind.ROUTING and act.decided_at > instant
    changed = act.routing is not None and act.state is ActionState.ACTED
    return changed and act.settled_at is not None and act.settled_at > instant


def _latest(due: Due) -> Step:
    """Returns the step to name if no step may act: the latest that moves, or else the latest of another kind."""
    return next(step for step in (*due.to, due.routing, due.warn) if step is not None)


def _unread(evaluation: Evaluation, step: Step) -> StepOutcome:
    """Holds a side rule, or a rule behind one, of which it is not known whether it matches; no other rule waits
    for it."""
    matched = evaluation.tried.match
    assert matched is not None, "what could not be decided has been matched"
    return _held(evaluation, step, GuardRefusal(HoldReason.UNREADABLE, describe_unread(matched), matched.needs))


def _move(evaluation: Evaluation) -> StepOutcome:
    """Decides on the latest due ``to`` step that has an eligible destination; the steps before it are skipped."""
    latest = evaluation.due_moves[0].step
    refusal = first_refusal(BEFORE_DESTINATIONS, evaluation)
    if refusal is not None:
        return _held(evaluation, latest, refusal)
    steps = tuple(_try_step(evaluation, bound) for bound in evaluation.moves_to_try)
    for position, tried in enumerate(steps):
        if tried.unread:
            return _held(evaluation, tried.step.step, _destinations_unread(steps[position:]), steps)
        if tried.chosen is not None:
            return _transfer(evaluation, tried.step, tried.chosen, steps[: position + 1])
    return _held(evaluation, latest, _none_eligible(steps), steps)


def _try_step(evaluation: Evaluation, bound: BoundStep) -> TriedStep:
    """Weighs every destination and picks one in the first tier that has an eligible entry."""
    tiers = tuple(tuple(weigh(entry, bound.step, evaluation) for entry in tier) for tier in bound.tiers)
    tried = TriedStep(rule=evaluation.rule, step=bound, tiers=tiers)
    if tried.unread or not tried.tier:
        return tried
    last = evaluation.capacity.last_targets.get((evaluation.rule, bound.step.at))
    chosen = pick(
        bound.step.pick, tried.tier, wait=evaluation.waiting.wait.key, rule=evaluation.rule, at=bound.step.at, last=last
    )
    return replace(tried, chosen=chosen)


def _transfer(evaluation: Evaluation, bound: BoundStep, chosen: Weighed, steps: tuple[TriedStep, ...]) -> StepOutcome:
    refusal = first_refusal(AFTER_DESTINATIONS, evaluation)
    if refusal is not None:
        return _held(evaluation, bound.step, refusal, steps)
    assert chosen.target is not None, "an eligible entry has a target"
    evaluation.capacity.add(evaluation.rule, bound.step.at, chosen.target, evaluation.waiting)
    decision = _named_by_contact(evaluation, steps).decision(
        Transfer,
        bound.step,
        target=chosen.target,
        series=_series(evaluation, bound.step, chosen.target),
        skipped=tuple(sorted(one.step.number for one in evaluation.due_moves if one.step.at < bound.step.at)),
    )
    return StepOutcome(decisions=(decision,), steps=steps)


def _named_by_contact(evaluation: Evaluation, steps: tuple[TriedStep, ...]) -> Evaluation:
    """Adds the contact attributes that name an agent to the conditions that the decision relies on."""
    entries = dict.fromkeys(weighed.entry.entry.agent_from for tried in steps for weighed in tried.weighed)
    named = (condition_on_agent(attribute, evaluation.waiting) for attribute in entries if attribute is not None)
    added = tuple(seen for seen in named if seen is not None)
    return replace(evaluation, relied_on=(*evaluation.relied_on, *added)) if added else evaluation


def _series(evaluation: Evaluation, step: Step, target: Target) -> int:
    """Counts how often this step was recorded as never sent in this wait, or as refused for this destination.

    Each series has a token of its own. A refused destination is tried again only after somebody has changed the rule or
    its names.
    """
    moves = (action for action in evaluation.waiting.wait.actions if action.kind is ActionKind.TRANSFER)
    before = (action for action in moves if (action.rule, action.at) == (evaluation.rule, step.at))
    return sum(
        action.state is ActionState.NEVER_SENT or (action.state is ActionState.REFUSED and action.target == target)
        for action in before
    )


def _held(evaluation: Evaluation, step: Step, refusal: GuardRefusal, steps: tuple[TriedStep, ...] = ()) -> StepOutcome:
    return StepOutcome(decisions=(evaluation.hold(step, refusal),), steps=steps, needs=refusal.needs)


def _destinations_unread(steps: tuple[TriedStep, ...]) -> GuardRefusal:
    """Holds until all that the destinations depend on is read at once, because one call reads many queues."""
    needs = tuple(dict.fromkeys(need for tried in steps for need in tried.needs))
    why = "the values that its destinations depend on have not been read yet"
    return GuardRefusal(HoldReason.UNREADABLE, why, needs)


def _none_eligible(steps: tuple[TriedStep, ...]) -> GuardRefusal:
    """Holds and lists each destination once with the reason against it."""
    why = dict.fromkeys(f'"{one.name}": {one.why}' for tried in steps for one in tried.weighed)
    return GuardRefusal(HoldReason.NO_ELIGIBLE_DESTINATION, "; ".join(why))
