"""Describes the running service as one JSON object, for ``status``; docs/commands.md has its shape."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from router import __version__, logs
from router.daemon.health_word import health_of
from router.daemon.router import Router
from router.decide.decide import Promise
from router.durations import iso
from router.ledger.errors import LedgerUnavailable
from router.model import Action, Landing, Pause
from router.telemetry.cycle_report import CycleReport
from router.telemetry.health import DEAD_AFTER, HealthReport

SHOWN = 20
"""Strays and held contacts that are listed; all are counted."""
MOVES_OF = timedelta(hours=1)
"""The time for which ``status`` counts the moves of each rule."""
LAST_MOVES = 8


def status_of(app: Router, *, whole: bool = False) -> dict[str, Any]:
    """Returns the status from what the service knows, without a call. Times are UTC, durations seconds. ``whole``: it
    lists every held contact."""
    now, vital, ledger = app.clock.now(), app.vital.now, _ledger(app)
    refused = app.safety.breakers.credentials_refused
    silent = vital.silent(app.clock.monotonic())
    alive = silent <= DEAD_AFTER * app.settings.poll.every
    status = {
        "version": __version__,
        "pid": os.getpid(),
        "instance": app.settings.connect.instance_id,
        "mode": app.shown_mode,
        "config": _path(app.settings.config_path),
        "state": _state(app, vital),
        "now": iso(now),
        "started_at": iso(vital.started_at),
        "poll_every_s": app.settings.poll.every.total_seconds(),
        "silent_s": _seconds(silent),
        "healthy": alive and not refused and ledger["error"] is None,
        "credentials_refused": refused,
        "unread": vital.unread,
        "cycle": _cycle(vital),
        "rules": _rules(app, vital),
        **_figures(app, vital.report, now),
        **_held_contacts(app, vital.report, whole=whole),
        **_moves(app, vital.report, now),
        "quotas": _quotas(app),
        "ledger": ledger,
        "lease": _lease(app),
        "notify": _notices(app),
        "events": _events(app),
        "log_lines_lost": logs.count_lost(),
        **_followed(app),
        "pauses": [_pause(one) for one in app.safety.pauses.now.all],
    }
    return {**status, "health": health_of(status)}


def _state(app: Router, vital: HealthReport) -> str:
    if app.stopping.is_set():
        return "stopping"
    return "running" if vital.ready_at is not None else "starting"


def _cycle(vital: HealthReport) -> dict[str, Any] | None:
    """Returns the figures of the last cycle as ``cycle.finished`` has them; ``None`` before the first."""
    if vital.report is None:
        return None
    return {**vital.report.fields(), "finished_at": iso(vital.finished_at)}


def _rules(app: Router, vital: HealthReport) -> dict[str, Any]:
    rules, refused = app.names.ruleset, vital.refused
    return {
        "count": len(rules.rules),
        "revision": rules.revision,
        "path": str(app.settings.rules.path),
        "since": iso(vital.rules_at),
        "last_good": vital.from_last_good,
        "refused": None if refused is None else {"at": iso(refused.at), "errors": list(refused.errors)},
        "unresolved": app.names.unresolved,
    }


def _figures(app: Router, report: CycleReport | None, now: datetime) -> dict[str, Any]:
    directory = app.names.directory
    glance = report.glance if report is not None else None
    return {
        "queues": [
            {
                "queue": directory.queue_name(one.queue_id),
                "waiting": one.waiting,
                "due": one.due,
                "late": one.late,
                "promised": one.promised,
                "ungoverned": one.ungoverned,
                "oldest_s": _seconds(now - one.oldest_at) if one.oldest_at is not None else None,
                "ungoverned_oldest_s": _seconds(now - one.ungoverned_at) if one.ungoverned_at is not None else None,
                **_promise(one.promise),
            }
            for one in (glance.queues if glance is not None else ())
        ],
        "next_due": [
            {
                "due_at": iso(one.due_at),
                "contact_id": one.contact_id,
                "queue": directory.queue_name(one.queue_id),
                "rule": one.rule,
                **_promise(one.promise),
            }
            for one in (glance.upcoming if glance is not None else ())
        ],
        "held": dict(report.held) if report is not None else {},
        "oldest_breach_s": _seconds(report.oldest_breach) if report is not None else None,
        "drain_s": _drain(app, report) if report is not None else None,
    }


def _held_contacts(app: Router, report: CycleReport | None, *, whole: bool) -> dict[str, Any]:
    """Returns the contacts that are held, or late without a step that is due, and why those are left that are late."""
    directory, found = app.names.directory, report.glance.held if report is not None else ()
    return {
        "late_reasons": dict(Counter(one.reason for one in found if one.late is not None)),
        "held_count": len(found),
        "held_contacts": [
            {
                "contact_id": one.contact_id,
                "queue": directory.queue_name(one.queue_id),
                "rule": one.rule,
                "reason": one.reason,
                "detail": one.detail,
                "late_s": _seconds(one.late),
            }
            for one in (found if whole else found[:SHOWN])
        ],
    }


def _promise(promise: Promise | None) -> dict[str, float | None]:
    """Returns the promise in seconds, and the used share of it at the last cycle."""
    if promise is None:
        return {"promise_s": None, "used": None}
    return {"promise_s": _seconds(promise.target), "used": round(promise.used, 3)}


def _moves(app: Router, report: CycleReport | None, now: datetime) -> dict[str, Any]:
    """Returns the moves of the last hour and the holds of the last cycle by rule, and the last moves.

    There are no moves if the ledger cannot be read."""
    try:
        moves = app.ledger.moves_since(now - MOVES_OF)
    except LedgerUnavailable:
        moves = ()
    held = report.glance.held_by if report is not None else {}
    moved = Counter(move.rule for move in moves)
    rules = [one.name for one in app.names.ruleset.rules]
    named = [*rules, *sorted(name or "" for name in {*moved, *held} - {*rules})]
    return {
        "by_rule": [
            {"rule": rule, "moved": moved[rule], "held": dict(held.get(rule or None, {}))}
            for rule in named
            if moved[rule] or held.get(rule or None)
        ],
        "last_moves": [_move(app, move) for move in sorted(moves, key=lambda one: one.decided_at)[-LAST_MOVES:][::-1]],
    }


def _move(app: Router, move: Action) -> dict[str, Any]:
    directory, target = app.names.directory, move.target
    return {
        "at": iso(move.decided_at),
        "contact_id": move.contact_id,
        "new_contact_id": move.new_contact_id,
        "from_queue": directory.queue_name(move.queue_id),
        "to_queue": directory.queue_name(target.queue_id) if target is not None else None,
        "to_agent": directory.agent_name(target.agent_id) if target is not None else None,
        "rule": move.rule,
        "landing": move.landing.value if move.landing is not None else None,
    }


def _drain(app: Router, report: CycleReport) -> float | None:
    """Returns for how long limits and quota will hold contacts back, at the last cycle's pace; ``None`` if they hold
    none."""
    return report.drain_s(max(report.seconds, app.settings.poll.every.total_seconds()))


def _quotas(app: Router) -> list[dict[str, Any]]:
    return [
        {
            "operation": operation,
            "calls": state.calls,
            "throttles": state.throttles,
            "rate": round(state.rate, 4),
            "full_rate": round(state.full_rate, 4),
            "tokens": round(state.tokens, 2),
            "waiting": state.waiting,
        }
        for operation, state in app.connection.quotas.snapshot().items()
    ]


def _ledger(app: Router) -> dict[str, Any]:
    """Returns the state of the ledger. If it cannot be read or written, ``error`` gives the reason."""
    try:
        open_intents, error = len(app.ledger.open_intents()), app.ledger.problem or app.safety.ledger.problem
    except LedgerUnavailable as problem:
        open_intents, error = None, str(problem)
    return {
        "path": None if app.shared is not None else str(app.settings.ledger.path),
        "url": app.settings.ledger.url,
        "began_at": iso(app.ledger.began_at),
        "open_intents": open_intents,
        "error": error,
    }


def _lease(app: Router) -> dict[str, Any] | None:
    """Returns which of several routers works; ``None`` if the ledger serves this one alone."""
    if app.shared is None:
        return None
    held = app.shared.lease.held and app.working
    return {"held": held, "holder": app.shared.lease.holder, "term": app.shared.ledger.term}


def _notices(app: Router) -> dict[str, Any] | None:
    """Returns the messages on the SNS topic since the start; ``None`` if no topic is configured."""
    if app.notices is None:
        return None
    sent, waiting, failed = app.notices.sent, app.notices.waiting, app.notices.failed
    return {"topic": app.settings.notify.sns_topic, "sent": sent, "waiting": waiting, "failed": failed}


def _events(app: Router) -> dict[str, Any] | None:
    """Returns the contact events since the start; ``None`` if no queue is configured, and in a standby router."""
    feed = app.cycle.feed
    if feed is None or not app.working:
        return None
    pulse = feed.gate.pulse
    return {
        "queue": app.settings.events.queue,
        "live": pulse.live,
        "silent": pulse.silent,
        "failing": feed.failing,
        "received": pulse.received,
        "applied": pulse.applied,
        "ignored": {reason.value: count for reason, count in sorted(pulse.ignored.items())},
        "read": feed.readings.read,
        "to_read": len(feed.readings),
        "doubted_queues": feed.gate.doubted,
        "last_event_at": iso(pulse.last_event_at),
        "lag_s": _seconds(pulse.lag),
    }


def _followed(app: Router) -> dict[str, Any]:
    followed, directory = app.follower.followed, app.names.directory
    strays = [action for action in followed if action.landing is Landing.STRAY]
    return {
        "under_way": sum(action.landing is Landing.PENDING for action in followed),
        "at_agents": sum(action.landing is Landing.AT_AGENT for action in followed),
        "strays": len(strays),
        "stray_contacts": [_stray(app, action) for action in strays[:SHOWN]],
        "suspended_flows": sorted(str(directory.flow_name(flow)) for flow in app.safety.breakers.suspended),
        "landing_slots": [
            {
                "flow": directory.flow_name(flow),
                "taken": len(slots.taken),
                "limit": slots.limit,
                "landing_s": None if slots.seconds is None else round(slots.seconds, 3),
            }
            for flow, slots in sorted(app.safety.slots.now().items())
        ],
    }


def _stray(app: Router, action: Action) -> dict[str, Any]:
    flow = action.target.flow_id if action.target is not None else None
    return {
        "contact_id": action.contact_id,
        "new_contact_id": action.new_contact_id,
        "flow": app.names.directory.flow_name(flow),
        "moved_at": iso(action.settled_at or action.decided_at),
    }


def _pause(pause: Pause) -> dict[str, Any]:
    return {
        "what": pause.kind.value,
        "name": pause.name,
        "until": iso(pause.until),
        "comment": pause.comment,
        "who": pause.who,
        "set_at": iso(pause.set_at),
    }


def _path(path: object) -> str | None:
    return None if path is None else str(path)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 3)
