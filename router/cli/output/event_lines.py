"""Writes an event of the service as one line for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.text import Text

from router.cli.output.tables import console, text
from router.events.messages import message_of

QUIET = ("contact.landed", "contact.skipped", "contact.place_kept")
STYLES = {"error": "bold red", "warning": "yellow"}


def event_line(event: dict[str, Any]) -> Text:
    """Returns the time and the sentence of an event.

    Example: ``23:57:09  EMAIL 7f3a12bc: Billing -> Billing Overflow, 1h12m late, rule billing-email step 2``
    """
    line = Text().append_text(text(f"{event['timestamp'][11:19]}  ", "dim"))
    return line.append_text(text(message_of(event), _style(event)))


def line_writer() -> Callable[[dict[str, Any]], str]:
    """Returns a function that writes the line of an event for the terminal on standard output."""
    out = console()

    def written(event: dict[str, Any]) -> str:
        with out.capture() as captured:
            out.print(event_line(event), soft_wrap=True, end="")
        return captured.get()

    return written


def _style(event: dict[str, Any]) -> str:
    if event["event"] == "contact.transferred":
        return "green"
    return "dim" if event["event"] in QUIET else STYLES.get(event["level"], "")
