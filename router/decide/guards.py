"""Defines the guards of a move: each returns why it refuses, or ``None``.

They are tried in the order of the hold reasons, and the first refusal is the reason of the hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from router.decide.capacity import share_of
from router.decide.decision import GuardRefusal
from router.decide.evaluation import Evaluation
from router.decide.targets import not_in_instance, target_of
from router.decide.waiting_contact import WaitingContact
from router.durations import format_duration
from router.model import HoldReason, Landing, Pause, Target, earliest
from router.rules.clock import closed
from router.rules.condition import Unread
from router.rules.rule import Step
from router.rules.value_test import QUEUES_OWN


def pause_of(waiting: WaitingContact, rule: str) -> Pause | None:
    """Returns the operator's pause that concerns the contact or the rule; ``None`` if there is none.

    A pause concerns a contact by its queue, by any of its ids, or because everything is paused.
    """
    paused = waiting.snapshot.paused
    if not paused.all:
        return None
    ids = (*waiting.contact.ids, waiting.wait.chain_id, waiting.wait.key.wait_id)
    return paused.concerning(rule=rule, queue_id=waiting.queue_id, contact_ids=ids)


Guard = Callable[[Evaluation], GuardRefusal | None]


def first_refusal(guards: Iterable[Guard], evaluation: Evaluation) -> GuardRefusal | None:
    for guard in guards:
        if (refusal := guard(evaluation)) is not None:
            return refusal
    return None


def _unreadable(unread: Unread) -> GuardRefusal:
    return GuardRefusal(HoldReason.UNREADABLE, unread.why, (unread.need,) if unread.need is not None else ())


def operator_pause(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses every kind of act for a contact, or by a rule, that an operator has paused."""
    paused = pause_of(evaluation.waiting, evaluation.rule)
    return GuardRefusal(HoldReason.OPERATOR_PAUSE, str(paused)) if paused is not None else None


