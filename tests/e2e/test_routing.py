"""Steps that change a contact's place, and the place that a moved contact is given back, over HTTP."""

from datetime import timedelta

import pytest

from router.model import ActionKind, ActionState, HoldReason
from router.rules.rule import Mode
from router.sandbox import Behaviours, FlowOutcome

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
BUMP = """
[[rule]]
name = "bump"
match.queue = "Billing"
[[rule.step]]
at = "1h"
routing = { priority = 2 }
"""
AGE = BUMP.replace("{ priority = 2 }", '{ age = "+10m" }')
BUMP_AND_MOVE = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "ladder"
match.queue = "Billing"
[[rule.step]]
at = "30m"
routing = { priority = 2 }
[[rule.step]]
at = "1h"
to = [{ queue = "Billing Overflow" }]
"""


def run(app):
    return dict(app.cycle.run(until=None).held)


def place(centre, contact_id):
    contact = centre.world.latest(contact_id)
    return contact.priority, contact.adjustment


def updates(centre):
    return [call.params for call in centre.sandbox.calls if call.operation == "UpdateContactRoutingData"]


def told(events, name):
    return [line for line in events if line["event"] == name]


def routing_acts(app):
    return [action for action in app.ledger.history() if action.kind is ActionKind.ROUTING]


def test_a_bumped_contact_overtakes_its_equals_and_uses_no_transfer(centre, events):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    others = [centre.world.enqueue("TASK", "Billing", waited=3 * HOUR, priority=3) for _ in range(2)]
    app = centre.router(BUMP)
    assert run(app) == {}
    run(app)
    waiting = sorted(centre.world.waiting("Billing"), key=lambda one: one.order())
    assert {one.id for one in waiting} == {late, *others}
    assert {place(centre, one) for one in (late, *others)} == {(2, timedelta())}
    assert len(updates(centre)) == 3, "once for each, and no more"
    assert centre.world.transfers == ()
    lines = told(events, "contact.reprioritized")
    seen = {(line["changed"], line["priority"], line["before_priority"]) for line in lines}
    assert seen == {(True, 2, 3), (True, 2, 5)}, "the workers end in any order"


def test_a_place_that_is_as_good_already_is_left_alone(centre, events):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, priority=1)
    app = centre.router(BUMP)
    run(app)
    run(app)
    assert updates(centre) == []
    assert place(centre, late) == (1, timedelta())
    (line,) = told(events, "contact.reprioritized")
    assert line["changed"] is False


@pytest.mark.parametrize("behaviours", [Behaviours(routing_age="sets"), Behaviours(routing_age="adds")])
def test_a_routing_age_is_added(centre, behaviours):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    run(centre.router(AGE))
    assert place(centre, late) == (5, 10 * MINUTE)


def test_a_contact_that_an_agent_took_is_not_changed(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(BUMP)
    centre.world.accept(late, "supervisor.one")
    run(app)
    assert updates(centre) == []


def test_in_observe_mode_it_is_told_once_and_nothing_is_sent(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(BUMP, mode=Mode.OBSERVE)
    run(app)
    run(app)
    assert updates(centre) == []
    assert len(told(events, "contact.would_reprioritize")) == 1
    assert app.ledger.history() == ()


def test_an_answer_that_was_lost_is_settled_by_reading_and_the_update_not_repeated(centre, events):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(AGE)
    centre.world.faults.add("reset_after", "UpdateContactRoutingData", count=1)
    run(app)
    (intent,) = app.ledger.open_intents()
    assert intent.kind is ActionKind.ROUTING
    run(app)
    assert app.ledger.open_intents() == ()
    assert [line["outcome"] for line in told(events, "contact.recovered")] == ["acted"]
    assert (len(updates(centre)), place(centre, late)) == (1, (5, 10 * MINUTE))


def test_a_call_that_was_lost_is_repeated_once_connect_has_had_the_time_to_apply_it(centre, events):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(BUMP)
    centre.world.faults.add("reset_before", "UpdateContactRoutingData", count=1)
    run(app)
    run(app)
    assert len(updates(centre)) == 1, "it may still be applied"
    assert len(app.ledger.open_intents()) == 1
    centre.clock.travel(61 * SECOND)
    run(app)
    assert [line["outcome"] for line in told(events, "contact.recovered")] == ["repeated"]
    assert place(centre, late) == (2, timedelta())


def test_an_intent_of_a_process_that_died_is_settled_by_the_next(centre, events):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(BUMP)
    centre.world.faults.add("reset_after", "UpdateContactRoutingData", count=1)
    run(app)
    centre.end(app)
    again = centre.router(BUMP)
    run(again)
    assert [action.state for action in routing_acts(again)] == [ActionState.ACTED]
    assert (len(updates(centre)), place(centre, late)) == (1, (2, timedelta()))


def test_a_throttled_update_is_tried_again(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(BUMP)
    centre.world.faults.add("throttle", "UpdateContactRoutingData", count=1)
    assert run(app) == {}
    assert place(centre, late) == (2, timedelta())


def test_a_refused_update_is_over_for_this_wait_and_does_not_hold_the_move(centre, events):
    late = centre.world.enqueue("TASK", "Billing", waited=45 * MINUTE)
    app = centre.router(BUMP_AND_MOVE)
    centre.world.faults.add("error", "UpdateContactRoutingData", code="InvalidRequestException")
    assert run(app) == {}
    centre.clock.travel(16 * MINUTE)
    assert run(app) == {}
    assert [move.to_queue for move in centre.world.transfers] == ["Billing Overflow"]
    assert [line["error"] for line in told(events, "contact.failed")] == ["InvalidRequestException"]
    assert place(centre, late)[0] == 5


def test_a_missing_permission_stops_updates_and_no_moves(centre, events):
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=45 * MINUTE)
    app = centre.router(BUMP_AND_MOVE, **{"execute.workers": 1})
    centre.world.faults.add("error", "UpdateContactRoutingData", code="AccessDeniedException")
    assert run(app) == {HoldReason.DENIED: 3}
    assert len(updates(centre)) == 1
    centre.clock.travel(16 * MINUTE)
    run(app)
    assert len(centre.world.transfers) == 3
    (line,) = [one for one in told(events, "api.denied") if one.get("stops")]
    assert (line["operation"], line["stops"]) == ("UpdateContactRoutingData", "routing")


def test_due_together_the_move_is_made_first_and_the_place_is_changed_in_the_new_queue(centre, events):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(BUMP_AND_MOVE, **{"execute.workers": 1})
    assert run(app) == {HoldReason.IN_FLIGHT: 1}
    assert updates(centre) == [], "no update comes before the move of its contact"
    (line,) = told(events, "contact.held")
    assert (line["reason"], line["step"]) == ("in_flight", 1)
    centre.land(app)
    assert centre.world.queue_of(centre.world.latest(late).id) == "Billing Overflow"
    centre.clock.travel(61 * SECOND)
    run(app)
    assert place(centre, late)[0] == 2


def test_within_a_minute_of_a_change_no_other_is_made(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(BUMP + BUMP.replace('"bump"', '"again"').replace("priority = 2", "priority = 1"))
    assert run(app) == {HoldReason.IN_FLIGHT: 1}
    centre.clock.travel(50 * SECOND)
    assert run(app) == {HoldReason.IN_FLIGHT: 1}
    assert place(centre, late)[0] == 2
    centre.clock.travel(11 * SECOND)
    assert run(app) == {}
    assert place(centre, late)[0] == 1


MOVE = BUMP_AND_MOVE.replace('at = "30m"\nrouting = { priority = 2 }', 'at = "30m"\nwarn = "half an hour"')
KEEPS = [
    Behaviours(new_segment_priority=keeps, routing_age=age, priority_excludes_age=excludes, routing_delay=delay)
    for keeps in ("kept", "lost")
    for age in ("sets", "adds")
    for excludes in (False, True)
    for delay in (timedelta(), MINUTE)
]


@pytest.mark.parametrize("behaviours", KEEPS, ids=str)
@pytest.mark.parametrize(("priority", "kept"), [(5, (5, 2 * HOUR)), (2, (2, timedelta()))])
def test_a_moved_contact_is_given_its_place_back_whichever_way_connect_answers(centre, behaviours, priority, kept):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, priority=priority)
    app = centre.router(MOVE)
    run(app)
    centre.land(app)
    centre.clock.travel(MINUTE)
    has = place(centre, late)
    assert has[0] == kept[0]
    assert abs(has[1] - kept[1]) < 5 * SECOND
    for _ in range(3):
        centre.clock.travel(2 * MINUTE)
        app.follower.look()
    assert place(centre, late) == has, "given once"


def test_a_contact_whose_flow_sets_a_priority_is_given_nothing(centre):
    centre.world.set_flow("Overflow to queue", outcome=FlowOutcome(priority=4))
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(MOVE)
    run(app)
    centre.land(app)
    assert updates(centre) == []
    assert place(centre, late)[0] == 4


def test_with_keep_place_off_nothing_is_given(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(MOVE, **{"execute.keep_place": False})
    run(app)
    centre.land(app)
    assert updates(centre) == []


def test_a_refusal_is_a_warning_and_no_failure(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(MOVE)
    centre.world.faults.add("error", "UpdateContactRoutingData", code="InvalidRequestException")
    report = app.cycle.run(until=None)
    centre.land(app)
    assert (report.failed, report.transferred) == (0, 1)
    (line,) = told(events, "contact.place_lost")
    assert (line["log_level"], line["error"]) == ("warning", "InvalidRequestException")
    app.follower.look()
    assert len(updates(centre)) == 1


def test_a_place_whose_answer_was_lost_is_not_given_twice(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(MOVE)
    centre.world.faults.add("reset_after", "UpdateContactRoutingData", count=1)
    run(app)
    centre.land(app)
    centre.clock.travel(2 * MINUTE)
    app.follower.look()
    assert (len(updates(centre)), place(centre, late)[0]) == (1, 5)
    assert app.ledger.open_follow_ups() == ()


def test_a_place_that_a_dead_process_had_still_to_give_is_given_by_the_next(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(MOVE)
    centre.world.faults.add("reset_before", "UpdateContactRoutingData", count=1)
    run(app)
    centre.land(app)
    (open_one,) = app.ledger.open_follow_ups()
    assert open_one.sent_at is not None
    centre.end(app)
    again = centre.router(MOVE)
    again.follower.look()
    assert len(updates(centre)) == 1, "it may still be applied"
    centre.clock.travel(61 * SECOND)
    again.follower.look()
    assert abs(place(centre, late)[1] - 2 * HOUR) < 5 * SECOND
    assert again.ledger.open_follow_ups() == ()


def test_a_contact_that_was_answered_meanwhile_is_given_nothing(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(MOVE)
    centre.world.faults.add("reset_before", "UpdateContactRoutingData", count=1)
    run(app)
    centre.land(app)
    centre.world.accept(centre.world.latest(late).id, "supervisor.one")
    centre.clock.travel(61 * SECOND)
    app.follower.look()
    assert len(updates(centre)) == 1
    assert [one.state for one in app.ledger.history() if one.kind is ActionKind.RESTORE_PLACE] == [ActionState.ACTED]
