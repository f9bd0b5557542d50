"""Tests the demo's lines of events. Names from a scenario may contain anything."""

import unicodedata

import pytest

from router.cli.demo.event_lines import event_line
from router.sandbox import Sandbox, Scenario

pytestmark = pytest.mark.uses("threads", "sockets")

NASTY = "\x1b[2J\r\n\u202e[bold]"
AT = "2026-11-23T09:30:00.553102Z"
EVENTS = [
    {"event": "contact.transferred", "from_queue": NASTY, "to_queue": NASTY, "rule": "r", "step": 1, "late_s": 1.0},
    {"event": "contact.transferred", "from_queue": NASTY, "to_agent": NASTY, "rule": "r", "step": 1, "late_s": None},
    {"event": "contact.held", "queue": NASTY, "reason": "in_flight", "detail": NASTY, "rule": "r", "step": 1},
    {"event": "contact.warned", "queue": NASTY, "text": NASTY, "rule": "r", "step": 1, "late_s": 1.0},
    {"event": "contact.landed", "landing": "queued", "queue": NASTY, "after_s": 1.0, "rule": "r", "step": 1},
    {"event": "contact.landed", "landing": "at_agent", "agent": NASTY, "after_s": 1.0, "rule": "r", "step": 1},
    {"event": "contact.failed", "error": NASTY, "message": NASTY, "attempts": 1, "rule": "r", "step": 1},
    {"event": "flow.suspended", "flow": NASTY, "limit": 1},
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event"])
def test_a_line_of_the_demo_is_one_line_without_control_characters_or_markup(event):
    about = {"contact_id": NASTY} if event["event"].startswith("contact.") else {}
    with Sandbox(Scenario()) as sandbox:
        line = event_line({"timestamp": AT, "level": "info", **about, **event}, sandbox)

    assert [char for char in line.plain if unicodedata.category(char) in ("Cc", "Cf")] == []
    assert "\\x1b[2J\\r\\n\\u202e[bold]" in line.plain
