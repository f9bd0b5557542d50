"""However many readings hang, the contacts that fall due meanwhile are moved in time."""

import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.e2e.centre import LATE_RULE
from tests.e2e.test_daemon import running, until

HOUR = timedelta(hours=1)
OTHERS = 20
HANGING = 20
"""More than twice the workers."""
HANGS_S = 15.0
"""Longer than a call's time-out of ten seconds."""
WITHIN_S = 9.0
"""Less than half a poll. A machine that is busy has some seconds of it to itself."""
EVERY = {"poll.every": "20s"}


def rule(name, queue, more="", to='{ queue = "Billing Overflow" }'):
    return f"""
[[rule]]
name = "{name}"
match = {{ queue = "{queue}"{more} }}
sla.target = "1h"
[[rule.step]]
at = "breach"
to = [{to}]
"""


class Hang:
    """Makes calls of an operation hang that are about ``ids`` (all if there are none), until the test has ended."""

    def __init__(self, sandbox, operation, ids=()):
        self.ids, self.over = frozenset(ids), threading.Event()
        self.calls: Counter[str] = Counter()
        sandbox.before(operation, self)

    def __call__(self, params):
        concerned = [one for one in self.ids if one in str(params)] if self.ids else [""]
        for one in concerned:
            self.calls[one] += 1
        if concerned:
            self.over.wait(HANGS_S)


@pytest.fixture
def hang(centre):
    hanging = []

    def make(operation, ids=()):
        hanging.append(Hang(centre.sandbox, operation, ids))
        return hanging[-1]

    yield make
    for one in hanging:
        one.over.set()


def due_soon(centre, queue="Billing", count=OTHERS):
    """Enqueues contacts that fall due one after the other from 5 s on; returns by contact when it is due."""
    due = {}
    for number in range(count):
        in_s = 5 + number / 4
        contact = centre.world.enqueue("TASK", queue, waited=HOUR - timedelta(seconds=in_s), chain=2)
        due[contact] = time.monotonic() + in_s
    return due


def assert_moved_in_time(centre, due, *, queue="Billing"):
    late = {}

    def all_moved():
        for contact, at in due.items():
            if contact not in late and centre.world.queue_of(contact) != queue:
                late[contact] = time.monotonic() - at
        return len(late) == len(due)

    until(all_moved, within=50)
    assert max(late.values()) < WITHIN_S, sorted(late.values())


def test_more_contacts_hang_than_there_are_workers(centre, hang, events):
    stuck = [centre.world.enqueue("TASK", "Billing", waited=2 * HOUR) for _ in range(HANGING)]
    hung = hang("DescribeContact", stuck)
    due = due_soon(centre)
    app = centre.router(**EVERY)
    centre.disown(app)
    with running(app):
        assert_moved_in_time(centre, due)
        assert not {one.contact_id for one in centre.world.transfers} & set(stuck)
        assert max(hung.calls.values()) <= 2, "a contact that hangs is read again and again"
        hung.over.set()
        until(lambda: all(centre.world.queue_of(one) != "Billing" for one in stuck), within=50)
    assert max(Counter(one.contact_id for one in centre.world.transfers).values()) == 1


DETAILED = LATE_RULE.replace('queue = "Billing"\n', 'queue = "Billing"\nattributes.tier = "gold"\n')
FORTY = 40


@pytest.mark.parametrize("hanging", [12, 30, 39])
def test_contacts_among_many_that_hang_are_moved_in_time(centre, hang, events, hanging):
    due, stuck = {}, []
    for number in range(FORTY):
        in_s = 4 + number / 4
        waited, gold = HOUR - timedelta(seconds=in_s), {"tier": "gold"}
        contact = centre.world.enqueue("TASK", "Billing", waited=waited, attributes=gold)
        if (number + 1) * hanging // FORTY > number * hanging // FORTY:
            stuck.append(contact)
        else:
            due[contact] = time.monotonic() + in_s
    hung = hang("DescribeContact", stuck)
    app = centre.router(DETAILED, **EVERY)
    centre.disown(app)
    with running(app):
        assert_moved_in_time(centre, due)
        assert not {one.contact_id for one in centre.world.transfers} & set(stuck)
        hung.over.set()
        until(lambda: all(centre.world.queue_of(one) != "Billing" for one in stuck), within=50)
    assert max(Counter(one.contact_id for one in centre.world.transfers).values()) == 1


