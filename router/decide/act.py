"""Which steps of a rule act on a contact now, and what each would do: at most one of each kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from router.decide.decision import Decision, GuardRefusal, RoutingUpdate, Transfer, Warn
from router.decide.destinations import Weighed, weigh
from router.decide.evaluation import Evaluation
from router.decide.govern import Role
from router.decide.guards import AFTER_DESTINATIONS, BEFORE_DESTINATIONS, CLOCK, first_refusal, whereabouts
from router.decide.pick import pick
from router.decide.targets import naming
from router.model import Action, ActionState, HoldReason, Need, Target
from router.rules.bound import BoundStep
from router.rules.condition import told_unread
from router.rules.rule import Pick, Routing, Step
from router.rules.steps import Due

ROUTING_APPLIES_WITHIN = timedelta(seconds=60)
"""How long Connect may take to apply a change to a contact that is queued already (Amazon Connect administrator guide,
"Set routing priority and age")."""


@dataclass(frozen=True, kw_only=True)
class TriedStep:
    """One due ``to`` step and how each of its destinations fared, tier by tier."""

    rule: str
    step: BoundStep
    tiers: tuple[tuple[Weighed, ...], ...]
    chosen: Weighed | None = None

    @property
    def weighed(self) -> tuple[Weighed, ...]:
        return tuple(one for tier in self.tiers for one in tier)

    @cached_property
    def tier(self) -> tuple[Weighed, ...]:
        """The first tier that has, or may have, an eligible entry; empty where none has."""
        return next((tier for tier in self.tiers if any(one.eligible or one.unread for one in tier)), ())

    @property
    def unread(self) -> bool:
        """Whether more must be read before one of the tier can be picked; ``first`` does not mind what comes later."""
        if self.step.step.pick is Pick.FIRST:
            return next((one.unread for one in self.tier if one.eligible or one.unread), False)
        return any(one.unread for one in self.tier)

    @property
    def needs(self) -> tuple[Need, ...]:
        return tuple(one.need for one in self.weighed if one.need is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """``needs`` is what must be read before more can be said; the decisions are holds for want of it."""

    decisions: tuple[Decision, ...] = ()
    steps: tuple[TriedStep, ...] = ()
    needs: tuple[Need, ...] = ()


def act(turn: Evaluation) -> StepOutcome:
    """The decisions of one rule on one contact. Warnings and bumps do not wait for what holds a move, save for a
    contact whose whereabouts are not known; while the rule's hours are closed nothing acts."""
    due = turn.tried.due
    if due is None or not due.anything:
        return StepOutcome()
    if (stopped := first_refusal(CLOCK, turn)) is not None:
        return _held(turn, _latest(due), stopped)
    if turn.tried.role is Role.UNREAD:
        return _unread(turn, _latest(due))
    free = _without_transfer(turn) if whereabouts(turn) is None else ()
    if not due.to:
        return StepOutcome(decisions=free)
    moved = _move(turn)
    return replace(moved, decisions=(*free, *moved.decisions))


def _without_transfer(turn: Evaluation) -> tuple[Decision, ...]:
    """Steps that cost no transfer: the latest due ``routing`` and the latest due ``warn``."""
    assert turn.tried.due is not None, "a rule that matched has a clock"
    found: list[Decision] = []
    step = turn.tried.due.routing
    if step is not None and step.routing is not None:
        found.append(_reroute(turn, step, step.routing))
    step = turn.tried.due.warn
    if step is not None and step.warn is not None:
        found.append(Warn(text=step.warn, **turn.by_rule(step)))
    return tuple(found)


def _reroute(turn: Evaluation, step: Step, routing: Routing) -> Decision:
    """Not within the minute that Connect may take to apply an earlier one: what the contact shows may be old."""
    since = turn.waiting.look.now - ROUTING_APPLIES_WITHIN
    lately = any(at > since for act in turn.waiting.wait.chain for at in _rerouted_at(act))
    if not lately:
        return RoutingUpdate(routing=routing, **turn.by_rule(step))
    return turn.hold(step, GuardRefusal(HoldReason.IN_FLIGHT, "its routing was changed less than a minute ago"))


def _rerouted_at(act: Action) -> tuple[datetime, ...]:
    sent = act.state not in (ActionState.NEVER_SENT, ActionState.REFUSED)
    changed = act.routing is not None and sent and not act.observed
    return tuple(at for at in (act.place_at, act.settled_at) if at is not None) if changed else ()


def _latest(due: Due) -> Step:
    """The step that is named where none of them may act: the latest that moves, where one does."""
    return next(step for step in (*due.to, due.routing, due.warn) if step is not None)


