"""Writes an event of the service as one line for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rich.text import Text

from router.cli.output.fitting_table import SHORT_ID
from router.cli.output.tables import console, lateness, span, text

QUIET = ("contact.landed", "contact.skipped", "contact.place_kept")
STYLES = {"error": "bold red", "warning": "yellow"}
IN_CONTACT_LINES = frozenset(
    {
        "timestamp",
        "level",
        "event",
        "contact_id",
        "chain_id",
        "wait_id",
        "revision",
        "cycle",
        "channel",
    }
)


def event_line(event: dict[str, Any], channel_of: Callable[[str], str] = lambda _: "") -> Text:
    """Returns the line of an event. ``channel_of`` finds the channel of a contact id; empty: it is not known.

    Example: ``23:57:09  EMAIL 7f3a12bc  Billing -> Billing Overflow   1h12m late   rule billing-email step 2``
    """
    line = Text().append_text(text(f"{event['timestamp'][11:19]}  ", "dim"))
    if "contact_id" in event:
        contact_id = event["contact_id"]
        channel = event.get("channel") or channel_of(contact_id)
        line.append_text(text(f"{channel:<5} {contact_id[:SHORT_ID]}  " if channel else f"{contact_id[:SHORT_ID]}  "))
    line.append_text(text(_what(event), _style(event)))
    return line


def line_writer() -> Callable[[dict[str, Any]], str]:
    """Returns a function that writes the line of an event for the terminal on standard output."""
    out = console()

    def written(event: dict[str, Any]) -> str:
        with out.capture() as captured:
            out.print(event_line(event), soft_wrap=True, end="")
        return captured.get()

    return written


def _what(event: dict[str, Any]) -> str:
    rule = f"rule {event['rule']} step {event['step']}" if event.get("step") else f"rule {event.get('rule')}"
    late = lateness(timedelta(seconds=event["late_s"])) if event.get("late_s") is not None else ""
    match event["event"]:
        case "contact.transferred" | "contact.would_transfer" as name:
            would = "would move: " if name == "contact.would_transfer" else ""
            to = event.get("to_queue") or f"agent {event.get('to_agent')}"
            return f"{would}{event['from_queue']} -> {to}   {late}   {rule}"
        case "contact.held":
            detail = f" ({event['detail']})" if event.get("detail") else ""
            return f"held in {event['queue']}: {event['reason']}{detail}   {rule}"
        case "contact.warned":
            return f"in {event['queue']}: {event['text']}   {late}   {rule}"
        case "contact.breached":
            return f"{late} in {event['queue']}: {event['reason']}   rule {event['rule']}"
        case "contact.landed":
            return f"{_landing(event)} after {event['after_s']:.1f}s"
        case "contact.reprioritized":
            done = f"routing {_place(event)}" if event["changed"] else "its place is as good already"
            return f"in {event['queue']}: {done}   {late}   {rule}"
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
