"""Checks that what became of a moved contact is logged once and truly, whichever way Connect shows it."""

from datetime import timedelta

import pytest

from router.model import Landing
from router.sandbox import Behaviours, FlowOutcome
from tests.e2e.centre import AGENT_FLOW, FLOW, LATE_RULE

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

EVERY_WAY = {
    "as documented": Behaviours(),
    "the answer names the old contact": Behaviours(answer_id="old"),
    "the contact keeps its id": Behaviours(transfer="same_contact"),
    "the initial id is lost": Behaviours(new_segment_initial_id="lost"),
    "the previous id is lost": Behaviours(new_segment_previous_id="lost"),
    "the answer names the old contact and both ids are lost": Behaviours(
        answer_id="old", new_segment_initial_id="lost", new_segment_previous_id="lost"
    ),
    "queues are told as ARNs": Behaviours(queue_info="arn", agent_queue_id="arn"),
    "agents' queues have ids of their own": Behaviours(agent_queue_id="own_id"),
}
every_way = pytest.mark.parametrize("behaviours", EVERY_WAY.values(), ids=EVERY_WAY.keys())

TO_AGENT = """
[[rule]]
name = "to-supervisor"
[rule.match]
queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ agent = "supervisor.one", flow = "Escalate to agent" }]
"""


def lines(events, event):
    return [line for line in events if line["event"] == event]


def settle(centre, app, *, looks=12, step=timedelta(seconds=15)):
    for _ in range(looks):
        centre.clock.travel(step)
        app.follower.look()