def destinations_paused(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses a move if an operator has paused the queue or the flow of every destination."""
    if not evaluation.snapshot.paused.all:
        return None
    steps = evaluation.moves_to_try or evaluation.due_moves[:1]
    found = [
        evaluation.snapshot.paused.destination(target_of(entry, evaluation.waiting))
        for bound in steps
        for entry in bound.entries
    ]
    if not found or found[0] is None or any(one is None for one in found):
        return None
    return GuardRefusal(HoldReason.OPERATOR_PAUSE, str(found[0]))


def hours(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses every kind of act while the rule's hours of operation are closed, or not known to be open.

    Hours that the instance does not have are refused as ``unresolved``, like any other name.
    """
    known, rule = evaluation.tried.hours, evaluation.tried.rule
    if isinstance(known, Unread):
        if rule.hours_id is None and rule.rule.sla.hours != QUEUES_OWN:
            return unresolved(evaluation)
        return _unreadable(known)
    if closed(evaluation.snapshot.now, known):
        return GuardRefusal(HoldReason.CLOSED, "its hours of operation are closed")
    return None


def clock(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses every kind of act if it is not known when the clock started or paused: it might be too early."""
    unread = evaluation.tried.unread_clock
    if unread is None:
        return None
    return _unreadable(unread)


def unresolved(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses a move if the instance lacks every destination of the due steps, or a name that cannot be left out."""
    missing = [str(one) for one in evaluation.tried.rule.unresolved if not one.skipped]
    steps = evaluation.moves_to_try or evaluation.due_moves[:1]
    gone = [(entry, not_in_instance(entry, evaluation.waiting)) for bound in steps for entry in bound.entries]
    if not missing and gone and all(why is not None for _, why in gone):
        unbound = [str(one) for one in evaluation.tried.rule.unresolved]
        missing = unbound or [f'"{entry.name}": {why}' for entry, why in gone]
    return GuardRefusal(HoldReason.UNRESOLVED, "; ".join(missing)) if missing else None


def whereabouts(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses warnings and routing updates, too, for a contact that may have left its queue already."""
    wait = evaluation.waiting.wait
    if evaluation.contact.id in evaluation.snapshot.moves.in_progress or wait.open_move is not None:
        return GuardRefusal(HoldReason.IN_FLIGHT, "an earlier move of it has no known outcome yet")
    if wait.landing is Landing.PENDING:
        return GuardRefusal(HoldReason.IN_FLIGHT, "it has been moved and is not seen to have landed yet")
    if wait.landing is Landing.STRAY:
        return GuardRefusal(HoldReason.STRAY, "an earlier move of it has not been seen to land")
    return None


def chain_in_flight(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses a second move of one chain in one decision, because its contacts share their moves and the cooldown."""
    if evaluation.waiting.wait.chain_id not in evaluation.capacity.moved_chains:
        return None
    return GuardRefusal(HoldReason.IN_FLIGHT, "another contact of its chain is being moved")


def denied(evaluation: Evaluation) -> GuardRefusal | None:
    if evaluation.snapshot.blocks.denied:
        return GuardRefusal(HoldReason.DENIED, "transfers were denied by IAM or the credentials refused")
    return None


def flows_stopped(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses a move if no destination is left without a denied or suspended flow."""
    blocks = evaluation.snapshot.blocks
    if not (blocks.denied_flows or blocks.suspended_flows or evaluation.snapshot.paused.all):
        return None
    steps = evaluation.moves_to_try or evaluation.due_moves[:1]
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
    """Returns what closes a destination to every contact, or to this one, until somebody removes it."""
    blocks, paused = evaluation.snapshot.blocks, evaluation.snapshot.paused.destination(target)
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
    if evaluation.snapshot.blocks.instance_full:
        return GuardRefusal(HoldReason.INSTANCE_FULL, "the instance is at its quota of active contacts")
    return None


def clock_skew(evaluation: Evaluation) -> GuardRefusal | None:
    if evaluation.snapshot.blocks.clock_skew:
        return GuardRefusal(HoldReason.CLOCK_SKEW, "local time differs from Connect's by more than 5 minutes")
    return None


def failed_before(evaluation: Evaluation) -> GuardRefusal | None:
    if evaluation.moves_to_try:
        return None
    return GuardRefusal(HoldReason.FAILED_BEFORE, "Connect refused every destination of the step for this contact")


def transfer_budget(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses a move if the chain has no transfer to spare."""
    waiting, known = evaluation.waiting, evaluation.waiting.transfers_behind
    if isinstance(known, Unread):
        return _unreadable(known)
    if known < waiting.transfers_allowed:
        return None
    return GuardRefusal(HoldReason.TRANSFER_BUDGET, f"transfers that are used: {known} of {waiting.transfers_allowed}")


def max_transfers(evaluation: Evaluation) -> GuardRefusal | None:
    service, rule = evaluation.snapshot.limits.max_transfers, evaluation.tried.rule.rule.guard.max_transfers
    allowed = service if rule is None else min(service, rule)
    made = len(evaluation.waiting.wait.chain_moves(observed=evaluation.observed))
    if made < allowed:
        return None
    return GuardRefusal(HoldReason.MAX_TRANSFERS, f"moves of this chain by the router: {made} of {allowed}")


def cooldown(evaluation: Evaluation) -> GuardRefusal | None:
    rule = evaluation.tried.rule.rule.guard.cooldown
    pause = evaluation.snapshot.limits.cooldown if rule is None else rule
    moves = evaluation.waiting.wait.chain_moves(observed=evaluation.observed)
    last = max((move.settled_at or move.decided_at for move in moves), default=None)
    if last is None or evaluation.snapshot.now - last >= pause:
        return None
    ago = format_duration(evaluation.snapshot.now - last)
    detail = f"the router moved this chain {ago} ago (cooldown {format_duration(pause)})"
    return GuardRefusal(HoldReason.COOLDOWN, detail)


def visited_queues_unread(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses a move that may lead back to an earlier queue, until it is known which queues the wait has been in."""
    visited = evaluation.waiting.visited
    entries = (entry for bound in evaluation.moves_to_try for entry in bound.entries)
    if not isinstance(visited, Unread) or all(entry.entry.revisit or entry.entry.queue is None for entry in entries):
        return None
    return _unreadable(visited)


def percent_of_queue(evaluation: Evaluation) -> GuardRefusal | None:
    """Refuses a move above the rule's share of the queue that the contact is in; each queue has its own share."""
    percent, queue_id = evaluation.tried.rule.rule.guard.percent_of_queue, evaluation.waiting.queue_id
    if percent is None:
        return None
    whole, made = evaluation.capacity.queue_totals[queue_id], evaluation.capacity.moved_out[evaluation.rule, queue_id]
    if made < share_of(percent, whole):
        return None
    why = f"moves of this rule out of the queue in the last hour: {made} ({percent} % of {whole})"
    return GuardRefusal(HoldReason.PERCENT_OF_QUEUE, why)


def per_cycle(evaluation: Evaluation) -> GuardRefusal | None:
    allowed, own = evaluation.snapshot.limits.per_cycle, evaluation.tried.rule.rule.guard.per_cycle
    if evaluation.capacity.moves_in_cycle.total() >= allowed:
        return GuardRefusal(HoldReason.PER_CYCLE, f"moves in this cycle: {allowed}")
    if own is not None and evaluation.capacity.moves_in_cycle[evaluation.rule] >= own:
        return GuardRefusal(HoldReason.PER_CYCLE, f"moves of this rule in this cycle: {own}")
    return None


def per_hour(evaluation: Evaluation) -> GuardRefusal | None:
    allowed, own = evaluation.snapshot.limits.per_hour, evaluation.tried.rule.rule.guard.per_hour
    if evaluation.capacity.moves_in_hour.total() >= allowed:
        return GuardRefusal(HoldReason.PER_HOUR, f"moves in the last hour: {allowed}")
    if own is not None and evaluation.capacity.moves_in_hour[evaluation.rule] >= own:
        return GuardRefusal(HoldReason.PER_HOUR, f"moves of this rule in the last hour: {own}")
    return None


CLOCK: tuple[Guard, ...] = (operator_pause, hours, clock)
"""The guards of every kind of act."""

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
    visited_queues_unread,
)
"""The guards of a move that do not depend on its destination."""

AFTER_DESTINATIONS: tuple[Guard, ...] = (percent_of_queue, per_cycle, per_hour)
"""The guards of a move that has an eligible destination."""
