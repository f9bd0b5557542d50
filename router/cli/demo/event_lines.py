"""Writes an event of the service as one line for people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rich.text import Text

from router.cli.output.tables import lateness, span, text
from router.sandbox import Sandbox

QUIET = ("contact.landed", "contact.skipped", "contact.place_kept")
STYLES = {"error": "bold red", "warning": "yellow"}
IN_CONTACT_LINES = frozenset({"timestamp", "level", "event", "contact_id", "chain_id", "wait_id", "revision", "cycle"})


def event_line(event: dict[str, Any], sandbox: Sandbox) -> Text:
    """Returns the line of an event.

    Example: ``23:57:09  EMAIL 7f3a…  Billing -> Billing Overflow  rule billing-email step 2  1h12m late``
    """
    line = text(f"{event['timestamp'][11:19]}  ", "dim")
    if "contact_id" in event:
        line.append_text(text(f"{_channel(event['contact_id'], sandbox):<5} {event['contact_id'][:8]}…  "))
    line.append_text(text(_what(event), _style(event)))
    return line


def _what(event: dict[str, Any]) -> str:
    rule = f"rule {event['rule']} step {event['step']}" if event.get("step") else f"rule {event.get('rule')}"
    late = lateness(timedelta(seconds=event["late_s"])) if event.get("late_s") is not None else ""
    match event["event"]:
        case "contact.transferred":
            to = event.get("to_queue") or f"agent {event.get('to_agent')}"
            return f"{event['from_queue']} -> {to}   {rule}   {late}"
        case "contact.held":
            detail = f" ({event['detail']})" if event.get("detail") else ""
            return f"held in {event['queue']}: {event['reason']}{detail}   {rule}"
        case "contact.warned":
            return f"in {event['queue']}: {event['text']}   {rule}   {late}"
        case "contact.landed":
            return f"{_landing(event)} after {event['after_s']:.1f}s"
        case "contact.reprioritized":
            done = f"routing {_place(event)}" if event["changed"] else "its place is as good already"
            return f"in {event['queue']}: {done}   {rule}   {late}"
        case "contact.place_kept":
            return f"given its place back: {_place(event)}"
        case "contact.skipped":
            return f"skipped: step {', '.join(map(str, event['steps']))}   rule {event['rule']}"
        case "cycle.finished":
            return f"cycle {event['cycle']}: {event['waiting']} waiting, {event['transferred']} moved"
        case name:
            rest = {key: value for key, value in event.items() if key not in IN_CONTACT_LINES}
            return " ".join([name, *(f"{key}={value}" for key, value in rest.items())])


def _place(event: dict[str, Any]) -> str:
    if event.get("age_s") is None:
        return f"priority {event['priority']}"
    return f"{span(timedelta(seconds=event['age_s']))} of routing age"


def _landing(event: dict[str, Any]) -> str:
    match event["landing"]:
        case "at_agent":
            return f"waits for agent {event['agent']}"
        case "answered":
            return "answered by an agent"
        case "queued" | "diverted" as landing:
            return f"{landing} in {event['queue']}"
        case landing:
            return str(landing)


def _style(event: dict[str, Any]) -> str:
    if event["event"] == "contact.transferred":
        return "green"
    return "dim" if event["event"] in QUIET else STYLES.get(event["level"], "")


def _channel(contact_id: str, sandbox: Sandbox) -> str:
    try:
        return sandbox.world.contact(contact_id).channel
    except KeyError:
        return ""
