"""Tests the text of notices: which events have one, what SNS accepts, and what makes two of them the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from router.events.notices import BODY, SUBJECT, closing_notice, notice_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
WARNED = {
    "event": "contact.warned",
    "contact_id": "c",
    "wait_id": "w",
    "rule": "claims",
    "step": 2,
    "text": "late",
    "queue": "Claims",
    "waited_s": 3725.5,
    "late_s": 65.0,
    "cycle": 7,
    "observed": False,
}


def of(level="warning", **changes):
    return notice_of(level, {**WARNED, **changes}, instance_id="i", at=NOW)


@pytest.mark.parametrize(
    ("level", "event", "has_one"),
    [
        ("warning", "contact.warned", True),
        ("warning", "contact.breached", True),
        ("error", "contact.stranded", True),
        ("warning", "contact.failed", False),
        ("info", "cycle.finished", False),
        ("error", "cycle.failed", True),
        ("error", "notify.failed", False),
        ("warning", "notify.held_back", False),
    ],
)
def test_which_events_have_a_notice(level, event, has_one):
    assert (of(level, event=event) is not None) == has_one


def test_durations_are_for_people_and_technical_fields_are_left_out():
    body = of().body.splitlines()
    assert {"waited: 1h2m5s", "late: 1m5s", "step: 2"} <= set(body)
    assert not [line for line in body if line.startswith(("cycle", "wait_id", "observed"))]
    assert "mode: observe (the router changes nothing)" in of(observed=True).body


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Rückfragen für Zoë", "connect-router: Ruckfragen fur Zoe"),
        ("日本\u2028\x1b[2J", "connect-router: ??\\u2028\\x1b[2J"),
        ("x" * 200, f"connect-router: {'x' * 80}..."),
    ],
)
def test_the_subject_is_short_ascii_on_one_line(text, subject):
    notice = of(text=text, queue="é" * 300)
    assert notice.subject == subject
    assert len(notice.subject) <= SUBJECT
    assert notice.attributes["queue"] == "é" * 300


def test_a_body_is_bounded():
    assert len(of("error", event="rules.rejected", errors=["x" * 99] * 999).body) == BODY


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"waited_s": 9.0, "cycle": 8, "text": "later"}, True),
        ({"wait_id": "other"}, False),
        ({"step": 3}, False),
        ({"rule": "other"}, False),
        ({"event": "contact.breached"}, False),
    ],
)
def test_a_notice_is_the_same_if_contact_and_step_are(changes, same):
    assert (of(**changes).key == of().key) == same


def test_two_faults_of_the_service_differ_by_what_failed():
    denied = {"event": "api.denied", "operation": "TransferContact", "error": "AccessDenied"}
    keys = {of("error", **denied, **other).key for other in ({}, {"errors": ["x"]}, {"flow": "F"}, {"retry_in_s": 3.0})}
    assert len(keys) == 3


def test_the_closing_notice_counts_by_event_and_rule():
    rest = [of(step=number) for number in range(3)] + [of("error", event="cycle.failed", rule=None)]
    assert closing_notice(rest, instance_id="i", at=NOW).body.splitlines()[2:4] == [
        "3 contact.warned, rule claims",
        "1 cycle.failed",
    ]
