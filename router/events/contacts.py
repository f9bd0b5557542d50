"""Writes the log events about contacts and pauses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from router.cycle_context import CycleContext
from router.decide.decision import Hold, RoutingUpdate, RuleDecision, Transfer, Warn
from router.durations import iso
from router.model import Action, Contact, ContactId, Directory, HoldReason, Landing, Pause, RoutingData, Target

log: structlog.stdlib.BoundLogger = structlog.get_logger("router")


def seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 3)


def decision_fields(decision: RuleDecision | Hold, context: CycleContext) -> dict[str, Any]:
    """Returns the fields of every line about a decided contact."""
    return {
        "contact_id": decision.contact.id,
        "channel": decision.contact.channel.value,
        "chain_id": decision.chain_id,
        "wait_id": decision.wait.wait_id,
        "rule": decision.rule,
        "step": decision.step,
        "cycle": context.cycle,
        "revision": context.revision,
    }


def action_fields(action: Action) -> dict[str, Any]:
    """Returns the fields of every line about an action. ``cycle`` and ``revision`` are those of its decision, even if
    an earlier process made it."""
    return {
        "contact_id": action.contact_id,
        "channel": action.channel.value if action.channel is not None else None,
        "chain_id": action.chain_id,
        "wait_id": action.wait.wait_id,
        "rule": action.rule,
        "step": action.step,
        "cycle": action.cycle,
        "revision": action.revision,
    }


def target_fields(target: Target, directory: Directory) -> dict[str, Any]:
    where = (
        {"to_queue": directory.queue_name(target.queue_id)}
        if target.queue_id is not None
        else {"to_agent": directory.agent_name(target.agent_id)}
    )
    return {**where, "flow": directory.flow_name(target.flow_id)}


def log_transferred(
    decision: Transfer, action: Action, context: CycleContext, *, read_age: float, now: datetime
) -> None:
    """Logs a move that Connect accepted. ``read_age`` is how many seconds old the reading was when the call left."""
    directory = context.directory
    log.info(
        "contact.transferred",
        **decision_fields(decision, context),
        new_contact_id=action.new_contact_id,
        from_queue=directory.queue_name(action.queue_id),
        **target_fields(decision.target, directory),
        waited_s=seconds(decision.contact.waited(now)),
        late_s=seconds(decision.late),
        attempts=action.attempts,
        read_age_ms=round(read_age * 1000),
        request_id=action.request_id,
    )
    if decision.skipped:
        log.info("contact.skipped", **decision_fields(decision, context), steps=list(decision.skipped))


def log_would_transfer(decision: Transfer, context: CycleContext, *, now: datetime) -> None:
    directory = context.directory
    log.info(
        "contact.would_transfer",
        **decision_fields(decision, context),
        from_queue=directory.queue_name(decision.contact.queue_id),
        **target_fields(decision.target, directory),
        waited_s=seconds(decision.contact.waited(now)),
        late_s=seconds(decision.late),
    )


def log_reprioritized(decision: RoutingUpdate, action: Action, context: CycleContext) -> None:
    """Logs a routing update. ``changed`` is false if the contact's place was as good already and nothing was sent."""
    before = action.before or RoutingData()
    log.info(
        "contact.reprioritized",
        **decision_fields(decision, context),
        queue=context.directory.queue_name(action.queue_id),
        changed=action.routing is not None,
        **_routing(action.routing),
        before_priority=before.priority,
        before_age_s=seconds(before.age),
        late_s=seconds(decision.late),
        attempts=action.attempts,
        request_id=action.request_id,
    )


def log_would_reprioritize(decision: RoutingUpdate, context: CycleContext) -> None:
    log.info(
        "contact.would_reprioritize",
        **decision_fields(decision, context),
        queue=context.directory.queue_name(decision.contact.queue_id),
        **_routing(RoutingData(priority=decision.routing.priority, age=decision.routing.age)),
        late_s=seconds(decision.late),
    )


def _routing(routing: RoutingData | None) -> dict[str, Any]:
    return {
        "priority": routing.priority if routing is not None else None,
        "age_s": seconds(routing.age) if routing is not None else None,
    }


def log_place_kept(action: Action) -> None:
    fields = {"new_contact_id": action.new_contact_id, **_routing(action.routing)}
    log.info("contact.place_kept", **action_fields(action), **fields)


def log_place_lost(action: Action, *, code: str, message: str) -> None:
    fields = {"new_contact_id": action.new_contact_id, "error": code, "message": message}
    log.warning("contact.place_lost", **action_fields(action), **fields)


def log_warned(decision: Warn, context: CycleContext, *, observed: bool, now: datetime) -> None:
    log.warning("contact.warned", **warned_fields(decision, context, observed=observed, now=now))


