"""Checks that one complete pass acts on everything due, or reports why not."""

from datetime import timedelta

import pytest

from router.daemon.once import run_once
from router.decide.govern import govern
from router.inspect.preview import Preview, Viewer
from router.lookup.chain import TRANSFERS_PER_LOOK
from router.rules.rule import Mode
from tests.e2e.test_daemon import running, until

HOUR = timedelta(hours=1)
BUMP = """
    [[rule]]
    name = "bump"
    match.queue = "Billing"
    [[rule.step]]
    at = "10m"
    routing = { priority = 2 }
"""
ROOM = {"guard.per_cycle": 500, "guard.per_hour": 500, "guard.unlanded": 500}


def test_a_pass_reads_as_much_as_it_takes_to_act_on_everything_due(centre):
    ids = {centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, chain=2) for _ in range(TRANSFERS_PER_LOOK + 10)}
    app = centre.router(**ROOM)
    centre.disown(app)
    done = run_once(app)
    assert {one.contact_id for one in centre.world.transfers} == ids
    assert done.done


def test_going_on_with_a_pass_moves_no_more_than_one_cycle_may(centre):
    for _ in range(TRANSFERS_PER_LOOK + 10):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, chain=2)
    app = centre.router(**{**ROOM, "guard.per_cycle": 5})
    centre.disown(app)
    run_once(app)
    assert len(centre.world.transfers) == 5


def test_a_contact_that_could_not_be_read_makes_the_pass_one_that_is_not_done(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, chain=2)
    centre.world.faults.add("error", "ListAssociatedContacts", code="InvalidRequestException")
    app = centre.router()
    centre.disown(app)
    done = run_once(app)
    assert done.report is not None
    assert dict(done.report.held) == {"unreadable": 1}
    assert not done.done


def test_a_flow_that_eats_contacts_is_told_of_in_one_pass_as_well(centre, events):
    centre.world.set_flow("Overflow to queue", outcome="never")
    for _ in range(4):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(**{"guard.unlanded": 2, "execute.landing_timeout": "1s"})
    centre.disown(app)
    done = run_once(app)
    told = [line["event"] for line in events]
    assert done.failed
    assert told.count("contact.stray") == 2
    assert told.count("flow.suspended") == 1
    assert [line["drain_s"] for line in events if line["event"] == "guard.reached"] == [None]


def test_what_is_past_its_promise_is_told_between_two_steps_too(centre, events):
    rule = """
        [defaults]
        flow = "Overflow to queue"

        [[rule]]
        name = "late"
        match.queue = "Billing"
        sla.target = "10m"
        [[rule.step]]
        at = "breach"
        warn = "late"
        [[rule.step]]
        at = "breach + 5h"
        to = [{ queue = "Billing Overflow" }]
    """
    centre.world.enqueue("TASK", "Billing", waited=HOUR)
    app = centre.router(rule)
    reports = [app.cycle.run(until=None) for _ in range(2)]
    minutes = [round(one.oldest_breach / timedelta(minutes=1)) for one in reports if one.oldest_breach]
    assert minutes == [50, 50]


