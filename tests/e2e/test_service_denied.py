"""Checks what a missing permission, bad credentials and a full instance stop, for how long, and that it is logged."""

from datetime import timedelta

from tests.e2e.centre import AGENT_FLOW, FLOW

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

TWO_FLOWS = """
[[rule]]
name = "first"
[rule.match]
queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ queue = "Billing Overflow", flow = "Overflow to queue" }]

[[rule]]
name = "second"
[rule.match]
queue = "General"
[[rule.step]]
at = "1h"
to = [{ queue = "Supervisors", flow = "Second flow" }]
"""


def lines(events, event):
    return [line for line in events if line["event"] == event]


def reasons(events):
    return {line["contact_id"]: line["reason"] for line in lines(events, "contact.held")}


def transfers(centre):
    return centre.sandbox.count("TransferContact")


def moved(centre):
    return {one.contact_id for one in centre.world.transfers}


def test_a_denied_flow_is_tried_again_after_five_minutes_by_the_most_urgent_contact(centre, events):
    urgent = centre.world.enqueue("TASK", "Billing", waited=9 * HOUR)
    other = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    denied = centre.world.faults.add("access_denied", "TransferContact", count=2)
    app = centre.router(**{"execute.workers": 1})
    for _ in range(3):
        app.cycle.run(until=None)
    assert transfers(centre) == 1
    centre.clock.travel(timedelta(minutes=5, seconds=1))
    app.cycle.run(until=None)
    assert transfers(centre) == 2
    assert denied.fired == 2
    centre.clock.travel(timedelta(minutes=5, seconds=1))
    app.cycle.run(until=None)
    assert [one.contact_id for one in centre.world.transfers] == [urgent, other]


def test_what_is_held_as_denied_is_said_once_and_not_at_each_try(centre, events):
    contacts = {centre.world.enqueue("TASK", "Billing", waited=2 * HOUR) for _ in range(3)}
    centre.world.faults.add("access_denied", "TransferContact")
    app = centre.router(**{"execute.workers": 1})
    for _ in range(4):
        app.cycle.run(until=None)
        centre.clock.travel(timedelta(minutes=5, seconds=1))
    told = [line["contact_id"] for line in lines(events, "contact.held")]
    assert set(told) == contacts
    assert len(told) == 3
    assert set(reasons(events).values()) == {"denied"}


def test_a_denied_flow_is_named_in_an_error_and_two_stop_all_transfers(centre, events):
    centre.world.add_flow("Second flow", type="QUEUE_TRANSFER")
    centre.world.enqueue("TASK", "Billing", waited=3 * HOUR)
    centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    centre.world.faults.add("access_denied", "TransferContact")
    app = centre.router(TWO_FLOWS, **{"execute.workers": 1})
    app.cycle.run(until=None)
    told = [line for line in lines(events, "api.denied") if "stops" in line]
    assert [(line["flow"], line["stops"], line["log_level"]) for line in told] == [
        (FLOW, "flow", "error"),
        ("Second flow", "transfers", "error"),
    ]


def test_a_probe_that_is_picked_up_meanwhile_leaves_the_try_to_the_next_contact(centre, events):
    first = centre.world.enqueue("TASK", "Billing", waited=9 * HOUR)
    second = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("access_denied", "TransferContact", count=1)
    app = centre.router(**{"execute.workers": 1})
    app.cycle.run(until=None)
    centre.clock.travel(timedelta(minutes=6))

    def taken(params):
        if params["ContactId"] == first and centre.world.queue_of(first) is not None:
            centre.world.accept(first, "supervisor.one")

    centre.sandbox.before("DescribeContact", taken)
    app.cycle.run(until=None)
    assert moved(centre) == {second}


def test_a_probe_whose_answer_is_lost_does_not_leave_the_block_for_ever(centre, events):
    first = centre.world.enqueue("TASK", "Billing", waited=9 * HOUR)
    second = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("access_denied", "TransferContact", count=1)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    app = centre.router(**{"execute.workers": 1, "execute.retry.attempts": 1})
    app.cycle.run(until=None)
    centre.clock.travel(timedelta(minutes=6))
    app.cycle.run(until=None)
    app.cycle.run(until=None)
    assert moved(centre) == {first, second}


def test_a_full_instance_is_tried_once_a_minute_and_the_others_are_held_with_that_reason(centre, events):
    contacts = [centre.world.enqueue("TASK", "Billing", waited=hours * HOUR) for hours in (9, 5, 3)]
    centre.world.faults.add("error", "TransferContact", code="ServiceQuotaExceededException", message="full", count=2)
    app = centre.router(**{"execute.workers": 1})
    for _ in range(3):
        app.cycle.run(until=None)
    assert transfers(centre) == 1
    assert set(reasons(events).values()) == {"instance_full"}
    assert set(reasons(events)) == set(contacts)
    centre.clock.travel(timedelta(seconds=61))
    app.cycle.run(until=None)
    assert transfers(centre) == 2
    centre.clock.travel(timedelta(seconds=61))
    app.cycle.run(until=None)
    app.cycle.run(until=None)
    assert moved(centre) == set(contacts)


def test_a_contact_whose_own_chain_is_full_does_not_hold_up_all_others(centre, events):
    bad = centre.world.enqueue("TASK", "Billing", waited=9 * HOUR)
    good = {centre.world.enqueue("TASK", "Billing", waited=2 * HOUR) for _ in range(3)}
    code = "ServiceQuotaExceededException"
    centre.world.faults.add("error", "TransferContact", code=code, message="chain", contact_id=bad)
    app = centre.router(**{"execute.workers": 1})
    for _ in range(12):
        app.cycle.run(until=None)
        centre.clock.travel(timedelta(seconds=31))
    assert moved(centre) == good
    assert reasons(events)[bad] == "failed_before"


def test_refused_credentials_stop_every_call_for_five_minutes(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    refused = centre.world.faults.add("expired_credentials")
    report = app.cycle.run(until=None)
    assert not report.complete
    calls = len(centre.sandbox.calls)
    for _ in range(3):
        app.cycle.run(until=None)
        app.follower.look()
    assert len(centre.sandbox.calls) == calls
    refused.count = 0
    centre.clock.travel(timedelta(minutes=5, seconds=1))
    app.cycle.run(until=None)
    assert moved(centre) == {contact}


def test_a_denied_reading_stops_moves_while_the_search_goes_on(centre, events):
    contact = centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR)
    centre.world.faults.add("access_denied", "DescribeContact")
    app = centre.router()
    reports = [app.cycle.run(until=None) for _ in range(3)]
    assert [report.waiting for report in reports] == [1, 1, 1]
    assert centre.sandbox.count("DescribeContact") == 3, "its pauses are read once a cycle, and no move is tried"
    assert transfers(centre) == 0
    assert reasons(events) == {contact: "denied"}


def test_a_flow_to_agents_that_is_denied_leaves_the_flow_to_queues_alone(centre, events):
    rules = TWO_FLOWS.replace(
        '{ queue = "Supervisors", flow = "Second flow" }', f'{{ agent = "supervisor.one", flow = "{AGENT_FLOW}" }}'
    )
    to_queue = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    to_agent = centre.world.enqueue("TASK", "General", waited=3 * HOUR)
    centre.world.faults.add("access_denied", "TransferContact", contact_id=to_agent)
    app = centre.router(rules)
    for _ in range(2):
        app.cycle.run(until=None)
    assert moved(centre) == {to_queue}
    assert reasons(events) == {to_agent: "denied"}