@every_way
def test_a_contact_that_lands_in_the_queue_named_is_told_once_and_left_alone(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    settle(centre, app)
    app.cycle.run(until=None)
    [landed] = lines(events, "contact.landed")
    assert (landed["landing"], landed["queue"], landed["diverted"]) == ("queued", "Billing Overflow", False)
    assert app.follower.followed == ()
    assert app.safety.slots.taken(app.names.directory.flow(FLOW).id) == 0
    assert lines(events, "contact.stray") == []
    assert lines(events, "contact.taken_from_agent") == []
    assert len(centre.world.transfers) == 1


@every_way
def test_a_lost_answer_is_followed_to_where_the_contact_is(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_after", "TransferContact", count=1)
    app = centre.router(**{"execute.retry.attempts": 1})
    app.cycle.run(until=None)
    app.cycle.run(until=None)
    settle(centre, app)
    assert [line["landing"] for line in lines(events, "contact.landed")] == ["queued"]
    assert lines(events, "contact.stray") == []
    assert len(centre.world.transfers) == 1
    assert app.safety.slots.taken(app.names.directory.flow(FLOW).id) == 0


@every_way
def test_a_contact_sent_to_an_agent_is_followed_until_the_agent_answers(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(TO_AGENT)
    app.cycle.run(until=None)
    settle(centre, app)
    assert [line["landing"] for line in lines(events, "contact.landed")] == ["at_agent"]
    assert [one.landing for one in app.follower.followed] == [Landing.AT_AGENT]
    [waiting] = app.follower.at_agents
    centre.world.accept(waiting.id, "supervisor.one")
    settle(centre, app)
    assert app.follower.followed == ()
    assert app.follower.at_agents == ()
    assert [move.landing for move in app.ledger.history()] == [Landing.ANSWERED]
    assert lines(events, "contact.stray") == []
    assert lines(events, "contact.taken_from_agent") == []


@pytest.mark.parametrize(
    "behaviours",
    [way for way in EVERY_WAY.values() if way.transfer == "new_segment"],
    ids=[name for name, way in EVERY_WAY.items() if way.transfer == "new_segment"],
)
def test_an_agent_who_lost_the_contact_to_the_move_is_told_of_once(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.sandbox.before("TransferContact", lambda params: centre.world.accept(contact, "supervisor.one"))
    app = centre.router()
    app.cycle.run(until=None)
    settle(centre, app)
    [taken] = lines(events, "contact.taken_from_agent")
    assert taken["contact_id"] == contact
    assert taken["log_level"] == "error"
    assert 0 <= taken["read_age_ms"] <= 2000


@every_way
def test_an_agent_who_answers_right_after_the_move_has_lost_nothing(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    [waiting] = centre.world.waiting("Billing Overflow")
    centre.world.accept(waiting.id, "supervisor.one")
    settle(centre, app)
    assert [line["landing"] for line in lines(events, "contact.landed")] == ["answered"]
    assert lines(events, "contact.taken_from_agent") == []


@every_way
def test_an_agent_who_answers_and_finishes_right_after_the_move_has_lost_nothing(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    [waiting] = centre.world.waiting("Billing Overflow")
    centre.world.accept(waiting.id, "supervisor.one")
    centre.world.finish(waiting.id)
    settle(centre, app)
    assert [line["landing"] for line in lines(events, "contact.landed")] == ["ended"]
    assert lines(events, "contact.taken_from_agent") == []
    assert lines(events, "contact.stray") == []


@every_way
def test_an_agent_who_picks_up_a_contact_whose_call_had_no_effect_has_lost_nothing_and_nothing_is_stray(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_before", "TransferContact", count=1)
    app = centre.router(**{"execute.retry.attempts": 1})
    app.cycle.run(until=None)
    centre.world.accept(contact, "supervisor.one")
    app.cycle.run(until=None)
    centre.world.finish(contact)
    settle(centre, app, looks=30)
    assert lines(events, "contact.taken_from_agent") == []
    assert lines(events, "contact.stray") == []
    assert app.follower.followed == ()
    assert app.safety.slots.taken(app.names.directory.flow(FLOW).id) == 0


def test_a_contact_that_no_flow_puts_anywhere_is_reported_stray_once_and_followed_until_it_ends(centre, events):
    centre.world.set_flow(FLOW, outcome="never")
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    settle(centre, app, looks=40)
    [stray] = lines(events, "contact.stray")
    assert stray["log_level"] == "error"
    assert stray["after_s"] >= 120
    assert app.safety.slots.taken(app.names.directory.flow(FLOW).id) == 1
    centre.world.finish(centre.world.latest(contact).id)
    settle(centre, app, looks=40)
    assert [line["landing"] for line in lines(events, "contact.landed")] == ["ended"]
    assert app.follower.followed == ()
    assert app.safety.slots.taken(app.names.directory.flow(FLOW).id) == 0


def test_a_stray_is_looked_at_ever_more_seldom(centre):
    centre.world.set_flow(FLOW, outcome="never")
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    settle(centre, app, looks=60)
    before = centre.sandbox.count("DescribeContact")
    settle(centre, app, looks=40)  # ten minutes
    assert centre.sandbox.count("DescribeContact") - before <= 2


def test_while_connect_does_not_answer_nothing_is_called_stray(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    down = centre.world.faults.add("access_denied", "DescribeContact")
    settle(centre, app, looks=20, step=MINUTE)
    assert lines(events, "contact.stray") == []
    down.count = 0
    settle(centre, app, looks=2)
    assert [line["landing"] for line in lines(events, "contact.landed")] == ["queued"]


def test_a_contact_that_waits_for_an_agent_is_no_stray_because_it_could_not_be_read_once(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(TO_AGENT)
    app.cycle.run(until=None)
    settle(centre, app, looks=20)
    centre.world.faults.add("access_denied", "DescribeContact", count=3)
    settle(centre, app, looks=10)
    assert lines(events, "contact.stray") == []
    assert [one.landing for one in app.follower.followed] == [Landing.AT_AGENT]


def test_a_landing_costs_two_readings_beside_the_one_before_the_move(centre):
    centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR)
    app = centre.router(**{"execute.keep_place": False})
    app.cycle.run(until=None)
    settle(centre, app)
    assert centre.sandbox.count("DescribeContact") == 3
    assert centre.sandbox.count("ListAssociatedContacts") == 0


def test_one_moved_contact_that_cannot_be_read_does_not_keep_the_others_from_being_seen(centre, events):
    for hours in (9, 5, 3):
        centre.world.enqueue("TASK", "Billing", waited=hours * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    centre.world.faults.add("garbage", "DescribeContact", contact_id=centre.world.transfers[0].new_contact_id)
    centre.clock.travel(timedelta(seconds=1))
    app.follower.look()
    assert len(lines(events, "contact.landed")) == 2
    assert len(app.follower.followed) == 1


def test_a_flow_that_takes_its_time_is_followed_to_the_end(centre, events):
    centre.world.set_flow(FLOW, outcome=FlowOutcome(after=timedelta(seconds=90)))
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router()
    app.cycle.run(until=None)
    settle(centre, app)
    [landed] = lines(events, "contact.landed")
    assert landed["after_s"] >= 90


LATER = (
    LATE_RULE
    + """
[[rule]]
name = "later"
match.queue = ["Billing Overflow", "General"]
[[rule.step]]
at = "10m"
to = [{ queue = "Supervisors" }]
"""
)


@pytest.mark.parametrize("diverted", [False, True], ids=["in its queue", "in another queue"])
@every_way
def test_a_stray_that_reaches_a_queue_after_all_has_landed_late_and_is_looked_after_again(centre, events, diverted):
    outcome = FlowOutcome(after=timedelta(minutes=8), queue="General" if diverted else None)
    centre.world.set_flow(FLOW, outcome=outcome)
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(LATER)
    app.cycle.run(until=None)
    settle(centre, app, looks=12)
    assert len(lines(events, "contact.stray")) == 1
    assert app.safety.slots.taken(app.names.directory.flow(FLOW).id) == 1
    settle(centre, app, looks=48)
    [landed] = lines(events, "contact.landed")
    assert (landed["late"], landed["diverted"]) == (True, diverted)
    assert app.safety.slots.taken(app.names.directory.flow(FLOW).id) == 0
    assert app.follower.followed == ()
    centre.world.set_flow(FLOW, outcome="queue")
    centre.clock.travel(10 * MINUTE)
    app.cycle.run(until=None)
    assert centre.world.transfers[1].to_queue == "Supervisors"


def test_a_stray_that_reaches_the_agents_own_queue_after_all_has_landed_late(centre, events):
    centre.world.set_flow(AGENT_FLOW, outcome=FlowOutcome(after=timedelta(minutes=8)))
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(TO_AGENT)
    app.cycle.run(until=None)
    settle(centre, app, looks=60)
    [landed] = lines(events, "contact.landed")
    assert (landed["late"], landed["landing"]) == (True, "at_agent")


@every_way
def test_what_was_moved_by_an_earlier_run_and_had_not_landed_is_followed_by_the_next(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    first = centre.router()
    first.cycle.run(until=None)
    centre.end(first)
    second = centre.router()
    assert second.safety.slots.taken(second.names.directory.flow(FLOW).id) == 1
    settle(centre, second)
    assert [line["landing"] for line in lines(events, "contact.landed")] == ["queued"]
    assert second.safety.slots.taken(second.names.directory.flow(FLOW).id) == 0


PROMISED = TO_AGENT.replace("[[rule.step]]", '[rule.sla]\ntarget = "3h"\n[[rule.step]]')
LATER_STEP = PROMISED + '[[rule.step]]\nat = "150m"\nto = [{ queue = "Supervisors", flow = "Overflow to queue" }]\n'


def poll(centre, app, *, times, step=MINUTE):
    for _ in range(times):
        app.acting.poll(until=centre.clock.monotonic() + 5, every=step)
        app.acting._step()
        centre.clock.travel(step)
        app.follower.look()


@pytest.fixture
def at_agent(centre):
    """Returns a router that has moved a contact to an agent, who has gone offline since."""

    def made(rules):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
        app = centre.router(rules)
        app.cycle.run(until=None)
        settle(centre, app)
        assert [one.landing for one in app.follower.followed] == [Landing.AT_AGENT]
        centre.world.set_status("supervisor.one", "Offline")
        return app

    return made


def test_a_contact_that_waits_for_an_agent_who_went_offline_is_stranded_and_an_error_at_the_breach(
    centre, at_agent, events
):
    app = at_agent(PROMISED)
    poll(centre, app, times=6)
    assert lines(events, "contact.stranded") == []
    poll(centre, app, times=10)
    [first] = lines(events, "contact.stranded")
    assert (first["log_level"], first["late"], first["to_agent"]) == ("warning", False, "supervisor.one")
    assert 600 <= first["after_s"] <= 720
    poll(centre, app, times=60)
    levels = [(line["log_level"], line["late"]) for line in lines(events, "contact.stranded")]
    assert levels == [("warning", False), ("error", True)]


def test_a_contact_whose_agent_is_there_is_not_stranded(centre, at_agent, events):
    app = at_agent(PROMISED)
    centre.world.set_status("supervisor.one", "Available")
    poll(centre, app, times=30)
    assert lines(events, "contact.stranded") == []


def test_a_later_step_still_moves_a_stranded_contact(centre, at_agent, events):
    app = at_agent(LATER_STEP)
    poll(centre, app, times=40)
    assert len(lines(events, "contact.stranded")) == 1
    assert [one.to_queue for one in centre.world.transfers][1:] == ["Supervisors"]


def test_an_agent_who_was_deleted_or_cannot_be_read(centre, at_agent, events):
    app = at_agent(PROMISED)
    fault = centre.world.faults.add("access_denied", "GetCurrentUserData")
    poll(centre, app, times=15)
    assert lines(events, "contact.stranded") == []
    fault.count = 0
    poll(centre, app, times=1)
    assert len(lines(events, "contact.stranded")) == 1
