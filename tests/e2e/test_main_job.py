"""Checks the main job over HTTP: of a mixed crowd, exactly the late ones are moved, once, the most overdue first."""

from datetime import timedelta

import pytest

from router.rules.rule import Mode
from router.sandbox import Behaviours
from tests.e2e.centre import AGENT_FLOW, FLOW

HOUR = timedelta(hours=1)


def names(events, event):
    return [line for line in events if line["event"] == event]


def held(events):
    return {line["contact_id"]: line["reason"] for line in names(events, "contact.held")}


def moved(centre):
    return [transfer.contact_id for transfer in centre.world.transfers]


def crowd(world):
    """Adds every kind of contact that an instance may have; only the late ones of Billing concern the rule."""
    late = {
        world.enqueue("TASK", "Billing", waited=2 * HOUR): 2 * HOUR,
        world.enqueue("EMAIL", "Billing", waited=5 * HOUR): 5 * HOUR,
        world.enqueue("TASK", "Billing", waited=3 * HOUR): 3 * HOUR,
    }
    world.enqueue("TASK", "Billing", waited=HOUR / 2)
    world.enqueue("VOICE", "Billing", waited=2 * HOUR)
    world.enqueue("CHAT", "Billing", waited=2 * HOUR)
    world.enqueue("TASK", "General", waited=9 * HOUR)
    connected = world.enqueue("TASK", "Billing", waited=4 * HOUR)
    world.accept(connected, "supervisor.one")
    ended = world.enqueue("EMAIL", "Billing", waited=4 * HOUR)
    world.finish(ended)
    paused = world.enqueue("TASK", "Billing", waited=6 * HOUR)
    world.pause(paused)
    world.schedule("TASK", "Billing", start_in=HOUR)
    return late


def test_of_a_mixed_crowd_exactly_the_late_tasks_and_emails_are_moved_most_overdue_first(centre, events):
    late = crowd(centre.world)
    app = centre.router(**{"execute.workers": 1})
    report = app.cycle.run(until=None)
    centre.land(app)
    assert moved(centre) == sorted(late, key=lambda contact: -late[contact])
    assert report.transferred == 3
    assert {transfer.to_queue for transfer in centre.world.transfers} == {"Billing Overflow"}
    assert centre.world.taken_from_agents == ()
    assert [line["contact_id"] for line in names(events, "contact.transferred")] == moved(centre)
    assert {line["landing"] for line in names(events, "contact.landed")} == {"queued"}


def test_a_second_pass_over_the_same_instance_moves_nothing(centre):
    late = crowd(centre.world)
    app = centre.router()
    for _ in range(3):
        app.cycle.run(until=None)
        centre.land(app)
    assert sorted(moved(centre)) == sorted(late)


def test_a_new_run_on_the_same_ledger_moves_nothing_again(centre):
    late = crowd(centre.world)
    first = centre.router()
    first.cycle.run(until=None)
    centre.land(first)
    centre.end(first)
    centre.router().cycle.run(until=None)
    assert sorted(moved(centre)) == sorted(late)


def test_in_observe_mode_the_same_decisions_are_told_once_and_nothing_is_moved(centre, events):
    late = crowd(centre.world)
    app = centre.router(mode=Mode.OBSERVE)
    for _ in range(2):
        app.cycle.run(until=None)
    assert moved(centre) == []
    assert sorted(line["contact_id"] for line in names(events, "contact.would_transfer")) == sorted(late)
    assert {call.operation for call in centre.sandbox.calls}.isdisjoint({"TransferContact", "UpdateContactRoutingData"})


@pytest.mark.parametrize("behaviours", [Behaviours(index_lag=timedelta(minutes=2))], ids=["two minutes behind"])
def test_a_contact_that_an_agent_took_while_the_index_lagged_is_not_moved(centre, events, behaviours):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.clock.travel(timedelta(minutes=3))
    centre.world.accept(contact, "supervisor.one")
    app = centre.router()
    app.cycle.run(until=None)
    assert moved(centre) == []
    assert held(events) == {contact: "picked_up"}


@pytest.mark.parametrize("behaviours", [Behaviours(index_lag=timedelta(minutes=2))], ids=["two minutes behind"])
def test_old_segments_that_still_look_queued_are_not_moved_again(centre, behaviours):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.clock.travel(timedelta(minutes=3))
    app = centre.router()
    for _ in range(4):
        app.cycle.run(until=None)
        centre.land(app)
    assert len(moved(centre)) == 1