def warned_fields(decision: Warn, context: CycleContext, *, observed: bool, now: datetime) -> dict[str, Any]:
    return {
        **decision_fields(decision, context),
        "text": decision.text,
        "queue": context.directory.queue_name(decision.contact.queue_id),
        "waited_s": seconds(decision.contact.waited(now)),
        "late_s": seconds(decision.late),
        "observed": observed,
    }


def log_held(decision: RuleDecision | Hold, reason: HoldReason, context: CycleContext, *, detail: str = "") -> None:
    """Logs a hold. Its ``reason`` may have been found when the contact was read again, after the decision to move."""
    write = log.warning if reason is HoldReason.UNRESOLVED else log.info
    write(
        "contact.held",
        **decision_fields(decision, context),
        reason=reason.value,
        detail=detail,
        queue=context.directory.queue_name(decision.contact.queue_id),
        late_s=seconds(decision.late),
    )


def log_breached(
    contact: Contact,
    context: CycleContext,
    *,
    wait_id: ContactId,
    chain_id: ContactId,
    rule: str,
    reason: str,
    detail: str,
    late: timedelta,
) -> dict[str, Any]:
    """Logs that a rule's promise to a waiting contact is broken, and why the contact is left where it is; returns the
    fields."""
    fields = {
        "contact_id": contact.id,
        "channel": contact.channel.value,
        "chain_id": chain_id,
        "wait_id": wait_id,
        "rule": rule,
        "step": None,
        "cycle": context.cycle,
        "revision": context.revision,
        "reason": reason,
        "detail": detail,
        "queue": context.directory.queue_name(contact.queue_id),
        "late_s": seconds(late),
    }
    log.warning("contact.breached", **fields)
    return fields


def log_failed(decision: RuleDecision, action: Action, context: CycleContext, *, code: str, message: str) -> None:
    fields = {**decision_fields(decision, context), "kind": action.kind.value}
    log.warning("contact.failed", **fields, error=code, message=message, attempts=action.attempts)


def log_broken(**fields: Any) -> None:
    """Logs a bug that a contact brought to light; called while the exception is handled."""
    log.exception("contact.broken", **fields)


def log_landed(action: Action, landing: Landing, directory: Directory, *, after: timedelta, late: bool) -> None:
    """Logs where a moved contact is. ``late``: it was reported as a stray before."""
    log.info(
        "contact.landed",
        **action_fields(action),
        new_contact_id=action.new_contact_id,
        landing=landing.value,
        **_landed_at(action, landing, directory),
        diverted=landing is Landing.DIVERTED,
        late=late,
        after_s=seconds(after),
    )


def _landed_at(action: Action, landing: Landing, directory: Directory) -> dict[str, Any]:
    """Returns the contact's queue, or the agent in whose own queue it waits; nothing if it was answered or ended."""
    if landing is Landing.AT_AGENT and action.target is not None:
        return {"agent": directory.agent_name(action.target.agent_id)}
    queued = landing in (Landing.QUEUED, Landing.DIVERTED)
    return {"queue": directory.queue_name(action.landed_queue_id)} if queued else {}


def log_stray(action: Action, directory: Directory, *, after: timedelta) -> None:
    log.error(
        "contact.stray",
        **action_fields(action),
        new_contact_id=action.new_contact_id,
        **(target_fields(action.target, directory) if action.target else {}),
        after_s=seconds(after),
    )


def log_stranded(action: Action, directory: Directory, *, after: timedelta, late: bool) -> None:
    """Logs a contact that waits for an agent who takes none. ``late``: the promise to it is broken."""
    write = log.error if late else log.warning
    write(
        "contact.stranded",
        **action_fields(action),
        new_contact_id=action.new_contact_id,
        **(target_fields(action.target, directory) if action.target else {}),
        after_s=seconds(after),
        late=late,
    )


def log_taken_from_agent(action: Action, *, read_age: float | None) -> None:
    log.error(
        "contact.taken_from_agent",
        **action_fields(action),
        new_contact_id=action.new_contact_id,
        read_age_ms=None if read_age is None else round(read_age * 1000),
    )


def log_recovered(action: Action, *, outcome: str) -> None:
    fields = {**action_fields(action), "kind": action.kind.value, "new_contact_id": action.new_contact_id}
    log.warning("contact.recovered", **fields, outcome=outcome)


def log_pause_set(pause: Pause) -> None:
    span = seconds(pause.until - pause.set_at)
    log.info("pause.set", **_of_pause(pause), until=iso(pause.until), for_s=span, who=pause.who)


def log_pause_cleared(pause: Pause, *, who: str) -> None:
    """Logs that a pause is over. ``who`` is ``expiry`` if its time was over."""
    log.info("pause.cleared", **_of_pause(pause), set_by=pause.who, who=who)


def _of_pause(pause: Pause) -> dict[str, Any]:
    return {"what": pause.kind.value, "name": pause.name, "comment": pause.comment}
