"""Writes the notices of events: messages for people, each with its subject, body and attributes."""

from __future__ import annotations

import hashlib
import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from router.cycle_context import CycleContext
from router.decide.decision import Warn
from router.durations import format_duration
from router.events.contacts import warned_fields
from router.model import Notice
from router.problems import printable

HEADLINES = {
    "contact.warned": "{text}",
    "contact.breached": "late in {queue}: the promise of rule {rule} is broken",
    "contact.stranded": "a contact of rule {rule} waits for an agent who takes none",
}
"""The events that have a notice at every level; every other event has one at level ``error``."""
OWN = "notify."
"""Begins the names of events about notices, which have none themselves."""
CONTACT_KEYS = ("wait_id", "contact_id", "rule", "step", "new_contact_id")
SERVICE_KEYS = ("rule", "flow", "operation", "error", "errors", "message", "exception")
"""The fields that distinguish an event from another of its name."""
LEFT_OUT = frozenset(
    {"event", "text", "exc_info", "stack_info", "chain_id", "wait_id", "cycle", "revision", "observed"}
)
SUBJECT = 99
"""Characters (API_Publish: less than 100)."""
BODY = 8_000
"""Characters of a body, far below the 256 KB of SNS."""


def notice_of(level: str, event: Mapping[str, Any], *, instance_id: str, at: datetime) -> Notice | None:
    """Returns the notice of an event; ``None`` for an event that has none."""
    name = str(event["event"])
    if name.startswith(OWN) or (level != "error" and name not in HEADLINES):
        return None
    fields = {key: value for key, value in event.items() if key not in LEFT_OUT and value is not None}
    if event.get("exc_info") and (kind := sys.exc_info()[0]) is not None:
        fields["exception"] = kind.__name__
    of_contact = name.startswith("contact.")
    identity = {key: {**event, **fields}.get(key) for key in (CONTACT_KEYS if of_contact else SERVICE_KEYS)}
    headline = _headline(name, event, fields)
    lines = [f"{key.removesuffix('_s')}: {_shown(key, value)}" for key, value in fields.items()]
    facts = [f"event: {name} ({level})", *lines, *_observed(event), f"instance: {instance_id}", f"time: {_iso(at)}"]
    return Notice(
        key=hashlib.sha256(json.dumps([name, level, identity], default=str).encode()).hexdigest()[:32],
        at=at,
        event=name,
        level=level,
        subject=_subject(headline),
        body="\n".join([headline, "", *facts])[:BODY],
        rule=_name(event.get("rule")),
        queue=_name(event.get("queue") or event.get("to_queue")),
        repeats=not of_contact,
    )


def warning_notice(decision: Warn, context: CycleContext, *, instance_id: str, now: datetime) -> Notice | None:
    """Returns the notice of ``contact.warned``, to be recorded together with the warning."""
    event = {"event": "contact.warned", **warned_fields(decision, context, observed=False, now=now)}
    return notice_of("warning", event, instance_id=instance_id, at=now)


def closing_notice(rest: Collection[Notice], *, instance_id: str, at: datetime) -> Notice:
    """Returns the notice that counts those which ``notify.per_hour`` kept back. It is an error if one of them is."""
    kinds = Counter((notice.event, notice.rule) for notice in rest)
    level = "error" if any(notice.is_error for notice in rest) else "warning"
    headline = f"messages that were not sent, because of notify.per_hour: {kinds.total()}"
    lines = [f"{number} {event}{f', rule {rule}' if rule else ''}" for (event, rule), number in kinds.most_common()]
    return Notice(
        key=f"closing {level} {_iso(at)}",
        at=at,
        event="notify.held_back",
        level=level,
        subject=_subject(headline),
        body="\n".join([headline, "", *lines, "", f"instance: {instance_id}", f"time: {_iso(at)}"])[:BODY],
    )


def _headline(name: str, event: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    if name in HEADLINES:
        return printable(HEADLINES[name].format_map({key: _shown(key, value) for key, value in event.items()}))
    why = next((fields[key] for key in ("message", "errors", "exception", "contact_id", "flow") if key in fields), "")
    return f"{name}: {_shown('', why)}".removesuffix(": ")


def _observed(event: Mapping[str, Any]) -> list[str]:
    return ["mode: observe (the router changes nothing)"] if event.get("observed") else []


def _shown(key: str, value: Any) -> str:
    """Returns a field for people: durations with their units, everything on one line."""
    if key.endswith("_s") and isinstance(value, int | float) and not isinstance(value, bool):
        return format_duration(timedelta(seconds=value))
    return printable("; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def _subject(headline: str) -> str:
    """Returns a subject in ASCII, without accents and on one line."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", headline) if not unicodedata.combining(one))
    text = f"connect-router: {plain}".encode("ascii", "replace").decode()
    return text if len(text) <= SUBJECT else f"{text[: SUBJECT - 3]}..."


def _name(value: object) -> str | None:
    return printable(str(value)) if value else None


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
