"""What may stand in the way of a move: each guard answers with why it refuses, or ``None``. They are tried in the order
of the reasons, and the first that refuses is the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from router.decide.capacity import share_of
from router.decide.decision import GuardRefusal
from router.decide.evaluation import Evaluation
from router.decide.targets import target_of
from router.decide.waiting_contact import WaitingContact
from router.durations import format_duration
from router.model import HoldReason, Landing, Pause, Target, earliest
from router.rules.clock import closed
from router.rules.condition import Unread
from router.rules.rule import Step
from router.rules.value_test import QUEUES_OWN

# Whether an operator has paused what would be done to a contact.


def pause_of(waiting: WaitingContact, rule: str) -> Pause | None:
    """By its queue, by any id that it is known by, by the rule, or with everything; ``None`` where it is not."""
    paused = waiting.snapshot.paused
    if not paused.all:
        return None
    ids = (waiting.contact.id, waiting.wait.chain_id, waiting.wait.key.wait_id)
    return paused.concerning(rule=rule, queue_id=waiting.queue_id, contact_ids=ids)


Guard = Callable[[Evaluation], GuardRefusal | None]


def first_refusal(guards: Iterable[Guard], evaluation: Evaluation) -> GuardRefusal | None:
    return next((refusal for guard in guards if (refusal := guard(evaluation)) is not None), None)


def operator_pause(evaluation: Evaluation) -> GuardRefusal | None:
    """Nothing is done to a contact that is paused, or by a rule that is, of whatever kind."""
    paused = pause_of(evaluation.waiting, evaluation.rule)
    return GuardRefusal(HoldReason.OPERATOR_PAUSE, str(paused)) if paused is not None else None


def destinations_paused(evaluation: Evaluation) -> GuardRefusal | None:
    """A queue or a flow that is paused holds a contact only where no destination is left without it."""
    steps = evaluation.live or evaluation.due_to[:1]
    found = [
        evaluation.waiting.snapshot.paused.destination(target_of(entry, evaluation.waiting))
        for bound in steps
        for entry in bound.entries
    ]
    if not found or found[0] is None or any(one is None for one in found):
        return None
    return GuardRefusal(HoldReason.OPERATOR_PAUSE, str(found[0]))


def hours(evaluation: Evaluation) -> GuardRefusal | None:
    """No step of a rule with hours of operation acts, of whatever kind, while they are closed, or not known to be open.
    Hours that the instance does not have are a name like any other: ``unresolved``."""
    known, rule = evaluation.tried.hours, evaluation.tried.rule
    if isinstance(known, Unread):
        if rule.hours_id is None and rule.rule.sla.hours != QUEUES_OWN:
            return unresolved(evaluation)
        return GuardRefusal(HoldReason.UNREADABLE, known.why, (known.need,) if known.need is not None else ())
    if closed(evaluation.waiting.snapshot.now, known):
        return GuardRefusal(HoldReason.CLOSED, "its hours of operation are closed")
    return None


def clock(evaluation: Evaluation) -> GuardRefusal | None:
    """Nothing acts by a clock of which it is not known when it started or stood still: it might be too early."""
    unread = evaluation.tried.unread_clock
    if unread is None:
        return None
    return GuardRefusal(HoldReason.UNREADABLE, unread.why, (unread.need,) if unread.need is not None else ())


def unresolved(evaluation: Evaluation) -> GuardRefusal | None:
    missing = evaluation.tried.rule.unresolved
    return GuardRefusal(HoldReason.UNRESOLVED, "; ".join(str(one) for one in missing)) if missing else None


def whereabouts(evaluation: Evaluation) -> GuardRefusal | None:
    """Not even a warning is given, or a priority changed, for a contact that may be elsewhere by now."""
    wait = evaluation.waiting.wait
    if evaluation.waiting.contact.id in evaluation.waiting.snapshot.moves.in_progress or wait.open_intent is not None:
        return GuardRefusal(HoldReason.IN_FLIGHT, "an earlier move of it has no known outcome yet")
    if wait.landing is Landing.PENDING:
        return GuardRefusal(HoldReason.IN_FLIGHT, "it has been moved and is not seen to have landed yet")
    if wait.landing is Landing.STRAY:
        return GuardRefusal(HoldReason.STRAY, "an earlier move of it has not been seen to land")
    return None


def chain_in_flight(evaluation: Evaluation) -> GuardRefusal | None:
    """Contacts of one chain have their moves, and the time between two of them, in common."""
    if evaluation.waiting.wait.chain_id not in evaluation.used.chains:
        return None
    return GuardRefusal(HoldReason.IN_FLIGHT, "another contact of its chain is being moved")


def denied(evaluation: Evaluation) -> GuardRefusal | None:
    if evaluation.waiting.snapshot.blocks.denied:
        return GuardRefusal(HoldReason.DENIED, "transfers were denied by IAM or the credentials refused")
    return None


def flows_stopped(evaluation: Evaluation) -> GuardRefusal | None:
    """A flow that is denied or suspended holds a contact only where no destination is left without it."""
    steps = evaluation.live or evaluation.due_to[:1]
    obstacles = [
        obstacle(evaluation, bound.step, target_of(entry, evaluation.waiting))
        for bound in steps
        for entry in bound.entries
    ]
    if not obstacles or any(one is None for one in obstacles):
        return None
    first = earliest(one.reason for one in obstacles if one is not None)
    found = next(one for one in obstacles if one is not None and one.reason is first)
    return None if first is HoldReason.FAILED_BEFORE else found


def obstacle(evaluation: Evaluation, step: Step, target: Target | None) -> GuardRefusal | None:
    """What keeps a destination from every contact, or from this one, until somebody does something about it."""
    blocks, paused = evaluation.waiting.snapshot.blocks, evaluation.waiting.snapshot.paused.destination(target)
    if paused is not None:
        return GuardRefusal(HoldReason.OPERATOR_PAUSE, str(paused))
    if target is not None and target.flow_id in blocks.denied_flows:
        return GuardRefusal(HoldReason.DENIED, "the transfer with this flow was denied by IAM")
    if target is not None and target.flow_id in blocks.suspended_flows:
        detail = "its flow is suspended: too many contacts it moved have not landed"
        return GuardRefusal(HoldReason.FLOW_SUSPENDED, detail)
    if target in evaluation.refused(step):
        return GuardRefusal(HoldReason.FAILED_BEFORE, "Connect refused it for this contact")
    return None


def instance_full(evaluation: Evaluation) -> GuardRefusal | None:
    if evaluation.waiting.snapshot.blocks.instance_full:
        return GuardRefusal(HoldReason.INSTANCE_FULL, "the instance is at its quota of active contacts")
    return None


def clock_skew(evaluation: Evaluation) -> GuardRefusal | None:
    if evaluation.waiting.snapshot.blocks.clock_skew:
        return GuardRefusal(HoldReason.CLOCK_SKEW, "local time differs from Connect's by more than 5 minutes")
    return None


def failed_before(evaluation: Evaluation) -> GuardRefusal | None:
    if evaluation.live:
        return None
    return GuardRefusal(HoldReason.FAILED_BEFORE, "Connect refused every destination of the step for this contact")


def transfer_budget(evaluation: Evaluation) -> GuardRefusal | None:
    """Whether the chain has transfers to spare."""
    waiting, known = evaluation.waiting, evaluation.waiting.transfers_behind
    if isinstance(known, Unread):
        return GuardRefusal(HoldReason.UNREADABLE, known.why, (known.need,) if known.need is not None else ())
    if known < waiting.transfers_allowed:
        return None
    return GuardRefusal(HoldReason.TRANSFER_BUDGET, f"{known} transfers of {waiting.transfers_allowed} are used")


def max_transfers(evaluation: Evaluation) -> GuardRefusal | None:
    service, rule = evaluation.waiting.snapshot.limits.max_transfers, evaluation.tried.rule.rule.guard.max_transfers
    allowed = service if rule is None else min(service, rule)
    made = len(evaluation.waiting.wait.chain_moves(observed=evaluation.observed))
    if made < allowed:
        return None
    return GuardRefusal(HoldReason.MAX_TRANSFERS, f"the router has moved this chain {made} times of {allowed}")


def cooldown(evaluation: Evaluation) -> GuardRefusal | None:
    rule = evaluation.tried.rule.rule.guard.cooldown
    pause = evaluation.waiting.snapshot.limits.cooldown if rule is None else rule
    moves = evaluation.waiting.wait.chain_moves(observed=evaluation.observed)
    last = max((move.settled_at or move.decided_at for move in moves), default=None)
    if last is None or evaluation.waiting.snapshot.now - last >= pause:
        return None
    ago = format_duration(evaluation.waiting.snapshot.now - last)
    detail = f"the router moved this chain {ago} ago (cooldown {format_duration(pause)})"
    return GuardRefusal(HoldReason.COOLDOWN, detail)


def whence(evaluation: Evaluation) -> GuardRefusal | None:
    """Before a move might lead back to a queue that the wait has been in, it must be known which those are."""
    visited = evaluation.waiting.visited
    entries = (entry for bound in evaluation.live for entry in bound.entries)
    if not isinstance(visited, Unread) or all(entry.entry.revisit or entry.entry.queue is None for entry in entries):
        return None
    return GuardRefusal(HoldReason.UNREADABLE, visited.why, (visited.need,) if visited.need is not None else ())


def percent_of_queue(evaluation: Evaluation) -> GuardRefusal | None:
    """Of the queue that the contact is in: a rule may take its share of each queue."""
    percent, queue_id = evaluation.tried.rule.rule.guard.percent_of_queue, evaluation.waiting.queue_id
    if percent is None:
        return None
    whole, made = evaluation.used.given[queue_id], evaluation.used.left[evaluation.rule, queue_id]
    if made < share_of(percent, whole):
        return None
    why = f"{made} moves of this rule out of the queue in the last hour ({percent} % of {whole})"
    return GuardRefusal(HoldReason.PERCENT_OF_QUEUE, why)


def per_cycle(evaluation: Evaluation) -> GuardRefusal | None:
    allowed, own = evaluation.waiting.snapshot.limits.per_cycle, evaluation.tried.rule.rule.guard.per_cycle
    if evaluation.used.cycle.total() >= allowed:
        return GuardRefusal(HoldReason.PER_CYCLE, f"{allowed} moves in this cycle")
    if own is not None and evaluation.used.cycle[evaluation.rule] >= own:
        return GuardRefusal(HoldReason.PER_CYCLE, f"{own} moves of this rule in this cycle")
    return None


def per_hour(evaluation: Evaluation) -> GuardRefusal | None:
    allowed, own = evaluation.waiting.snapshot.limits.per_hour, evaluation.tried.rule.rule.guard.per_hour
    if evaluation.used.hour.total() >= allowed:
        return GuardRefusal(HoldReason.PER_HOUR, f"{allowed} moves in the last hour")
    if own is not None and evaluation.used.hour[evaluation.rule] >= own:
        return GuardRefusal(HoldReason.PER_HOUR, f"{own} moves of this rule in the last hour")
    return None


CLOCK: tuple[Guard, ...] = (operator_pause, hours, clock)
"""Whatever the step does."""

BEFORE_DESTINATIONS: tuple[Guard, ...] = (
    destinations_paused,
    unresolved,
    chain_in_flight,
    whereabouts,
    denied,
    flows_stopped,
    instance_full,
    clock_skew,
    failed_before,
    transfer_budget,
    max_transfers,
    cooldown,
    whence,
)
"""Wherever the contact would go."""

AFTER_DESTINATIONS: tuple[Guard, ...] = (percent_of_queue, per_cycle, per_hour)
"""Once it is known that it could be moved."""