def test_an_agent_who_accepts_between_the_reading_and_the_call_is_reported(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.sandbox.before("TransferContact", lambda params: centre.world.accept(contact, "supervisor.one"))
    app = centre.router()
    app.cycle.run(until=None)
    centre.land(app)
    taken = names(events, "contact.taken_from_agent")
    assert [line["contact_id"] for line in taken] == [contact]
    assert taken[0]["log_level"] == "error"
    assert 0 <= taken[0]["read_age_ms"] <= 2000


MATRIX = [
    Behaviours(),
    Behaviours(answer_id="old"),
    Behaviours(transfer="same_contact"),
    Behaviours(not_exists="ignored"),
    Behaviours(not_exists="refused"),
    Behaviours(queue_info="arn"),
    Behaviours(repeated_token="refused"),
    Behaviours(repeated_token="unknown"),
    Behaviours(new_segment_initial_id="lost"),
    Behaviours(answer_id="old", new_segment_initial_id="lost"),
    Behaviours(throttle_code="TooManyRequestsException", error_bodies="empty"),
    Behaviours(error_bodies="not_json"),
    Behaviours(transfer_initiation_method="API"),
]


@pytest.mark.parametrize("behaviours", MATRIX, ids=lambda one: str(one).removeprefix("Behaviours")[:0] or None)
def test_the_main_job_is_right_whichever_way_connect_answers(centre, events, behaviours):
    late = crowd(centre.world)
    app = centre.router()
    for _ in range(3):
        app.cycle.run(until=None)
        centre.land(app)
        centre.clock.travel(timedelta(seconds=20))
    assert sorted(moved(centre)) == sorted(late)
    assert names(events, "contact.stray") == []


def test_a_throttled_call_is_repeated_with_the_same_token_and_moves_once(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("throttle", "TransferContact", count=2)
    app = centre.router()
    app.cycle.run(until=None)
    calls = [call for call in centre.sandbox.calls if call.operation == "TransferContact"]
    assert len(calls) == 3
    assert len({call.params["ClientToken"] for call in calls}) == 1
    assert moved(centre) == [contact]
    assert names(events, "contact.transferred")[0]["attempts"] == 3


@pytest.mark.parametrize("fault", ["reset_after", "error_500", "garbage"])
def test_a_lost_answer_is_settled_by_reading_and_never_moves_twice(centre, events, fault):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add(fault, "TransferContact", count=1)
    app = centre.router()
    for _ in range(2):
        app.cycle.run(until=None)
        centre.land(app)
    assert moved(centre) == [contact]
    assert app.ledger.open_intents() == ()


LADDER = """
[defaults]
flow = "Overflow to queue"
agent_flow = "Escalate to agent"

[[rule]]
name = "ladder"
[rule.match]
queue = "Billing"
[rule.sla]
target = "1h"
[[rule.step]]
at = "50%"
warn = "half of the promise is gone"
[[rule.step]]
at = "breach"
to = [{ queue = "Billing Overflow" }, { queue = "General" }]
"""


def refuse(centre, code="InvalidRequestException", count=1):
    centre.world.faults.add("error", "TransferContact", count=count, code=code, message="no")


def test_a_refused_destination_is_followed_by_the_next_of_the_step_in_the_same_cycle(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    refuse(centre)
    centre.router(LADDER).cycle.run(until=None)
    assert [transfer.to_queue for transfer in centre.world.transfers] == ["General"]
    assert names(events, "contact.failed")[0]["error"] == "InvalidRequestException"


def test_when_every_destination_was_refused_the_contact_is_held_as_failed_before(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    refuse(centre, count=2)
    app = centre.router(LADDER)
    for _ in range(3):
        app.cycle.run(until=None)
    assert moved(centre) == []
    assert held(events) == {contact: "failed_before"}
    calls = [call for call in centre.sandbox.calls if call.operation == "TransferContact"]
    assert len(calls) == 2


def test_a_warning_is_told_once_per_wait(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=timedelta(minutes=40))
    app = centre.router(LADDER)
    for _ in range(3):
        app.cycle.run(until=None)
    assert [line["contact_id"] for line in names(events, "contact.warned")] == [contact]


AGENT = """
[[rule]]
name = "to-supervisor"
[rule.match]
queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ agent = "supervisor.one", flow = "Escalate to agent" }]
"""


def test_a_contact_is_sent_to_an_agent_who_is_routable_with_a_free_slot(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(AGENT)
    app.cycle.run(until=None)
    assert [(one.contact_id, one.to_agent, one.flow) for one in centre.world.transfers] == [
        (contact, "supervisor.one", AGENT_FLOW)
    ]
    assert names(events, "contact.transferred")[0]["to_agent"] == "supervisor.one"


def test_a_contact_is_not_sent_to_an_agent_who_is_offline(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.set_status("supervisor.one", "Offline")
    centre.router(AGENT).cycle.run(until=None)
    assert moved(centre) == []
    assert held(events) == {contact: "no_eligible_destination"}


SHIELDED = """
[[rule]]
name = "hands-off"
[rule.match]
name = "LEGAL*"

""" + LADDER.replace("[defaults]", "").replace('flow = "Overflow to queue"\nagent_flow = "Escalate to agent"\n', "")


def test_an_exclusion_rule_keeps_its_contacts_from_every_rule_below_it(centre, events):
    rules = '[defaults]\nflow = "Overflow to queue"\n' + SHIELDED
    shielded = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, name="LEGAL 12")
    other = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, name="invoice")
    centre.router(rules).cycle.run(until=None)
    assert moved(centre) == [other]
    assert held(events) == {shielded: "excluded"}


def test_rules_that_name_what_the_instance_lacks_hold_their_contacts_loudly(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(LADDER.replace("General", "Genral").replace("Billing Overflow", "Billing Oberflow"))
    app.cycle.run(until=None)
    assert moved(centre) == []
    assert held(events) == {contact: "unresolved"}
    lines = names(events, "rules.unresolved")
    assert [line["log_level"] for line in lines] == ["error", "error"]
    assert "did you mean 'General'" in lines[0]["message"]


def test_a_flow_that_eats_contacts_is_stopped_after_the_limit_and_the_strays_are_reported(centre, events):
    centre.world.set_flow(FLOW, outcome="never")
    for number in range(6):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR + number * HOUR)
    app = centre.router(**{"guard.unlanded": 3})
    app.cycle.run(until=app.clock.monotonic() + 2)
    for _ in range(4):
        centre.clock.travel(timedelta(minutes=1))
        app.follower.look()
    app.cycle.run(until=app.clock.monotonic() + 2)
    assert len(moved(centre)) == 3
    assert len(names(events, "contact.stray")) == 3
    assert len(names(events, "flow.suspended")) == 1
    assert set(held(events).values()) == {"flow_suspended"}


def test_a_contact_that_lands_elsewhere_is_told_as_diverted(centre, events):
    centre.world.set_flow(FLOW, outcome="elsewhere", elsewhere="General")
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    centre.land(app)
    [line] = names(events, "contact.landed")
    assert line["diverted"] is True
    assert line["queue"] == "General"


def test_access_denied_for_a_flow_stops_it_after_one_call(centre, events):
    for _ in range(5):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("access_denied", "TransferContact")
    app = centre.router(**{"execute.workers": 1})
    for _ in range(3):
        app.cycle.run(until=None)
    calls = [call for call in centre.sandbox.calls if call.operation == "TransferContact"]
    assert len(calls) == 1
    assert set(held(events).values()) == {"denied"}


def test_at_most_per_cycle_contacts_are_moved_and_the_others_are_held_with_that_reason(centre, events):
    for number in range(5):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR + number * HOUR)
    app = centre.router(**{"guard.per_cycle": 2})
    report = app.cycle.run(until=None)
    assert report.transferred == 2
    assert report.held == {"per_cycle": 3}


def test_an_intent_of_an_earlier_run_is_settled_by_reading_before_anything_else(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    first = centre.router(**{"execute.retry.attempts": 1})
    centre.world.faults.add("reset_after", "TransferContact", count=1)
    first.cycle.run(until=None)
    assert len(first.ledger.open_intents()) == 1
    centre.end(first)
    second = centre.router()
    second.cycle.run(until=None)
    assert second.ledger.open_intents() == ()
    assert moved(centre) == [contact]
    assert [line["outcome"] for line in names(events, "contact.recovered")] == ["acted"]


def test_an_untouched_intent_of_an_earlier_run_is_repeated_with_its_own_token(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    first = centre.router(**{"execute.retry.attempts": 1})
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    first.cycle.run(until=None)
    [intent] = first.ledger.open_intents()
    centre.end(first)
    centre.router().cycle.run(until=None)
    assert moved(centre) == [contact]
    assert centre.world.transfers[0].token == intent.token


def test_an_untouched_intent_older_than_ten_minutes_is_recorded_as_never_sent_and_decided_anew(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(**{"execute.retry.attempts": 1})
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    app.cycle.run(until=None)
    [intent] = app.ledger.open_intents()
    centre.clock.travel(timedelta(minutes=11))
    app.cycle.run(until=None)
    assert moved(centre) == [contact]
    assert [line["outcome"] for line in names(events, "contact.recovered")] == ["never_sent"]
    assert centre.world.transfers[0].token != intent.token


@pytest.mark.parametrize("behaviours", [Behaviours(index_lag=timedelta(minutes=2))], ids=["two minutes behind"])
def test_a_stale_row_is_read_again_once_and_told_once_not_in_every_cycle(centre, events, behaviours):
    contact = centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR)
    centre.clock.travel(timedelta(minutes=3))
    centre.world.accept(contact, "supervisor.one")
    app = centre.router()
    for _ in range(4):
        app.cycle.run(until=None)
    assert centre.sandbox.count("DescribeContact") == 1
    assert len(names(events, "contact.held")) == 1


@pytest.mark.parametrize("behaviours", [Behaviours(index_lag=timedelta(minutes=2))], ids=["two minutes behind"])
def test_contacts_that_agents_have_picked_up_do_not_use_up_the_quota_of_transfers(centre, behaviours):
    for number in range(6):
        centre.world.enqueue("TASK", "Billing", waited=(4 + number) * HOUR)
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.clock.travel(timedelta(minutes=3))
    for waiting in centre.world.waiting("Billing"):
        if waiting.id != late:
            centre.world.accept(waiting.id, "supervisor.one")
    app = centre.router(**{"quotas.TransferContact": {"rate": 0.001, "burst": 1}})
    app.cycle.run(until=app.clock.monotonic() + 3)
    assert moved(centre) == [late]
