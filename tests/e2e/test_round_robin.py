"""Checks that earlier moves count for the next pick for as long as they must, enforced or only observed."""

from datetime import timedelta

from router.rules.rule import Mode

HOUR = timedelta(hours=1)
IN_TURN = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "late"
match.queue = "Billing"
[[rule.step]]
at = "1h"
pick = "round-robin"
to = [{ queue = "Billing Overflow" }, { queue = "General" }, { queue = "Supervisors" }]
"""
ONE_PLACE = IN_TURN.replace('pick = "round-robin"\n', "").replace(
    '{ queue = "Billing Overflow" }, { queue = "General" }, { queue = "Supervisors" }',
    '{ queue = "General", contacts_in_queue = { max = 1 } }',
)


def went(events, name):
    return [line["to_queue"] for line in events if line["event"] == name]


def test_the_turn_is_remembered_for_longer_than_an_hour_and_by_the_next_process(centre):
    for _ in range(4):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
        app = centre.router(IN_TURN)
        app.cycle.run(until=None)
        centre.land(app)
        centre.end(app)
        centre.clock.travel(3 * HOUR)
    queues = [one.to_queue for one in centre.world.transfers]
    assert queues == ["Billing Overflow", "General", "Supervisors", "Billing Overflow"]


def test_in_observe_mode_the_turn_goes_on_from_cycle_to_cycle(centre, events):
    for minutes in (1, 2, 3):
        centre.world.enqueue("TASK", "Billing", waited=HOUR + timedelta(minutes=minutes))
    app = centre.router(IN_TURN, mode=Mode.OBSERVE, **{"guard.per_cycle": 1})
    for _ in range(3):
        app.cycle.run(until=None)
    assert went(events, "contact.would_transfer") == ["Billing Overflow", "General", "Supervisors"]


def test_in_observe_mode_what_would_have_been_sent_takes_the_place_until_metrics_would_show_it(centre, events):
    centre.world.enqueue("TASK", "General")
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(ONE_PLACE, mode=Mode.OBSERVE)
    app.cycle.run(until=None)
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    assert app.cycle.run(until=None).held == {"no_eligible_destination": 1}
    assert went(events, "contact.would_transfer") == ["General"]