def _unread(turn: Evaluation, step: Step) -> StepOutcome:
    """A rule beside, of which it is not known whether it matches: it waits, and nobody waits for it."""
    matched = turn.tried.match
    assert matched is not None, "what could not be decided has been matched"
    return _held(turn, step, GuardRefusal(HoldReason.UNREADABLE, told_unread(matched), matched.needs))


def _move(turn: Evaluation) -> StepOutcome:
    """Of the due ``to`` steps the latest that has an eligible destination; those before it are skipped."""
    latest = turn.due_to[0].step
    refusal = first_refusal(BEFORE_DESTINATIONS, turn)
    if refusal is not None:
        return _held(turn, latest, refusal)
    steps = tuple(_try_step(turn, bound) for bound in turn.live)
    for position, tried in enumerate(steps):
        if tried.unread:
            return _held(turn, tried.step.step, _to_be_read(steps[position:]), steps)
        if tried.chosen is not None:
            return _transfer(turn, tried.step, tried.chosen, steps[: position + 1])
    return _held(turn, latest, _none_eligible(steps), steps)


def _try_step(turn: Evaluation, bound: BoundStep) -> TriedStep:
    """Weighs every destination and picks within the first tier that has an eligible one."""
    tiers = tuple(tuple(weigh(entry, bound.step, turn) for entry in tier) for tier in bound.tiers)
    tried = TriedStep(rule=turn.rule, step=bound, tiers=tiers)
    if tried.unread or not tried.tier:
        return tried
    last = turn.used.last.get((turn.rule, bound.step.at))
    chosen = pick(bound.step.pick, tried.tier, wait=turn.waiting.wait.key, rule=turn.rule, at=bound.step.at, last=last)
    return replace(tried, chosen=chosen)


def _transfer(turn: Evaluation, bound: BoundStep, chosen: Weighed, steps: tuple[TriedStep, ...]) -> StepOutcome:
    refusal = first_refusal(AFTER_DESTINATIONS, turn)
    if refusal is not None:
        return _held(turn, bound.step, refusal, steps)
    assert chosen.target is not None, "an eligible entry has a target"
    turn.used.add(turn.rule, bound.step.at, chosen.target, turn.waiting)
    decision = Transfer(
        target=chosen.target,
        series=_series(turn, bound.step, chosen.target),
        skipped=tuple(sorted(one.step.number for one in turn.due_to if one.step.at < bound.step.at)),
        **_named_by_contact(turn, steps).by_rule(bound.step),
    )
    return StepOutcome(decisions=(decision,), steps=steps)


def _named_by_contact(turn: Evaluation, steps: tuple[TriedStep, ...]) -> Evaluation:
    """With what the contact says in place of a destination among what the decision relies on."""
    entries = dict.fromkeys(weighed.entry.entry.agent_from for tried in steps for weighed in tried.weighed)
    named = (naming(attribute, turn.waiting) for attribute in entries if attribute is not None)
    return replace(turn, relied_on=(*turn.relied_on, *(seen for seen in named if seen is not None)))


def _series(turn: Evaluation, step: Step, target: Target) -> int:
    """How often this step was intended for the wait and recorded as never sent, or refused this destination: another
    series, another token. What was refused is tried again only when somebody has changed something about it."""
    before = (action for action in turn.waiting.wait.actions if (action.rule, action.at) == (turn.rule, step.at))
    return sum(
        action.state is ActionState.NEVER_SENT or (action.state is ActionState.REFUSED and action.target == target)
        for action in before
    )


def _held(turn: Evaluation, step: Step, refusal: GuardRefusal, steps: tuple[TriedStep, ...] = ()) -> StepOutcome:
    return StepOutcome(decisions=(turn.hold(step, refusal),), steps=steps, needs=refusal.needs)


def _to_be_read(steps: tuple[TriedStep, ...]) -> GuardRefusal:
    """Everything that may come to matter, at once: reading more queues in one call costs no more."""
    needs = tuple(dict.fromkeys(need for tried in steps for need in tried.needs))
    return GuardRefusal(HoldReason.UNREADABLE, "what its destinations depend on has not been read yet", needs)


def _none_eligible(steps: tuple[TriedStep, ...]) -> GuardRefusal:
    """Each destination with why not, once."""
    why = dict.fromkeys(f'"{one.name}": {one.why}' for tried in steps for one in tried.weighed)
    return GuardRefusal(HoldReason.NO_ELIGIBLE_DESTINATION, "; ".join(why))
