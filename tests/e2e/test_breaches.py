"""A contact that becomes late while it is left where it is gets one line, with the reason, for each wait and rule."""

from datetime import timedelta

import pytest

from router.daemon.control.operator import Operator
from router.daemon.control.protocol import Peer
from router.ledger.breach_records import BreachRecords
from router.ledger.errors import LedgerUnavailable
from router.rules.rule import Mode
from tests.e2e.centre import LATE_RULE
from tests.e2e.test_metrics import router, scraped

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HELD = LATE_RULE.replace('at = "breach"', 'at = "50%"').replace(
    '{ queue = "Billing Overflow" }', '{ queue = "Billing Overflow", slots_available = { min = 1 } }'
)
LATER = LATE_RULE.replace('at = "breach"', 'at = "2h"')


def breached(events):
    return [line for line in events if line["event"] == "contact.breached"]


@pytest.fixture
def waiting(centre):
    """Returns the centre with one contact that is late in a minute."""
    centre.contact = centre.world.enqueue("TASK", "Billing", waited=HOUR - MINUTE)
    return centre


def cycles(app, count=1):
    for _ in range(count):
        report = app.cycle.run(until=None)
    return report


@pytest.mark.parametrize(("rules", "reason"), [(HELD, "no_eligible_destination"), (LATER, "no_step_due")])
def test_one_line_has_the_reason_and_it_is_counted(waiting, events, rules, reason):
    app = router(waiting, rules)
    assert cycles(app).breached == 0
    waiting.clock.travel(2 * MINUTE)
    reports = [cycles(app) for _ in range(4)]
    [line] = breached(events)
    assert (line["contact_id"], line["rule"], line["reason"]) == (waiting.contact, "late", reason)
    assert line["late_s"] >= 60
    assert sum(report.breached for report in reports) == 1
    assert scraped(app)["late_total", "late"] == 1


def test_a_pause_by_an_operator_is_the_reason(waiting, events):
    app = router(waiting)
    arguments = {"kind": "rule", "name": "late", "for_s": 6000, "comment": "a test"}
    Operator(app).pause(arguments, Peer(pid=1, uid=0, gid=0))
    waiting.clock.travel(2 * MINUTE)
    cycles(app, 3)
    assert [line["reason"] for line in breached(events)] == ["operator_pause"]


def test_a_contact_that_was_moved_in_time_and_still_waits_past_its_promise_is_late(waiting, events):
    app = router(waiting, LATE_RULE.replace('at = "breach"', 'at = "50%"'))
    cycles(app, 2)
    waiting.land(app)
    cycles(app)
    assert breached(events) == [], "the promise is not broken yet"
    waiting.clock.travel(2 * MINUTE)
    reports = [cycles(app) for _ in range(3)]
    assert len(waiting.world.transfers) == 1
    [line] = breached(events)
    assert (line["rule"], line["reason"], line["wait_id"]) == ("late", "no_step_left", waiting.contact)
    assert reports[-1].oldest_breach >= MINUTE
    assert scraped(app)["late_total", "late"] == 1
    (queue,) = reports[-1].glance.queues
    assert (queue.late, queue.ungoverned) == (1, 0), "status shows what the log reports"
    [held] = reports[-1].glance.held
    assert (held.rule, held.reason, held.late >= MINUTE) == ("late", "no_step_left", True)


def test_a_contact_that_is_moved_and_answered_in_time_is_not_late(waiting, events):
    app = router(waiting, LATE_RULE.replace('at = "breach"', 'at = "50%"'))
    cycles(app, 2)
    waiting.land(app)
    waiting.world.accept(waiting.world.latest(waiting.contact).id, "supervisor.one")
    waiting.clock.travel(2 * MINUTE)
    report = cycles(app, 3)
    assert breached(events) == []
    assert report.oldest_breach is None


def test_the_promise_of_a_rule_that_only_warns_counts_too(waiting, events):
    step = LATE_RULE.partition("[[rule.step]]")
    app = router(waiting, step[0] + step[1] + '\nat = "50%"\nwarn = "late soon"\n')
    cycles(app, 2)
    waiting.clock.travel(2 * MINUTE)
    report = cycles(app, 3)
    assert [(line["rule"], line["reason"]) for line in breached(events)] == [("late", "no_step_left")]
    assert report.oldest_breach is not None


def test_two_rules_and_two_waits_get_a_line_each(waiting, events):
    other = waiting.world.enqueue("TASK", "General", waited=2 * HOUR)
    general = HELD.split("[[rule]]")[1].replace('"late"', '"other"').replace('"Billing"', '"General"')
    app = router(waiting, HELD + "\n[[rule]]" + general)
    waiting.clock.travel(2 * MINUTE)
    cycles(app, 3)
    assert {(line["contact_id"], line["rule"]) for line in breached(events)} == {
        (waiting.contact, "late"),
        (other, "other"),
    }
    assert len(breached(events)) == 2


@pytest.mark.parametrize("warned", ["", '[[rule.step]]\nat = "110%"\nwarn = "late by far"\n'])
def test_a_breach_is_not_logged_again_after_a_restart(waiting, events, warned):
    app = waiting.router(HELD + warned)
    waiting.clock.travel(10 * MINUTE)
    cycles(app, 3)
    assert len(breached(events)) == 1
    for _ in range(2):
        waiting.end(app)
        app = waiting.router(HELD + warned)
        assert cycles(app, 3).breached == 0
    assert len(breached(events)) == 1


def test_an_observing_router_logs_a_breach_once_in_each_run_and_none_in_the_stead_of_a_working_one(waiting, events):
    waiting.clock.travel(10 * MINUTE)
    for mode in (Mode.OBSERVE, Mode.OBSERVE, Mode.ENFORCE):
        app = waiting.router(HELD, mode=mode)
        cycles(app, 3)
        waiting.end(app)
    assert len(breached(events)) == 3


def test_another_wait_of_the_contact_is_logged_after_a_restart(waiting, events):
    app = waiting.router(HELD)
    waiting.clock.travel(10 * MINUTE)
    cycles(app, 3)
    waiting.end(app)
    second = waiting.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    cycles(waiting.router(HELD), 3)
    assert [line["contact_id"] for line in breached(events)] == [waiting.contact, second]


def test_a_breach_is_logged_although_the_ledger_cannot_record_it(waiting, events, monkeypatch):
    def refuse(*_, **__):
        raise LedgerUnavailable("the disk is full")

    app = waiting.router(HELD)
    monkeypatch.setattr(BreachRecords, "record", refuse)
    waiting.clock.travel(10 * MINUTE)
    cycles(app, 3)
    assert len(breached(events)) == 1
