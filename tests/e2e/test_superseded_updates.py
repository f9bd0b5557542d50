"""Checks that a routing update, or a place to give back, never delays a move: the move supersedes it."""

import time
from datetime import timedelta
from threading import Thread

import pytest

from router.model import ActionKind, ActionState
from tests.e2e.centre import LATE_RULE

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
UPDATE = "UpdateContactRoutingData"
LADDER = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "ladder"
match.queue = "Billing"
[[rule.step]]
at = "59m"
routing = { priority = 2 }
[[rule.step]]
at = "1h"
to = [{ queue = "Billing Overflow" }]
"""
TWICE = (
    LATE_RULE
    + """
[[rule]]
name = "later"
[rule.match]
queue = "Billing Overflow"
[[rule.step]]
at = "30s"
to = [{ queue = "General" }]
"""
)
FAULTS: dict[str, tuple[str, dict[str, str]]] = {
    "answers 500": ("error_500", {}),
    "is reset before it arrives": ("reset_before", {}),
    "is reset after it took effect": ("reset_after", {}),
    "is throttled": ("throttle", {}),
}


def updates(app):
    return [one for one in app.ledger.history() if one.kind is ActionKind.ROUTING]


def to_queues(centre):
    return [one.to_queue for one in centre.world.transfers]


@pytest.mark.parametrize(("fault", "given"), FAULTS.values(), ids=FAULTS.keys())
def test_a_move_that_is_due_seconds_later_is_not_delayed(centre, fault, given):
    centre.world.enqueue("TASK", "Billing", waited=HOUR - 30 * SECOND)
    app = centre.router(LADDER, **{"execute.retry.attempts": 2})
    centre.world.faults.add(fault, UPDATE, **given)
    app.cycle.run(until=None)
    assert to_queues(centre) == []
    assert centre.sandbox.count(UPDATE) >= 1

    centre.clock.travel(31 * SECOND)
    app.cycle.run(until=None)

    assert to_queues(centre) == ["Billing Overflow"]


@pytest.mark.parametrize(("fault", "given"), FAULTS.values(), ids=FAULTS.keys())
def test_the_outcome_of_a_superseded_update_is_settled_afterwards(centre, fault, given):
    centre.world.enqueue("TASK", "Billing", waited=HOUR - 30 * SECOND)
    app = centre.router(LADDER, **{"execute.retry.attempts": 2})
    centre.world.faults.add(fault, UPDATE, **given)
    app.cycle.run(until=None)
    centre.clock.travel(31 * SECOND)
    app.cycle.run(until=None)
    app.cycle.run(until=None)

    assert len(to_queues(centre)) == 1
    assert [one for one in updates(app) if one.open] == []


@pytest.mark.parametrize(("fault", "given"), FAULTS.values(), ids=FAULTS.keys())
def test_a_move_that_is_due_together_with_an_update_is_made_in_the_same_cycle(centre, fault, given):
    centre.world.enqueue("TASK", "Billing", waited=HOUR + MINUTE)
    app = centre.router(LADDER)
    centre.world.faults.add(fault, UPDATE, **given)
    began = time.monotonic()
    app.cycle.run(until=began + 20)

    assert to_queues(centre) == ["Billing Overflow"]
    assert time.monotonic() - began < 10, "a throttled update is not tried until the next poll"


def test_after_a_crash_an_open_update_does_not_hold_the_move(centre):
    centre.world.enqueue("TASK", "Billing", waited=HOUR - 10 * SECOND)
    app = centre.router(LADDER, **{"execute.retry.attempts": 1})
    centre.world.faults.add("reset_before", UPDATE, count=1)
    app.cycle.run(until=None)
    (intent,) = app.ledger.open_intents()
    assert intent.kind is ActionKind.ROUTING
    centre.end(app)

    centre.clock.travel(11 * SECOND)
    again = centre.router(LADDER)
    again.cycle.run(until=None)

    assert to_queues(centre) == ["Billing Overflow"]
    again.cycle.run(until=None)
    assert again.ledger.open_intents() == ()
    assert [one.state for one in updates(again)] == [ActionState.ACTED]


def test_a_move_does_not_wait_for_an_update_that_is_being_tried(centre):
    centre.world.enqueue("TASK", "Billing", waited=HOUR + MINUTE)
    app = centre.router(LADDER.replace('at = "1h"', 'at = "2h"'))
    centre.world.faults.add("slow", UPDATE, count=1, delay=2 * SECOND)
    trying = Thread(target=lambda: app.cycle.run(until=None))
    trying.start()
    end = time.monotonic() + 10
    while not centre.sandbox.count(UPDATE) and time.monotonic() < end:
        time.sleep(0.01)
    (contact,) = centre.world.waiting("Billing")

    assert contact.id not in app.cycle.executor.in_progress.contacts, "the move may be decided on"
    with app.cycle.executor.in_progress.claim(contact.id) as mine:
        assert mine
    trying.join(60)


@pytest.mark.parametrize("fault", ["error_500", "reset_before", "throttle"])
def test_a_place_that_cannot_be_given_back_does_not_hold_the_next_move(centre, fault):
    centre.world.enqueue("TASK", "Billing", waited=HOUR + 30 * SECOND)
    app = centre.router(TWICE, **{"guard.cooldown": "0s"})
    centre.world.faults.add(fault, UPDATE)
    app.cycle.run(until=None)
    for _ in range(10):
        centre.clock.travel(SECOND)
        app.follower.look()
    assert to_queues(centre) == ["Billing Overflow"]
    (place,) = app.ledger.open_follow_ups()
    assert fault == "throttle" or place.sent_at is not None

    centre.clock.travel(30 * SECOND)
    app.cycle.run(until=None)

    assert to_queues(centre) == ["Billing Overflow", "General"]
    centre.clock.travel(2 * MINUTE)
    app.follower.look()
    assert place.id not in {one.id for one in app.ledger.open_follow_ups()}
