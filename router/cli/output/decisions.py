"""Shows a decision as ``plan`` does, with names instead of ids if a name exists."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from router.cli.output.fitting_table import Column
from router.cli.output.tables import bar, percent, pressure, seconds, text
from router.decide.decide import Account
from router.decide.decision import Decision, Hold, RoutingUpdate, Transfer, Warn
from router.durations import iso, lateness, span
from router.model import Directory

COLUMNS = (
    Column("contact", ids=True),
    Column("channel", least=None, drop=9),
    Column("queue", least=10, drop=1),
    Column("waited", right=True, least=None, drop=8),
    Column("promise", right=True, least=None, drop=4),
    Column("used", right=True, least=None, drop=6),
    Column("", least=None, drop=3, on_screen=True),
    Column("late", least=None, drop=2),
    Column("rule", drop=5),
    Column("step", right=True, least=None, drop=7),
    Column("decision", least=None),
    Column("", least=24),
)


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


def as_row(decision: Decision, account: Account, directory: Directory, now: datetime) -> tuple[object, ...]:
    contact = decision.contact
    promise = account.promise(decision.rule)
    used = promise.used if promise is not None else None
    return (
        contact.id,
        contact.channel.value,
        directory.queue_name(contact.queue_id),
        span(contact.waited(now)),
        span(promise.target) if promise is not None else "",
        percent(used),
        bar(used),
        text(lateness(decision.late), pressure(used)),
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
        case Warn(text=words):
            return words
        case RoutingUpdate(routing=routing):
            return f"priority {routing.priority}" if routing.age is None else f"routing age {span(routing.age)}"
