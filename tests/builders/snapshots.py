"""Takes snapshots of the small instance, and puts what is decided on them into few words."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from router.decide.decide import Decided, decide
from router.decide.decision import Decision, Hold, Transfer, Warn
from router.decide.snapshot import LiveMetrics, ReadValues, RecordedMoves, Snapshot
from router.model import Action, AgentId, AgentState, Channel, Contact, Details, QueueId, QueueMetrics
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode
from tests.builders.contacts import NOW
from tests.builders.instance import DIRECTORY, NAMES, metrics

MOVES = {field.name for field in fields(RecordedMoves)}
READ = {field.name for field in fields(ReadValues)}


def snapshot(*contacts: Contact, history: tuple[Action, ...] = (), **others: Any) -> Snapshot:
    """Takes a snapshot of contacts that have the same ``history`` and were never paused.

    Metrics and agents have been read, and none has a free slot. ``others`` are fields of the snapshot or of its parts.
    """
    given: dict[str, Any] = {
        "now": NOW,
        "mode": Mode.ENFORCE,
        "contacts": contacts,
        "directory": DIRECTORY,
        "cycle": 7,
        "histories": {one.id: history for one in contacts},
        "transfers": {one.id: len([act for act in history if act.moved]) for one in contacts},
        "pauses": {one.id: Details() for one in contacts},
        "pasts": {one.id: () for one in contacts},
        "metrics": live(),
        "routing_profiles": (),
    }
    given |= others
    moves, read = ({name: given.pop(name) for name in part & given.keys()} for part in (MOVES, READ))
    return Snapshot(moves=RecordedMoves(**moves), read=ReadValues(**read), **given)


def changed(before: Snapshot, **others: Any) -> Snapshot:
    """Returns the snapshot with other values in its own fields or in those of its parts."""
    moves, read = ({name: others.pop(name) for name in part & others.keys()} for part in (MOVES, READ))
    return replace(before, moves=replace(before.moves, **moves), read=replace(before.read, **read), **others)


def live(
    queues: dict[QueueId, QueueMetrics] | None = None, agents: dict[AgentId, AgentState] | None = None
) -> LiveMetrics:
    """Returns the metrics of every queue for tasks; those not given are zero."""
    rows = {(queue_id, Channel.TASK): metrics() for queue_id in NAMES}
    rows |= {(queue_id, Channel.TASK): row for queue_id, row in (queues or {}).items()}
    known = agents or {}
    return LiveMetrics(
        rows=rows,
        queues_read=frozenset(NAMES),
        agents=known,
        agents_read=frozenset(one.id for one in DIRECTORY.agents),
    )


def in_words(decision: Decision) -> str:
    """Describes a decision in a few words: ``overflow 1: to Overflow``, ``overflow 1: cooldown``, ``overflow 2:
    warns``."""
    step = "" if decision.step is None else f" {decision.step}"
    match decision:
        case Transfer(target=target):
            where = f"to {NAMES[target.queue_id]}" if target.queue_id else f"to agent {target.agent_id}"
        case Hold(reason=reason):
            where = reason.value
        case Warn():
            where = "warns"
        case _:
            where = "bumps"
    observed = " (observed)" if decision.mode is Mode.OBSERVE else ""
    return f"{decision.rule}{step}: {where}{observed}"


def outcome(seen: Snapshot, rules: BoundRuleSet) -> list[str]:
    """Returns the decisions in the order of work, in words."""
    return [in_words(decision) for decision in decide(seen, rules).decisions]


def by_contact(seen: Snapshot, rules: BoundRuleSet) -> dict[str, list[str]]:
    return {key: [in_words(one) for one in account.decisions] for key, account in decide(seen, rules).accounts.items()}


def the_hold(decided: Decided) -> Hold:
    """Returns the hold, and fails if there is not exactly one."""
    (hold,) = (one for one in decided.decisions if isinstance(one, Hold))
    return hold


def the_transfer(decided: Decided) -> Transfer:
    """Returns the transfer, and fails if there is not exactly one."""
    (transfer,) = (one for one in decided.decisions if isinstance(one, Transfer))
    return transfer
