"""Converts an action to a row and back, exactly: instants and durations are whole microseconds."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from router.model import (
    Action,
    ActionKind,
    ActionState,
    AgentId,
    Channel,
    ContactId,
    FirstAct,
    FlowId,
    Landing,
    QueueId,
    RoutingData,
    Target,
    WaitKey,
)

Value = str | int | None
T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

CODE = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
UNSPECIFIED = "unspecified"

OUTCOME = ("state", "settled_at", "attempts", "request_id", "error", "new_contact_id", "landing", "landed_at",
           "landed_queue_id", "landed_enqueued_at", "before_priority", "before_age")  # fmt: skip
"""The columns that settling an intent writes; all others are fixed by the intent."""

LANDING = ("new_contact_id", "landing", "landed_at", "landed_queue_id", "landed_enqueued_at")
"""The columns that a landing writes."""

RENEWAL = ("send_by", "attempts", "routing_priority", "routing_age")
"""The columns that renewing an intent writes: the values of the next call, and the end of its permission."""


def micros(instant: datetime) -> int:
    """Raises TypeError for an instant without a time zone."""
    return (instant - EPOCH) // MICROSECOND


def instant_of(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def error_code(error: str | None) -> str | None:
    """Returns the error if it is a code, ``"unspecified"`` if it is free text: that may quote what a customer wrote."""
    if error is None or CODE.fullmatch(error):
        return error
    return UNSPECIFIED


def row_of(action: Action, instance_id: str) -> dict[str, Value]:
    """Returns every column except the id, which the ledger gives."""
    return {
        "instance": instance_id,
        "kind": action.kind.value,
        "observed": int(action.observed),
        "wait_id": action.wait.wait_id,
        "began_at": micros(action.wait.began_at),
        "chain_id": action.chain_id,
        "contact_id": action.contact_id,
        "queue_id": action.queue_id,
        "enqueued_at": micros(action.enqueued_at),
        "rule": action.rule,
        "step": action.step,
        "at": action.at // MICROSECOND,
        "revision": action.revision,
        "fingerprint": action.fingerprint,
        "cycle": action.cycle,
        "decided_at": micros(action.decided_at),
        "token": action.token,
        "series": action.series,
        "parent": action.parent,
        "channel": action.channel.value if action.channel else None,
        **_first_row(action.first),
        **_target_row(action.target),
        **renewal_row(action),
        **outcome_row(action),
    }


def outcome_row(action: Action) -> dict[str, Value]:
    return {
        "state": action.state.value,
        "settled_at": _maybe(micros, action.settled_at),
        "attempts": action.attempts,
        "request_id": action.request_id,
        "error": error_code(action.error),
        "new_contact_id": action.new_contact_id,
        "landing": action.landing.value if action.landing else None,
        "landed_at": _maybe(micros, action.landed_at),
        "landed_queue_id": action.landed_queue_id,
        "landed_enqueued_at": _maybe(micros, action.landed_enqueued_at),
        **_routing_row("before", action.before),
    }


def renewal_row(action: Action) -> dict[str, Value]:
    return {
        "send_by": _maybe(micros, action.send_by),
        "attempts": action.attempts,
        **_routing_row("routing", action.routing),
    }


def action_of(row: sqlite3.Row) -> Action:
    """Returns the action of a row. Raises ValueError for a row with an unknown value, from another version."""
    return Action(
        id=row["id"],
        kind=ActionKind(row["kind"]),
        wait=WaitKey(ContactId(row["wait_id"]), instant_of(row["began_at"])),
        chain_id=ContactId(row["chain_id"]),
        contact_id=ContactId(row["contact_id"]),
        queue_id=QueueId(row["queue_id"]),
        enqueued_at=instant_of(row["enqueued_at"]),
        rule=row["rule"],
        step=row["step"],
        at=timedelta(microseconds=row["at"]),
        first=_first_of(row),
        revision=row["revision"],
        fingerprint=row["fingerprint"],
        cycle=row["cycle"],
        decided_at=instant_of(row["decided_at"]),
        state=ActionState(row["state"]),
        settled_at=_maybe(instant_of, row["settled_at"]),
        observed=bool(row["observed"]),
        target=_target_of(row),
        token=row["token"],
        series=row["series"],
        send_by=_maybe(instant_of, row["send_by"]),
        attempts=row["attempts"],
        request_id=row["request_id"],
        error=row["error"],
        new_contact_id=_maybe(ContactId, row["new_contact_id"]),
        landing=_maybe(Landing, row["landing"]),
        landed_at=_maybe(instant_of, row["landed_at"]),
        landed_queue_id=_maybe(QueueId, row["landed_queue_id"]),
        landed_enqueued_at=_maybe(instant_of, row["landed_enqueued_at"]),
        routing=_routing_of(row, "routing"),
        before=_routing_of(row, "before"),
        parent=row["parent"],
        channel=_maybe(Channel, row["channel"]),
    )


def _routing_row(of: str, routing: RoutingData | None) -> dict[str, Value]:
    age = routing.age if routing else None
    return {
        f"{of}_priority": routing.priority if routing else None,
        f"{of}_age": None if age is None else age // MICROSECOND,
    }


def _routing_of(row: sqlite3.Row, of: str) -> RoutingData | None:
    """Returns the routing data of two columns; ``None`` if both are empty."""
    priority, age = row[f"{of}_priority"], row[f"{of}_age"]
    if priority is None and age is None:
        return None
    return RoutingData(priority=priority, age=None if age is None else timedelta(microseconds=age))


def _first_row(first: FirstAct) -> dict[str, Value]:
    return {
        "first_clock_started_at": micros(first.clock_started_at),
        "first_queue_id": first.queue_id,
        "first_waited": first.waited // MICROSECOND,
        "first_initiation_method": first.initiation_method,
        "first_priority": first.priority,
        "first_transfers": first.transfers,
    }


def _first_of(row: sqlite3.Row) -> FirstAct:
    return FirstAct(
        clock_started_at=instant_of(row["first_clock_started_at"]),
        queue_id=QueueId(row["first_queue_id"]),
        waited=timedelta(microseconds=row["first_waited"]),
        initiation_method=row["first_initiation_method"],
        priority=row["first_priority"],
        transfers=row["first_transfers"],
    )


def _target_row(target: Target | None) -> dict[str, Value]:
    return {
        "flow_id": target.flow_id if target else None,
        "to_queue_id": target.queue_id if target else None,
        "to_agent_id": target.agent_id if target else None,
    }


def _target_of(row: sqlite3.Row) -> Target | None:
    if row["flow_id"] is None:
        return None
    return Target(
        flow_id=FlowId(row["flow_id"]),
        queue_id=_maybe(QueueId, row["to_queue_id"]),
        agent_id=_maybe(AgentId, row["to_agent_id"]),
    )


S = TypeVar("S")


def _maybe(make: Callable[[S], T], value: S | None) -> T | None:
    return None if value is None else make(value)
