"""Shows a record of the ledger, for people and for programs."""

from __future__ import annotations

from typing import Any

from router.cli.output.fitting_table import Column
from router.cli.output.tables import instant, seconds
from router.durations import iso, span
from router.model import Action, ActionState, Directory, Landing, RoutingData

COLUMNS = (
    Column("decided at", least=None, drop=3),
    Column("cycle", right=True, least=None, drop=4),
    Column("revision", least=None, drop=6),
    Column("contact", ids=True),
    Column("rule", drop=2),
    Column("step", right=True, least=None, drop=5),
    Column("did", least=16),
    Column("outcome", least=16, drop=1),
)


def as_json(action: Action, directory: Directory) -> dict[str, Any]:
    """Returns the record with the directory's names, or with ids that it does not have."""
    target = action.target
    return {
        "id": action.id,
        "decided_at": iso(action.decided_at),
        "settled_at": iso(action.settled_at),
        "kind": action.kind.value,
        "outcome": action.state.value,
        "rule": action.rule,
        "step": action.step,
        "at_s": seconds(action.at),
        "contact_id": action.contact_id,
        "chain_id": action.chain_id,
        "wait_id": action.wait.wait_id,
        "new_contact_id": action.new_contact_id,
        "from_queue": directory.queue_name(action.queue_id),
        "to_queue": directory.queue_name(target.queue_id) if target else None,
        "to_agent": directory.agent_name(target.agent_id) if target else None,
        "flow": directory.flow_name(target.flow_id) if target else None,
        "routing": _routing_json(action.routing),
        "routing_before": _routing_json(action.before),
        "parent": action.parent,
        "landing": action.landing.value if action.landing else None,
        "landed_at": iso(action.landed_at),
        "landed_queue": directory.queue_name(action.landed_queue_id),
        "attempts": action.attempts,
        "error": action.error,
        "request_id": action.request_id,
        "cycle": action.cycle,
        "revision": action.revision,
    }


def as_row(action: Action, directory: Directory) -> tuple[object, ...]:
    return (
        instant(action.decided_at),
        action.cycle,
        action.revision,
        action.contact_id,
        action.rule,
        action.step,
        did(action, directory),
        outcome(action, directory),
    )


def did(action: Action, directory: Directory) -> str:
    source, target = directory.queue_name(action.queue_id), action.target
    if target is None:
        where = directory.queue_name(action.landed_queue_id) if action.parent is not None else source
        return f"{action.kind.value} in {where}{_set(action)}"
    agent = directory.agent_name(target.agent_id)
    return f"{source} -> {directory.queue_name(target.queue_id) or f'agent {agent}'}"


def _set(action: Action) -> str:
    """Returns what an update set. One that would not improve the contact's place was not sent."""
    if not action.kind.is_routing:
        return ""
    if action.routing is None:
        return ": as good already" if action.state is ActionState.ACTED else ""
    if action.routing.age is not None:
        return f": age {span(action.routing.age)}"
    return f": priority {action.routing.priority}"


def _routing_json(routing: RoutingData | None) -> dict[str, Any] | None:
    return None if routing is None else {"priority": routing.priority, "age_s": seconds(routing.age)}


def outcome(action: Action, directory: Directory) -> str:
    """Returns the outcome of the action, as far as it is known."""
    if action.state is not ActionState.ACTED:
        words = {ActionState.INTENDED: "outcome not known yet", ActionState.REFUSED: "refused"}
        state = words.get(action.state, "never sent")
        return f"{state} ({action.error})" if action.error else state
    if action.landing is None:
        return "done"
    if action.landing is Landing.DIVERTED:
        return f"landed in {directory.queue_name(action.landed_queue_id)} instead"
    after = action.landed_at - action.settled_at if action.landed_at and action.settled_at else None
    return f"{action.landing.value} after {span(after)}" if after is not None else action.landing.value
