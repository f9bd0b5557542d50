"""Checks one cycle: no fault of one contact affects another, limits hold over restarts, every line is whole."""

import threading
import time
from datetime import timedelta

import pytest

from router.daemon.daemon import Daemon
from router.daemon.systemd import Notifier
from router.decide.govern import govern
from router.rules.rule import Mode
from router.sandbox import Behaviours
from tests.e2e.centre import FLOW, LATE_RULE

HOUR = timedelta(hours=1)
CONTACT = {"contact_id", "chain_id", "wait_id", "rule", "step", "cycle", "revision"}


def lines(events, event):
    return [line for line in events if line["event"] == event]


def moved(centre):
    return [one.contact_id for one in centre.world.transfers]


def test_cycles_are_counted_on_over_a_restart_so_that_limits_per_cycle_are_not_used_up_by_an_earlier_run(centre):
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    first = centre.router(**{"guard.per_cycle": 3})
    assert first.cycle.run(until=None).cycle == 1
    centre.land(first)
    centre.end(first)
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    report = centre.router(**{"guard.per_cycle": 3}).cycle.run(until=None)
    assert (report.cycle, report.transferred) == (2, 3)


def test_a_contact_that_was_moved_and_has_landed_in_the_same_cycle_counts_once_where_it_waits(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.enqueue("TASK", "Billing", waited=timedelta(minutes=1))
    app = centre.router()

    tally = app.cycle.begin(until=None)
    for _ in range(2):
        seen = app.cycle._search_everything(tally)
        app.cycle.waiting_list.decide_all_again()
        app.cycle.act(whole=seen.complete)
        centre.land(app)
    report = app.cycle.finish(seen)

    names = app.names.directory.queue_name
    assert (report.waiting, report.transferred, report.due, report.ungoverned) == (2, 1, 1, 0)
    assert {names(one.queue_id): one.waiting for one in report.glance.queues} == {"Billing": 1, "Billing Overflow": 1}


def test_a_bug_that_one_contact_brings_to_light_is_told_and_costs_no_other_contact(centre, events):
    bad, *good = (centre.world.enqueue("TASK", "Billing", waited=hours * HOUR) for hours in (9, 5, 3))
    app = centre.router(**{"execute.workers": 1})
    transfer = app.executor.attempts.mover.transfer

    class Broken:
        def transfer(self, *, contact_id, **rest):
            if contact_id == bad:
                raise ZeroDivisionError("a bug")
            return transfer(contact_id=contact_id, **rest)

    app.executor.attempts.mover = Broken()
    report = app.cycle.run(until=None)
    assert moved(centre) == good
    assert report.transferred == 2
    [told] = lines(events, "contact.broken")
    assert told["contact_id"] == bad
    assert told["log_level"] == "error"
    assert set(told) >= CONTACT
    assert [intent.contact_id for intent in app.ledger.open_intents()] == [bad]


def test_a_contact_on_which_deciding_fails_is_told_and_left_out(centre, events, monkeypatch):
    bad, good = (centre.world.enqueue("TASK", "Billing", waited=hours * HOUR) for hours in (9, 5))

    def broken(wait, rules):
        if wait.contact.id == bad:
            raise ZeroDivisionError("a bug")
        return govern(wait, rules)

    monkeypatch.setattr("router.decide.decide.govern", broken)
    app = centre.router()
    app.cycle.run(until=None)
    assert moved(centre) == [good]
    assert [line["contact_id"] for line in lines(events, "contact.broken")] == [bad]


TWO_FLOWS = """
[[rule]]
name = "eaten"
[rule.match]
queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ queue = "Billing Overflow", flow = "Overflow to queue" }]

[[rule]]
name = "healthy"
[rule.match]
queue = "General"
[[rule.step]]
at = "1h"
to = [{ queue = "Supervisors", flow = "Second flow" }]
"""


def test_contacts_of_a_flow_without_places_do_not_keep_those_of_another_flow_waiting(centre, events):
    centre.world.set_flow(FLOW, outcome="never")
    centre.world.add_flow("Second flow", type="QUEUE_TRANSFER")
    for _ in range(5):
        centre.world.enqueue("TASK", "Billing", waited=9 * HOUR)
    healthy = centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    app = centre.router(TWO_FLOWS, **{"guard.unlanded": 1, "execute.workers": 2})
    app.cycle.run(until=time.monotonic() + 2)
    assert healthy in moved(centre)
    assert len(moved(centre)) == 2


def test_contacts_that_wait_for_a_place_to_land_are_said_to(centre, events):
    centre.world.set_flow(FLOW, outcome="never")
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(**{"guard.unlanded": 1})
    for _ in range(3):
        app.cycle.run(until=time.monotonic() + 0.5)
    held = lines(events, "contact.held")
    assert [line["reason"] for line in held if line["detail"]] == ["flow_suspended"] * 2
    assert [line["guard"] for line in lines(events, "guard.reached")] == ["flow_suspended"]


def test_when_more_is_due_than_a_limit_lets_through_how_long_it_will_take_is_said_once(centre, events):
    for _ in range(6):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(**{"guard.per_cycle": 2, "poll.every": "15s"})
    for _ in range(2):
        app.cycle.run(until=time.monotonic() + 15)
        centre.land(app)
    [line] = lines(events, "guard.reached")
    assert (line["guard"], line["waiting"], line["transferred"]) == ("per_cycle", 4, 2)
    assert 29 <= line["drain_s"] <= 31


def test_what_was_not_sent_by_the_next_poll_is_counted_and_decided_anew(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(**{"quotas.TransferContact": {"rate": 0.2, "burst": 1}})
    app.connection.quotas.acquire("TransferContact")
    report = app.cycle.run(until=time.monotonic() + 0.3)
    assert (report.not_sent, report.transferred) == (1, 0)
    assert [line["guard"] for line in lines(events, "guard.reached")] == ["quota"]
    held = [(line["contact_id"], line["reason"]) for line in lines(events, "contact.held")]
    assert held == [(contact, "not_sent")], "each decision that is not performed has a line"
    assert app.ledger.open_intents() == ()
    app.cycle.run(until=None)
    assert moved(centre) == [contact]


def test_a_call_that_keeps_failing_does_not_hold_the_cycle_beyond_the_next_poll(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("error_500", "TransferContact")
    app = centre.router()
    began = time.monotonic()
    app.cycle.run(until=began + 1)
    assert time.monotonic() - began < 3
    assert len(app.ledger.open_intents()) == 1


def test_one_slowdown_is_one_line_with_the_operation_and_the_rate_from_now_on(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("throttle", "TransferContact", count=1)
    centre.router().cycle.run(until=None)
    [line] = lines(events, "api.throttled")
    assert (line["operation"], line["rate"]) == ("TransferContact", 93)


@pytest.mark.parametrize("workers", [1, 8])
def test_when_only_some_can_be_sent_they_are_the_most_overdue(centre, workers):
    late = {centre.world.enqueue("TASK", "Billing", waited=hours * HOUR): hours for hours in (2, 9, 4, 7, 3, 5)}
    app = centre.router(**{"guard.per_cycle": 3, "execute.workers": workers})
    app.cycle.run(until=None)
    assert sorted(late[contact] for contact in moved(centre)) == [5, 7, 9]


@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.OBSERVE])
def test_every_line_about_a_contact_says_which_contact_wait_rule_step_cycle_and_revision(centre, events, mode):
    rules = LATE_RULE + '[[rule.step]]\nat = "breach + 1m"\nwarn = "late"\n'
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("error", "TransferContact", code="InvalidRequestException", message="no", count=1)
    centre.world.faults.add("reset_after", "TransferContact", count=1)
    app = centre.router(rules, mode=mode, **{"guard.per_cycle": 2, "execute.retry.attempts": 1})
    for _ in range(3):
        app.cycle.run(until=None)
        centre.land(app)
    about = [line for line in events if line["event"].startswith("contact.")]
    assert len({line["event"] for line in about}) >= (5 if mode is Mode.ENFORCE else 2)
    assert [line for line in about if not set(line) >= CONTACT or None in (line["cycle"], line["revision"])] == []


def test_observing_makes_no_writing_call_and_leaves_nothing_in_the_ledger(centre, events):
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(LATE_RULE + '[[rule.step]]\nat = "breach + 1m"\nwarn = "late"\n', mode=Mode.OBSERVE)
    for _ in range(3):
        app.cycle.run(until=None)
    assert {call.operation for call in centre.sandbox.calls} <= {
        "SearchContacts", "DescribeContact", "ListQueues", "ListContactFlows", "ListAssociatedContacts",
    }  # fmt: skip
    assert app.ledger.history() == ()
    assert len(lines(events, "contact.would_transfer")) == 3
    centre.end(app)
    report = centre.router().cycle.run(until=None)
    assert report.transferred == 3


def test_a_rule_that_only_observes_under_an_enforcing_service_takes_nothing_from_the_rules_that_act(centre, events):
    watching = LATE_RULE.replace('name = "late"', 'name = "watching"\nmode = "observe"').replace("General", "Billing")
    acting = LATE_RULE.partition("[[rule]]")[2]
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(f"{watching}\n[[rule]]{acting}")
    app.cycle.run(until=None)
    assert moved(centre) == [contact]
    assert [line["rule"] for line in lines(events, "contact.would_transfer")] == ["watching"]
    assert [action.rule for action in app.ledger.history()] == ["late"]


@pytest.mark.parametrize("behaviours", [Behaviours(transfer="same_contact")], ids=["the contact keeps its id"])
def test_a_contact_that_keeps_its_id_is_moved_on_by_the_next_step_and_not_before(centre, events, behaviours):
    rules = LATE_RULE + '[[rule.step]]\nat = "breach + 2h"\nto = [{ queue = "Supervisors" }]\n'
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(rules)
    for _ in range(3):
        app.cycle.run(until=None)
        centre.land(app)
    assert [one.to_queue for one in centre.world.transfers] == ["Billing Overflow"]
    centre.clock.travel(2 * HOUR)
    for _ in range(3):
        app.cycle.run(until=None)
        centre.land(app)
    assert [one.to_queue for one in centre.world.transfers] == ["Billing Overflow", "Supervisors"]


def test_the_service_ends_within_ten_seconds_though_a_call_hangs_and_its_intent_is_settled_by_the_next_run(
    centre, events
):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("timeout_after", "TransferContact", count=1)
    app = centre.router(**{"poll.every": "1s"})
    centre.disown(app)
    daemon = Daemon(app, notifier=Notifier(None), reload=lambda: None)

    stopped_at = []

    def stop(_params):
        stopped_at.append(time.monotonic())
        threading.Timer(0.2, daemon.stop).start()

    centre.sandbox.after("TransferContact", stop)
    assert daemon.run() == 0
    assert time.monotonic() - stopped_at[0] < 10
    assert [line["open_calls"] for line in lines(events, "service.abandoned")] != []
    second = centre.router()
    second.cycle.run(until=None)
    centre.land(second)
    assert moved(centre) == [contact]
    assert second.ledger.open_intents() == ()
