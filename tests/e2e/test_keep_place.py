"""Checks that a moved contact gets the place that its waiting had earned, whatever Connect does to a new segment."""

from datetime import timedelta

import pytest

from router.rules.rule import Mode
from router.sandbox import Behaviours, FlowOutcome
from tests.e2e.centre import FLOW, LATE_RULE

HOUR = timedelta(hours=1)
UPDATE = "UpdateContactRoutingData"
MARGIN = timedelta(minutes=3)
"""The time that a test lets pass on the clock between the move and the update."""

PLAUSIBLE = {
    f"age {age}, place {kept}, {transfer}": Behaviours(routing_age=age, new_segment_priority=kept, transfer=transfer)
    for age in ("sets", "adds")
    for kept in ("kept", "lost")
    for transfer in ("new_segment", "same_contact")
}


def lines(events, event):
    return [line for line in events if line["event"] == event]


def settle(centre, app, *, times=8):
    """Cycles and looks until nothing more can be under way."""
    for _ in range(times):
        app.cycle.run(until=None)
        app.follower.look()
        centre.clock.travel(timedelta(seconds=15))


def place(centre, contact):
    now = centre.world.latest(contact)
    assert centre.world.queue_of(now.id) == "Billing Overflow"
    return now


@pytest.mark.parametrize("behaviours", PLAUSIBLE.values(), ids=PLAUSIBLE.keys())
def test_the_time_that_the_wait_has_waited_is_given_back_exactly_once(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    settle(centre, centre.router())
    now = place(centre, contact)
    assert now.priority == 5
    assert 2 * HOUR - MARGIN <= now.adjustment <= 2 * HOUR + MARGIN
    assert centre.sandbox.count(UPDATE) == 1


@pytest.mark.parametrize("behaviours", PLAUSIBLE.values(), ids=PLAUSIBLE.keys())
def test_a_priority_that_was_not_the_default_is_given_back_and_no_time_with_it(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, priority=2)
    settle(centre, centre.router())
    now = place(centre, contact)
    assert (now.priority, now.adjustment) == (2, timedelta())
    assert centre.sandbox.count(UPDATE) <= 1


@pytest.mark.parametrize(
    "outcome", [FlowOutcome(then="queue", priority=3), FlowOutcome(then="queue", age=HOUR)], ids=["priority", "age"]
)
@pytest.mark.parametrize("had", [2, 5])
def test_nothing_is_given_back_where_the_flow_has_set_either(centre, outcome, had):
    centre.world.set_flow(FLOW, outcome=outcome)
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, priority=had)
    settle(centre, centre.router())
    place(centre, contact)
    assert centre.sandbox.count(UPDATE) == 0


@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.OBSERVE])
def test_nothing_is_given_back_where_nobody_asks_for_it_or_the_router_only_observes(centre, mode):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    wanted = mode is Mode.OBSERVE
    settle(centre, centre.router(mode=mode, **{"execute.keep_place": wanted}))
    assert centre.sandbox.count(UPDATE) == 0


@pytest.mark.parametrize("fault", ["error", "access_denied"])
def test_a_refusal_is_a_warning_and_no_failure_and_the_move_stands(centre, events, fault):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    details = {"code": "InvalidRequestException"} if fault == "error" else {}
    centre.world.faults.add(fault, UPDATE, **details)
    settle(centre, centre.router())
    assert place(centre, contact).adjustment == timedelta()
    assert lines(events, "contact.failed") == []
    assert len(lines(events, "contact.landed")) == 1


@pytest.mark.parametrize(
    "behaviours",
    [
        Behaviours(routing_age=age, routing_delay=timedelta(seconds=delay))
        for age in ("sets", "adds")
        for delay in (0, 60)
    ],
    ids=lambda one: f"{one.routing_age}, shown after {one.routing_delay.total_seconds():.0f} s",
)
@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
def test_a_lost_answer_gives_the_time_back_neither_twice_nor_never(centre, fault):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add(fault, UPDATE, count=1)
    settle(centre, centre.router(**{"execute.retry.attempts": 1}), times=14)
    assert 2 * HOUR - MARGIN <= place(centre, contact).adjustment <= 2 * HOUR + 2 * MARGIN


@pytest.mark.parametrize("behaviours", [Behaviours(routing_age="adds")], ids=["age adds"])
def test_a_router_that_ends_after_the_call_is_followed_by_one_that_gives_nothing_again(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    first = centre.router()
    first.cycle.run(until=None)
    for _ in range(40):
        centre.clock.travel(timedelta(seconds=2))
        first.follower.look()
        if centre.sandbox.count(UPDATE):
            break
    centre.end(first)
    settle(centre, centre.router(), times=8)
    assert centre.sandbox.count(UPDATE) == 1
    assert 2 * HOUR - MARGIN <= place(centre, contact).adjustment <= 2 * HOUR + MARGIN


TWICE = (
    LATE_RULE
    + """
[[rule]]
name = "later"
[rule.match]
queue = "Billing Overflow"
[[rule.step]]
at = "30m"
to = [{ queue = "General" }]
"""
)


def moved_twice(centre, app):
    """Returns the routing age of a contact that has waited three hours and been moved twice."""
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    settle(centre, app)
    centre.clock.travel(HOUR)
    settle(centre, app)
    now = centre.world.latest(contact)
    assert centre.world.queue_of(now.id) == "General"
    return now.adjustment


@pytest.mark.parametrize("behaviours", PLAUSIBLE.values(), ids=PLAUSIBLE.keys())
def test_after_a_second_move_the_time_of_the_whole_wait_is_given_back(centre):
    """Lets the first contact with an age show whether Connect adds or sets; it may come out too old."""
    app = centre.router(TWICE)
    assert moved_twice(centre, app) >= 3 * HOUR - MARGIN, "never worsened"
    settle(centre, app)
    assert 3 * HOUR - MARGIN <= moved_twice(centre, app) <= 3 * HOUR + 2 * MARGIN


def test_one_pass_does_not_wait_for_places_that_a_missing_permission_keeps_from_being_given(centre):
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("access_denied", UPDATE)
    app = centre.router()
    settle(centre, app, times=3)
    assert len(centre.world.transfers) == 3
    assert not app.follower.pending
