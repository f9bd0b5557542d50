"""Which steps of a rule act on a contact now, and what each would do: at most one of each kind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from router.decide.decision import Decision, Reroute, Transfer, Warn
from router.decide.eligible import Weighed, weigh
from router.decide.guards import Refusal, after_destinations, before_all, before_destinations
from router.decide.pick import pick
from router.decide.turn import Turn
from router.model import ActionState, HoldReason, Target, earliest
from router.rules.bound import BoundStep
from router.rules.rule import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTried:
    """One due ``to`` step and how each of its destinations fared, tier by tier."""

    rule: str
    step: BoundStep
    tiers: tuple[tuple[Weighed, ...], ...]
    chosen: Weighed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``needs`` is what must be read before more can be said; the decisions are holds for want of it."""

    decisions: tuple[Decision, ...] = ()
    steps: tuple[StepTried, ...] = ()
    needs: tuple[object, ...] = ()


def act(turn: Turn) -> Outcome:
    """The decisions of one rule on one contact. Warnings and bumps do not wait for what holds a move, save for a
    contact whose whereabouts are not known."""
    due = turn.tried.due
    if due is None or not (due.to or due.warn or due.routing):
        return Outcome()
    refusal = before_all(turn.tried.rule, turn.contact, turn.case, turn.look)
    free = refusal is None or refusal[0] is HoldReason.UNRESOLVED
    decisions = _without_transfer(turn) if free else ()
    if not due.to:
        return Outcome(decisions=decisions)
    if refusal is not None:
        return Outcome(decisions=(*decisions, turn.hold(due.to[0], refusal)))
    moved = _move(turn)
    return replace(moved, decisions=(*decisions, *moved.decisions))


def _without_transfer(turn: Turn) -> tuple[Decision, ...]:
    """Steps that cost no transfer: the latest due ``routing`` and the latest due ``warn``."""
    assert turn.tried.due is not None
    found: list[Decision] = []
    step = turn.tried.due.routing
    if step is not None and step.routing is not None:
        found.append(Reroute(routing=step.routing, **turn.by_rule(step)))
    step = turn.tried.due.warn
    if step is not None and step.warn is not None:
        found.append(Warn(text=step.warn, **turn.by_rule(step)))
    return tuple(found)


def _move(turn: Turn) -> Outcome:
    latest = turn.due_to[0].step
    stopped = before_destinations(turn.tried.rule, turn.contact, turn.case, turn.look)
    if stopped is not None and not isinstance(stopped, tuple):
        return _waits_for(turn, latest, (stopped,), ())
    live = _not_failed(turn)
    if not live and (stopped is None or stopped[0].rank > HoldReason.FAILED_BEFORE.rank):
        stopped = HoldReason.FAILED_BEFORE, "Connect refused every destination of the step for this contact"
    if stopped is not None:
        return Outcome(decisions=(turn.hold(latest, stopped),))
    return _latest_eligible(turn, live)


def _not_failed(turn: Turn) -> tuple[BoundStep, ...]:
    """The due ``to`` steps that are still to be tried, latest first. A step that failed (Connect refused every
    destination) has itself passed over those before it, and is passed over by those after it."""
    live: list[BoundStep] = []
    for bound in turn.due_to:
        refused = turn.refused(bound.step)
        if refused and all(entry.target in refused for entry in bound.entries):
            break
        live.append(bound)
    return tuple(live)


def _latest_eligible(turn: Turn, live: tuple[BoundStep, ...]) -> Outcome:
    """Of the due ``to`` steps the latest that has an eligible destination; those before it are passed over."""
    steps: list[StepTried] = []
    for bound in live:
        tried, needs = _try_step(turn, bound)
        steps.append(tried)
        if needs:
            return _waits_for(turn, bound.step, needs, tuple(steps))
        if tried.chosen is not None:
            return _transfer(turn, bound, tried.chosen, tuple(steps))
    return Outcome(decisions=(turn.hold(live[0].step, _why_none(steps)),), steps=tuple(steps))


def _try_step(turn: Turn, bound: BoundStep) -> tuple[StepTried, tuple[object, ...]]:
    """Weighs every destination and picks within the first tier that has an eligible one; what that tier still needs
    to have read comes with it."""
    refused = turn.refused(bound.step)
    tiers = tuple(
        tuple(weigh(entry, turn.contact, turn.case, refused, turn.look, turn.sent) for entry in tier)
        for tier in bound.tiers
    )
    tier = next((tier for tier in tiers if any(one.eligible or one.need for one in tier)), ())
    needs = tuple(one.need for one in tier if one.need is not None)
    chosen = None
    if tier and not needs:
        rule, at = turn.tried.rule.name, bound.step.at
        last = turn.look.last_targets.get((rule, at))
        chosen = pick(bound.step.pick, tier, case=turn.case.key, rule=rule, at=at, last=last)
    return StepTried(rule=turn.tried.rule.name, step=bound, tiers=tiers, chosen=chosen), needs


def _transfer(turn: Turn, bound: BoundStep, chosen: Weighed, steps: tuple[StepTried, ...]) -> Outcome:
    limit = after_destinations(turn.tried.rule, turn.look, turn.spent)
    if limit is not None:
        return Outcome(decisions=(turn.hold(bound.step, limit),), steps=steps)
    assert chosen.target is not None, "an eligible entry has a target"
    _use_up(turn, chosen.target)
    decision = Transfer(
        target=chosen.target,
        series=_series(turn, bound.step),
        passed_over=tuple(sorted(one.step.number for one in turn.due_to if one.step.at < bound.step.at)),
        **turn.by_rule(bound.step),
    )
    return Outcome(decisions=(decision,), steps=steps)


def _use_up(turn: Turn, target: Target) -> None:
    """Ten contacts never chase one free slot: what is sent now counts before the metrics can show it."""
    turn.spent.add(turn.tried.rule.name)
    if target.queue_id is not None:
        turn.sent.queues[target.queue_id] = turn.sent.queues.get(target.queue_id, 0) + 1
    if target.agent_id is not None:
        turn.sent.agents[target.agent_id] = turn.sent.agents.get(target.agent_id, 0) + 1


def _series(turn: Turn, step: Step) -> int:
    """How often this step was intended for the case and recorded as never sent: another series, another token."""
    before = (action for action in turn.case.actions if action.state is ActionState.NEVER_SENT)
    return sum(1 for action in before if (action.rule, action.at) == (turn.tried.rule.name, step.at))


def _why_none(steps: list[StepTried]) -> Refusal:
    weighed = [one for step in steps for tier in step.tiers for one in tier]
    reasons = {one.refused for one in weighed if one.refused is not None} - {HoldReason.FAILED_BEFORE}
    reason = earliest(reasons or {HoldReason.NO_ELIGIBLE_DESTINATION})
    return reason, "; ".join(dict.fromkeys(one.why for one in weighed))


def _waits_for(turn: Turn, step: Step, needs: tuple[object, ...], steps: tuple[StepTried, ...]) -> Outcome:
    refusal = (HoldReason.UNREADABLE, "what it depends on has not been read yet")
    return Outcome(decisions=(turn.hold(step, refusal),), steps=steps, needs=needs)