def test_a_reading_that_fails_is_repeated_by_one_layer_only(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("error_500", "DescribeContact")
    calls = []
    for attempts in (1, 8):
        app = centre.router(**{"execute.retry.attempts": attempts})
        before = centre.sandbox.count("DescribeContact")
        app.cycle.run(until=None)
        calls.append(centre.sandbox.count("DescribeContact") - before)
        centre.end(app)
    assert calls[0] == calls[1]


TO_AGENT = """
[[rule]]
name = "to-supervisor"
match.queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ agent = "supervisor.one", flow = "Escalate to agent", require_available = false }]
"""


@pytest.fixture
def ten_at_agent(centre):
    """Sends ten contacts to the agent, in a pass of its own, and returns the eleventh."""
    for _ in range(11):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(TO_AGENT, **ROOM)
    centre.disown(app)
    run_once(app)
    assert len(centre.world.transfers) == 10
    [left] = {one.id for one in centre.world.waiting("Billing")}
    return left


def eleventh(centre, *, mode=Mode.ENFORCE):
    app = centre.router(TO_AGENT, mode=mode, **ROOM)
    centre.disown(app)
    return run_once(app)


def answer(centre, count):
    for move in centre.world.transfers[:count]:
        centre.world.accept(move.new_contact_id, "supervisor.one")


@pytest.mark.parametrize("gone", [1, 10])
@pytest.mark.parametrize("ends", [False, True], ids=["answered", "ended"])
def test_what_an_agent_has_answered_or_ended_no_longer_counts_for_a_later_pass(centre, ten_at_agent, ends, gone):
    answer(centre, gone)
    for move in centre.world.transfers[:gone] if ends else ():
        centre.world.finish(move.new_contact_id)
    eleventh(centre)
    assert [one.contact_id for one in centre.world.transfers[10:]] == [ten_at_agent]


def test_ten_that_still_wait_for_the_agent_count_in_a_later_pass(centre, ten_at_agent, events):
    eleventh(centre)
    assert len(centre.world.transfers) == 10
    [held] = [line for line in events if line["event"] == "contact.held"][-1:]
    assert "10 contacts sent to this agent are not answered (limit 10)" in held["detail"]


@pytest.mark.parametrize("gone", [0, 1])
def test_a_pass_that_observes_and_a_plan_count_them_alike(centre, ten_at_agent, gone, events):
    answer(centre, gone)
    app = centre.router(TO_AGENT, mode=Mode.OBSERVE, **ROOM)
    with Viewer.open(app.settings, app.names.ruleset, clock=centre.clock) as viewer:
        preview = viewer.preview()
    assert isinstance(preview, Preview)
    planned = [type(one).__name__ for one in preview.decided.decisions if one.contact.id == ten_at_agent]
    assert planned == (["Transfer"] if gone else ["Hold"])
    centre.end(app)
    report = eleventh(centre, mode=Mode.OBSERVE).report
    assert report is not None
    assert report.would_transfer == gone


def test_a_decision_that_was_not_performed_has_a_line_and_makes_the_pass_one_that_is_not_done(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=HOUR)
    centre.world.faults.add("throttle", "UpdateContactRoutingData")
    app = centre.router(BUMP, **{"execute.retry.attempts": 1})
    centre.disown(app)
    done = run_once(app)
    assert done.report is not None
    assert (done.report.not_sent, done.done) == (1, False)
    held = [line for line in events if line["event"] == "contact.held"]
    assert [(line["contact_id"], line["rule"], line["reason"]) for line in held] == [(contact, "bump", "not_sent")]
    assert held[0]["detail"] == "ThrottlingException"


def test_a_pass_with_a_short_quota_makes_every_update_that_plan_lists(centre, events):
    ids = {centre.world.enqueue("TASK", "Billing", waited=HOUR) for _ in range(12)}
    app = centre.router(BUMP, **{"quotas.UpdateContactRoutingData": {"rate": 4, "burst": 1}})
    centre.disown(app)
    done = run_once(app)
    made = {line["contact_id"] for line in events if line["event"] == "contact.reprioritized"}
    assert (made, done.done) == (ids, True)


@pytest.fixture
def stopped_at_the_third(centre, monkeypatch):
    """Returns a router that is stopped while it decides on the third of ten contacts, and the contacts decided on."""
    for _ in range(10):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app, governed = centre.router(**ROOM), []
    centre.disown(app)

    def govern_or_stop(*arguments):
        governed.append(arguments)
        if len(governed) == 3:
            app.stop()
        return govern(*arguments)

    monkeypatch.setattr("router.decide.decide.govern", govern_or_stop)
    return app, governed


def test_a_stop_while_a_pass_decides_ends_it_before_the_next_contact(centre, events, stopped_at_the_third):
    app, governed = stopped_at_the_third
    done = run_once(app)
    assert (done.stopped, done.done, len(governed), centre.world.transfers) == (True, False, 3, ())
    assert "contact.broken" not in {line["event"] for line in events}


def test_a_stop_while_the_service_decides_ends_it_before_the_next_contact(centre, events, stopped_at_the_third):
    app, governed = stopped_at_the_third
    with running(app):
        until(lambda: len(governed) == 3)
    assert (len(governed), centre.world.transfers) == (3, ())
    assert "cycle.failed" not in {line["event"] for line in events}
