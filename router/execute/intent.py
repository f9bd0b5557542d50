"""Builds the ledger's record of a decision."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from router.cycle_context import CycleContext
from router.decide.decision import RoutingUpdate, RuleDecision, Transfer, action_of
from router.model import SEND_BY, Action, ActionState, RoutingData


def client_token(decision: Transfer, instance_id: str) -> str:
    """Returns the ClientToken of a move: the same text for the same move, in every process and at every time.

    Contact, wait, step, destination and attempt series make it. A timestamp or a random part would defeat its purpose.
    TransferContact takes up to 500 characters (botocore service model). Connect does not document how long it remembers
    a token. Therefore the token is the second line of defence, and reading the contact again the first.
    """
    target = decision.target
    parts = (
        instance_id,
        decision.contact.id,
        decision.contact.enqueued_at.isoformat() if decision.contact.enqueued_at else "",
        decision.rule,
        f"{decision.at.total_seconds():.0f}",
        target.queue_id or "",
        target.agent_id or "",
        target.flow_id,
        str(decision.series),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def record_of(decision: RuleDecision, context: CycleContext, *, now: datetime, observed: bool) -> Action:
    """Returns the record of an act that needs no call, which counts from the instant at which it is written."""
    return action_of(decision, revision=context.revision, cycle=context.cycle, now=now, observed=observed)


def intent_of(decision: Transfer, context: CycleContext, *, instance_id: str, now: datetime) -> Action:
    """Returns the intent of a transfer before any call, with the exact parameters that a later process would repeat."""
    record = record_of(decision, context, now=now, observed=False)
    token = client_token(decision, instance_id)
    return replace(record, state=ActionState.INTENDED, settled_at=None, token=token, send_by=now + SEND_BY)


def routing_intent_of(
    decision: RoutingUpdate, context: CycleContext, *, update: RoutingData | None, before: RoutingData, now: datetime
) -> Action:
    """Returns the intent of an exact update and what the contact had; ``update`` is ``None`` if nothing has to be
    sent."""
    record = record_of(decision, context, now=now, observed=False)
    sendable = replace(record, state=ActionState.INTENDED, settled_at=None, send_by=now + SEND_BY)
    return replace(sendable, routing=update, before=before)
