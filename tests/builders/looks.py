"""Looks at the small instance, and what comes of them."""

from __future__ import annotations

from typing import Any

from router.decide.decide import Decided, decide
from router.decide.decision import Decision, Hold, Transfer, Warn
from router.decide.snapshot import LiveMetrics, Snapshot
from router.model import Action, AgentId, AgentState, Channel, Contact, Details, QueueId, QueueMetrics
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode
from tests.builders.contacts import NOW
from tests.builders.instance import DIRECTORY, NAMES, metrics


def look(*contacts: Contact, history: tuple[Action, ...] = (), **others: Any) -> Snapshot:
    """``history`` is that of every contact; metrics and agents have been asked for, and none has a free slot. Nothing
    was ever paused."""
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
    }
    return Snapshot(**{**given, **others})


def live(
    queues: dict[QueueId, QueueMetrics] | None = None, agents: dict[AgentId, AgentState] | None = None
) -> LiveMetrics:
    """Tasks' metrics of every queue; those not given are at zero."""
    rows = {(queue_id, Channel.TASK): metrics() for queue_id in NAMES}
    rows |= {(queue_id, Channel.TASK): row for queue_id, row in (queues or {}).items()}
    known = agents or {}
    return LiveMetrics(
        rows=rows,
        asked=frozenset(NAMES),
        agents=known,
        agents_asked=frozenset(one.id for one in DIRECTORY.agents),
    )


def told(decision: Decision) -> str:
    """A decision in a few words: ``overflow 1: to Overflow``, ``overflow 1: cooldown``, ``overflow 2: warns``."""
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
    """What is decided, in the order of work."""
    return [told(decision) for decision in decide(seen, rules).decisions]


def by_contact(seen: Snapshot, rules: BoundRuleSet) -> dict[str, list[str]]:
    return {key: [told(one) for one in account.decisions] for key, account in decide(seen, rules).accounts.items()}


def the_hold(decided: Decided) -> Hold:
    """The one hold there is."""
    (hold,) = (one for one in decided.decisions if isinstance(one, Hold))
    return hold


def the_transfer(decided: Decided) -> Transfer:
    """The one transfer there is."""
    (transfer,) = (one for one in decided.decisions if isinstance(one, Transfer))
    return transfer
