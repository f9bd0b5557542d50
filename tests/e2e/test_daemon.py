"""Runs the daemon on a thread: schedule, follow-up, reload and an orderly end, over HTTP against the sandbox."""

import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from router.daemon.daemon import Daemon
from router.daemon.systemd import Notifier
from router.model import Landing
from tests.docs.test_architecture import WALK
from tests.e2e.centre import LATE_RULE, reloaded

HOUR = timedelta(hours=1)


def until(condition, within=15.0):
    """Waits for a condition, looked at often; fails when it does not come."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.02)


def seen(events, event):
    return any(line["event"] == event for line in events)


@contextmanager
def running(app):
    daemon = Daemon(app, notifier=Notifier(None), reload=lambda: None)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(daemon.run()))
    thread.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        thread.join(15)
        assert ended == [0], "the daemon did not end, or not with 0"


@pytest.fixture
def service(centre):
    """Returns a router that the daemon closes itself."""
    app = centre.router(**{"poll.every": "1s"})
    centre.disown(app)
    return app


def test_a_contact_that_falls_late_while_the_service_runs_is_moved_at_the_next_poll(centre, events, service):
    contact = centre.world.enqueue("TASK", "Billing", waited=HOUR - timedelta(seconds=2))
    with running(service):
        until(lambda: seen(events, "contact.landed"))
    assert [transfer.contact_id for transfer in centre.world.transfers] == [contact]
    told = [line["event"] for line in events]
    assert told[0] == "service.started"
    assert events[0]["account"] == centre.sandbox.scenario.identity.account
    assert told[-1] == "service.stopped"
    assert told.index("service.ready") < told.index("contact.transferred") < told.index("contact.landed")
    assert told.index("contact.landed") < told.index("service.stopping")


@pytest.mark.parametrize("fault", ["access_denied", "error_500"])
def test_an_account_that_is_not_told_is_unknown_and_nothing_else(centre, events, service, fault):
    centre.world.faults.add(fault, "DescribeInstance")
    with running(service):
        until(lambda: seen(events, "cycle.finished"), within=40)
    assert events[0]["account"] is None
    assert not seen(events, "api.denied")
    assert centre.sandbox.count("DescribeInstance") == 1


def test_an_instance_that_does_not_answer_at_first_is_told_and_tried_again(centre, events, service):
    centre.world.faults.add("error_500", "ListQueues", count=6)
    with running(service):
        until(lambda: seen(events, "service.ready"), within=30)
    assert seen(events, "search.degraded")


def test_rules_loaded_again_are_in_force_at_the_next_poll(centre, events, service):
    path = centre.folder / "rules" / "10-test.toml"
    contact = centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    with running(service):
        until(lambda: seen(events, "cycle.finished"))
        path.write_text(LATE_RULE.replace('queue = "Billing"', 'queue = "General"'), encoding="utf-8")
        assert reloaded(service, path.parent) == ()
        until(lambda: centre.world.transfers)
    assert [transfer.contact_id for transfer in centre.world.transfers] == [contact]


def test_broken_rules_are_refused_with_their_place_and_the_old_ones_go_on(centre, events, service):
    path = centre.folder / "rules" / "10-test.toml"
    with running(service):
        until(lambda: seen(events, "cycle.finished"))
        path.write_text(LATE_RULE.replace("target", "taget"), encoding="utf-8")
        problems = reloaded(service, path.parent)
        assert (problems[0].line, problems[0].column) == (12, 1)
        contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
        until(lambda: centre.world.transfers)
    assert [transfer.contact_id for transfer in centre.world.transfers] == [contact]
    assert seen(events, "rules.rejected")


def test_the_walk_of_the_architecture_page_is_the_way_one_late_contact_takes(centre):
    """Takes a rule that has a condition besides channel and queue, because an index proves these two."""
    service = centre.router(LATE_RULE.replace("[rule.sla]", "priority.min = 1\n[rule.sla]"), **{"poll.every": "1s"})
    centre.disown(service)
    called = set()

    def note(frame, event, _argument):
        if event == "call":
            called.add((frame.f_globals.get("__name__"), frame.f_code.co_qualname))

    threading.setprofile(note)
    try:
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
        with running(service):
            until(lambda: centre.world.transfers)
            until(lambda: [move.landing for move in service.ledger.history()][:1] == [Landing.QUEUED])
    finally:
        threading.setprofile(None)
        sys.setprofile(None)
    assert [step for step in WALK if step not in called] == []


def test_it_ends_within_ten_seconds_while_calls_are_slow_and_moves_nothing_twice(centre, service):
    for number in range(20):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR + number * HOUR)
    centre.world.faults.add("slow", "TransferContact", delay=timedelta(seconds=1))
    with running(service):
        until(lambda: centre.world.transfers)
        began = time.monotonic()
    assert time.monotonic() - began < 10
    moved = [transfer.contact_id for transfer in centre.world.transfers]
    assert len(moved) == len(set(moved))
