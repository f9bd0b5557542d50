"""Shows a decision as ``plan`` does, with names instead of ids if a name exists."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from router.cli.output.tables import iso, lateness, seconds, span
from router.decide.decision import Decision, Hold, RoutingUpdate, Transfer, Warn
from router.model import Directory

HEADINGS = ("contact", "channel", "queue", "waited", "", "rule", "step", "decision", "")


def kind(decision: Decision) -> str:
    match decision:
        case Transfer():
            return "transfer"
        case RoutingUpdate():
            return "routing"
        case Warn():
            return "warn"
        case Hold():
            return "hold"


def as_json(decision: Decision, directory: Directory, now: datetime) -> dict[str, Any]:
    contact = decision.contact
    target = decision.target if isinstance(decision, Transfer) else None
    return {
        "contact_id": contact.id,
        "chain_id": decision.chain_id,
        "wait_id": decision.wait.wait_id,
        "channel": contact.channel.value,
        "queue": directory.queue_name(contact.queue_id),
        "waited_s": seconds(contact.waited(now)),
        "rule": decision.rule,
        "step": decision.step,
        "mode": decision.mode.value,
        "decision": kind(decision),
        "reason": decision.reason.value if isinstance(decision, Hold) else None,
        "to_queue": directory.queue_name(target.queue_id) if target else None,
        "to_agent": directory.agent_name(target.agent_id) if target else None,
        "flow": directory.flow_name(target.flow_id) if target else None,
        "due_at": iso(decision.due_at),
    }


def as_row(decision: Decision, directory: Directory, now: datetime) -> tuple[object, ...]:
    contact = decision.contact
    return (
        contact.id,
        contact.channel.value,
        directory.queue_name(contact.queue_id),
        span(contact.waited(now)),
        lateness(decision.late),
        decision.rule,
        decision.step,
        kind(decision) if decision.mode.value == "enforce" else f"{kind(decision)} ({decision.mode})",
        outcome(decision, directory),
    )


def outcome(decision: Decision, directory: Directory) -> str:
    """Returns the destination, another act, or the reason of a hold."""
    match decision:
        case Transfer(target=target) if target.queue_id is not None:
            return f"-> {directory.queue_name(target.queue_id)}, by flow {directory.flow_name(target.flow_id)}"
        case Transfer(target=target):
            return f"-> agent {directory.agent_name(target.agent_id)}, by flow {directory.flow_name(target.flow_id)}"
        case Hold(reason=reason, detail=detail):
            return f"{reason}: {detail}" if detail else reason.value
        case Warn(text=text):
            return text
        case RoutingUpdate(routing=routing):
            return f"priority {routing.priority}" if routing.age is None else f"routing age {span(routing.age)}"