NEEDS = {
    "GetCurrentMetricData": rule(
        "metrics", "General", to='{ queue = "Supervisors", contacts_in_queue = { max = 50 } }'
    ),
    "GetCurrentUserData": rule("agents", "General", to='{ agent = "supervisor.one" }'),
    "ListAssociatedContacts": rule("transfers", "General", ", transfers = { max = 5 }", to='{ queue = "Supervisors" }'),
}


@contextmanager
def searched(centre, rules):
    """Runs a router that has searched everything."""
    app = centre.router(rules, **EVERY)
    centre.disown(app)
    with running(app):
        until(lambda: len(app.acting.waiting_list) >= OTHERS)
        yield


@pytest.mark.parametrize("operation", NEEDS)
def test_a_reading_hangs_that_other_contacts_do_not_need(centre, hang, events, operation):
    due, slow = due_soon(centre), due_soon(centre, "General", 3)
    with searched(centre, LATE_RULE + NEEDS[operation]):
        of = slow if operation == "ListAssociatedContacts" else ()  # the router also finds moved contacts with it
        hung = hang(operation, of)
        assert_moved_in_time(centre, due)
        assert hung.calls
        assert {centre.world.queue_of(one) for one in slow} == {"General"}
        hung.over.set()
        until(lambda: {centre.world.queue_of(one) for one in slow} != {"General"}, within=50)


def test_hours_of_operation_hang_that_other_contacts_do_not_need(centre, hang, events):
    centre.world.add_hours("Office", week={})
    centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    due = due_soon(centre)
    timed = rule("hours", "General").replace('sla.target = "1h"', 'sla = { target = "1h", hours = "Office" }')
    hung = hang("DescribeHoursOfOperation")
    with searched(centre, LATE_RULE + timed):
        assert_moved_in_time(centre, due)
        assert hung.calls


def test_the_reading_of_one_chain_hangs_and_the_other_contacts_of_its_rule_are_moved(centre, hang, events):
    stuck = due_soon(centre, "General", 2)
    hung = hang("ListAssociatedContacts", stuck)
    due = due_soon(centre, "General")
    with searched(centre, LATE_RULE + NEEDS["ListAssociatedContacts"]):
        assert_moved_in_time(centre, due, queue="General")
        assert hung.calls
        hung.over.set()
        until(lambda: all(centre.world.queue_of(one) != "General" for one in stuck), within=50)


def test_an_intent_hangs_that_an_earlier_run_left_open(centre, hang, events):
    app = centre.router(**EVERY, **{"guard.unlanded": 40})
    stuck = [centre.world.enqueue("TASK", "Billing", waited=2 * HOUR) for _ in range(HANGING)]
    centre.world.faults.add("reset_before", "TransferContact")
    app.cycle.run(until=time.monotonic() + 1)
    assert app.ledger.open_intents()
    centre.world.faults.clear()
    centre.end(app)
    due = due_soon(centre)
    hang("DescribeContact", stuck)
    app = centre.router(**EVERY, **{"guard.unlanded": 40})
    centre.disown(app)
    with running(app):
        assert_moved_in_time(centre, due)


def test_the_metrics_hang_from_the_start_and_the_first_search_does_without_them(centre, hang, events):
    hung = hang("GetCurrentMetricData")
    due = due_soon(centre)
    app = centre.router(**EVERY)
    centre.disown(app)
    began = time.monotonic()
    with running(app):
        until(lambda: len(app.acting.waiting_list) >= OTHERS)
        assert time.monotonic() - began < WITHIN_S
        assert hung.calls
        assert_moved_in_time(centre, due)
    assert "NoAnswerYet" in [line["error"] for line in events if line["event"] == "api.failing"]


def test_a_moved_contact_hangs_and_the_landings_of_the_others_are_seen(centre, hang, events):
    due = due_soon(centre)
    first = next(iter(due))
    app = centre.router(**EVERY, **{"guard.unlanded": 2})
    centre.disown(app)
    with running(app):
        until(lambda: first in {one.contact_id for one in centre.world.transfers}, within=20)
        moved = [one.new_contact_id for one in app.follower.followed if one.contact_id == first]
        hang("DescribeContact", [one for one in moved if one is not None] or [first])
        assert_moved_in_time(centre, due)
