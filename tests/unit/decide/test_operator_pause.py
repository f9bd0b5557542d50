"""Tests that a paused contact is held with the right reason, and that no other rule acts on it."""

from datetime import timedelta

import pytest

from router.decide.decide import decide
from router.decide.decision import Hold, Transfer
from router.model import HoldReason, Pause, PauseKind, Pauses
from tests.builders.contacts import NOW, contact
from tests.builders.instance import BILLING, GENERAL, OVERFLOW
from tests.builders.rules import rules as bound
from tests.builders.snapshots import snapshot

RULES = """
[[rule]]
name = "overflow"
match.queue = "Billing"
[[rule.step]]
at = "10m"
to = [{ queue = "Overflow" }, { queue = "General" }]
[[rule.step]]
at = "20m"
warn = "late"
[[rule]]
name = "next"
match.queue = "Billing"
[[rule.step]]
at = "5m"
to = [{ queue = "General" }]
"""


def pause(kind, subject="", *, minutes=5):
    return Pause(
        kind=PauseKind(kind), subject=subject, name=subject, until=NOW + timedelta(minutes=minutes), comment="why",
        who="ada", set_at=NOW - timedelta(minutes=1),
    )  # fmt: skip


def decided(*pauses, waited=30, rules=RULES):
    seen = snapshot(contact(waited=waited), paused=Pauses(pauses).at(NOW))
    return decide(seen, bound(rules)).decisions


@pytest.mark.parametrize(
    ("kind", "subject"), [("all", ""), ("rule", "overflow"), ("queue", BILLING), ("contact", "c1")]
)
def test_a_paused_contact_is_held_whatever_is_due_and_the_next_rule_does_not_get_it(kind, subject):
    (hold,) = decided(pause(kind, subject))

    assert isinstance(hold, Hold)
    assert (hold.reason, hold.rule) == (HoldReason.OPERATOR_PAUSE, "overflow")
    assert "paused by ada until 2026-03-02 12:05:00Z: why" in hold.detail


def test_a_paused_destination_is_skipped_for_another():
    moves = [one for one in decided(pause("queue", OVERFLOW)) if isinstance(one, Transfer)]

    assert [move.target.queue_id != OVERFLOW for move in moves] == [True]


@pytest.mark.parametrize(
    ("paused", "reason"),
    [
        pytest.param((OVERFLOW, GENERAL), HoldReason.OPERATOR_PAUSE, id="all are paused"),
        pytest.param((OVERFLOW,), HoldReason.NO_ELIGIBLE_DESTINATION, id="the other one is not eligible"),
    ],
)
def test_a_paused_destination_is_skipped_like_an_ineligible_one(paused, reason):
    rules = RULES.replace(
        '{ queue = "General" }]\n[[rule.step]]', '{ queue = "General", slots_available = { min = 1 } }]\n[[rule.step]]'
    )
    assert "slots_available" in rules

    [hold] = [
        one for one in decided(*(pause("queue", queue) for queue in paused), rules=rules) if isinstance(one, Hold)
    ]

    assert (hold.reason, hold.rule) == (reason, "overflow")
    assert "paused by ada until 2026-03-02 12:05:00Z: why" in hold.detail


def test_a_paused_flow_holds_what_has_no_other():
    flow = next(one.target.flow_id for one in decided() if isinstance(one, Transfer))

    holds = [one for one in decided(pause("flow", flow)) if isinstance(one, Hold)]

    assert [one.reason for one in holds] == [HoldReason.OPERATOR_PAUSE]


@pytest.mark.parametrize(
    "other", [("rule", "next"), ("queue", "q-none"), ("contact", "c2"), ("flow", "f-none")], ids=str
)
def test_what_is_paused_elsewhere_holds_nobody(other):
    assert any(isinstance(one, Transfer) for one in decided(pause(*other)))


def test_a_pause_that_is_over_holds_nobody():
    assert any(isinstance(one, Transfer) for one in decided(pause("all", minutes=0)))


def test_before_anything_is_due_nobody_is_held():
    assert decided(pause("all"), waited=1) == ()


def test_an_exclusion_rule_is_told_before_a_pause():
    excludes = '[[rule]]\nname = "exclusion-rule"\nmatch.queue = "Billing"\n'
    (hold,) = decided(pause("all"), rules=excludes + RULES)

    assert isinstance(hold, Hold)
    assert hold.reason is HoldReason.EXCLUDED


def test_a_rule_that_could_not_be_decided_is_paused_before_it_is_unreadable():
    unread = RULES.replace('match.queue = "Billing"', 'match = { queue = "Billing", attributes.tier = "gold" }', 1)
    holds = [one for one in decided(pause("all"), rules=unread) if isinstance(one, Hold)]

    assert [one.reason for one in holds] == [HoldReason.OPERATOR_PAUSE]
