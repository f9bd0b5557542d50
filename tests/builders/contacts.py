"""Builds waiting contacts, and the router's actions on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from router.model import (
    Action,
    ActionKind,
    ActionState,
    Channel,
    Contact,
    ContactId,
    FirstAct,
    Landing,
    QueueId,
    WaitKey,
)
from tests.builders.instance import BILLING, OVERFLOW, to

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def contact(
    contact_id: str = "c1", *, queue: QueueId = BILLING, waited: float = 0, now: datetime = NOW, **others: Any
) -> Contact:
    """Builds a task that has waited so many minutes."""
    given = {"channel": Channel.TASK, "enqueued_at": now - minutes(waited), "initiated_at": now - minutes(waited)}
    return Contact(id=ContactId(contact_id), queue_id=queue, **{**given, **others})


def act(of: Contact, rule: str = "overflow", *, at: float = 10, kind: str = "transfer", **others: Any) -> Action:
    """Builds the action of a step that acted on the contact; ``at`` is in minutes."""
    assert of.queue_id is not None
    assert of.enqueued_at is not None
    action = Action(
        kind=ActionKind(kind),
        wait=WaitKey(of.id, of.enqueued_at),
        chain_id=of.chain_id,
        contact_id=of.id,
        queue_id=of.queue_id,
        enqueued_at=of.enqueued_at,
        rule=rule,
        step=1,
        at=minutes(at),
        first=FirstAct(clock_started_at=of.enqueued_at, queue_id=of.queue_id, waited=minutes(at)),
        revision="r",
        fingerprint="f",
        cycle=1,
        decided_at=of.enqueued_at + minutes(at),
        state=ActionState.ACTED,
    )
    return replace(action, **others)


def move(
    of: Contact, result: Contact, rule: str = "overflow", *, landing: Landing = Landing.QUEUED, **others: Any
) -> Action:
    """Builds the transfer that led from one contact to the other, landed there by default."""
    landed = {"landed_at": result.enqueued_at, "landed_queue_id": result.queue_id}
    where = {**landed, "landed_enqueued_at": result.enqueued_at} if landing is not Landing.PENDING else {}
    given = {
        "target": to(result.queue_id or OVERFLOW),
        "new_contact_id": result.id,
        "settled_at": result.enqueued_at,
        "landing": landing,
    }
    return act(of, rule, **{**given, **where, **others})


def after(
    of: Contact, contact_id: str = "c2", *, queue: QueueId = OVERFLOW, waited: float = 0, **others: Any
) -> Contact:
    """Builds the contact that a transfer creates, with the ids of the one before it."""
    return contact(
        contact_id, queue=queue, waited=waited, **{"previous_id": of.id, "initial_id": of.chain_id, **others}
    )
