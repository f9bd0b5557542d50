"""From a decision to the ledger's record of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from router.decide.decision import ByRule, Reroute, Transfer, Warn
from router.model import Action, ActionKind, ActionState, RoutingData
from router.service.idempotency import client_token
from router.service.performing import CycleContext

SEND_BY = timedelta(seconds=30)
"""How long an intent entitles its writer to send; renewed in the ledger before it runs out, never after."""

_KIND = {Transfer: ActionKind.TRANSFER, Reroute: ActionKind.ROUTING, Warn: ActionKind.WARN}


def record_of(decision: ByRule, context: CycleContext, *, now: datetime, observed: bool) -> Action:
    """An act that needs no call to be undone or settled: it counts from when it is written."""
    contact = decision.contact
    assert contact.queue_id is not None and contact.enqueued_at is not None, "only waiting contacts are decided on"
    return Action(
        kind=_KIND[type(decision)],
        case=decision.case,
        chain_id=decision.chain_id,
        contact_id=contact.id,
        queue_id=contact.queue_id,
        enqueued_at=contact.enqueued_at,
        rule=decision.rule,
        step=decision.step,
        at=decision.at,
        first=decision.first,
        revision=context.revision,
        fingerprint=decision.fingerprint,
        cycle=context.cycle,
        decided_at=now,
        settled_at=now,
        state=ActionState.ACTED,
        observed=observed,
        target=decision.target if isinstance(decision, Transfer) else None,
        series=decision.series if isinstance(decision, Transfer) else 0,
    )


def intent_of(decision: Transfer, context: CycleContext, *, instance_id: str, now: datetime) -> Action:
    """The exact parameters of a transfer, before any call: what a later process would have to repeat."""
    record = record_of(decision, context, now=now, observed=False)
    token = client_token(decision, instance_id)
    return replace(record, state=ActionState.INTENDED, settled_at=None, token=token, send_by=now + SEND_BY)


def routing_intent_of(
    decision: Reroute, context: CycleContext, *, update: RoutingData | None, before: RoutingData, now: datetime
) -> Action:
    """The exact update, and what the contact had; ``None`` where nothing has to be sent."""
    record = record_of(decision, context, now=now, observed=False)
    sendable = replace(record, state=ActionState.INTENDED, settled_at=None, send_by=now + SEND_BY)
    return replace(sendable, routing=update, before=before)
