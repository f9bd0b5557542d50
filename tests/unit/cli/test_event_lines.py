"""Tests the demo's lines of events. Names from a scenario may contain anything."""

import unicodedata
from typing import Any

import pytest

from router.cli.output.event_lines import event_line

NASTY = "\x1b[2J\r\n\u202e[bold]"
AT = "2026-11-23T09:30:00.553102Z"
EVENTS: list[dict[str, Any]] = [
    {"event": "contact.transferred", "from_queue": NASTY, "to_queue": NASTY, "rule": "r", "step": 1, "late_s": 1.0},
    {"event": "contact.transferred", "from_queue": NASTY, "to_agent": NASTY, "rule": "r", "step": 1, "late_s": None},
    {"event": "contact.held", "queue": NASTY, "reason": "in_flight", "detail": NASTY, "rule": "r", "step": 1},
    {"event": "contact.warned", "queue": NASTY, "text": NASTY, "rule": "r", "step": 1, "late_s": 1.0},
    {"event": "contact.landed", "landing": "queued", "queue": NASTY, "after_s": 1.0, "rule": "r", "step": 1},
    {"event": "contact.landed", "landing": "at_agent", "agent": NASTY, "after_s": 1.0, "rule": "r", "step": 1},
    {"event": "contact.failed", "error": NASTY, "message": NASTY, "attempts": 1, "rule": "r", "step": 1},
    {"event": "contact.breached", "queue": NASTY, "reason": "excluded", "rule": "r", "step": None, "late_s": 60.0},
    {"event": "flow.suspended", "flow": NASTY, "limit": 1},
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event"])
def test_a_line_of_the_demo_is_one_line_without_control_characters_or_markup(event):
    about = {"contact_id": NASTY} if event["event"].startswith("contact.") else {}
    line = event_line({"timestamp": AT, "level": "info", **about, **event})

    assert [char for char in line.plain if unicodedata.category(char) in ("Cc", "Cf")] == []
    assert "\\x1b[2J\\r\\n\\u202e[bold]" in line.plain


def test_a_line_begins_with_time_channel_and_the_first_characters_of_the_id():
    event = {"timestamp": AT, "level": "info", "contact_id": "93d544be-eeee-4355-af02-14835508e050", **EVENTS[0]}
    event |= {"from_queue": "Billing", "to_queue": "VIP"}

    assert event_line(event).plain == "09:30:00  93d544be: Billing -> VIP, 1s late, rule r step 1"
    assert event_line({**event, "channel": "TASK"}).plain.startswith("09:30:00  TASK 93d544be: Billing")
    assert event_line({**event, "event": "contact.would_transfer"}).plain.startswith("09:30:00  93d544be: would move ")


def test_only_the_time_is_dim():
    line = event_line({"timestamp": AT, "level": "info", "contact_id": "c", **EVENTS[0]})

    assert (line.style, [span.style for span in line.spans]) == ("", ["dim", "green"])
