"""Checks that a routing step changes a contact's place where it waits, once, and costs no transfer."""

import sqlite3
from datetime import timedelta

import pytest

from router.cli.output.decisions import kind
from router.daemon.once import run_once
from router.inspect.preview import Preview, Viewer
from router.rules.rule import Mode
from router.sandbox import Behaviours
from tests.e2e.centre import LATE_RULE

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TEN = timedelta(minutes=10)
UPDATE = "UpdateContactRoutingData"
ONE_TRY = {"execute.retry.attempts": 1}


def bump(routing, *, at="1h", name="bump"):
    return f"""
[[rule]]
name = "{name}"
[rule.match]
queue = "Billing"
[[rule.step]]
at = "{at}"
routing = {{ {routing} }}
"""


PRIORITY = bump("priority = 2")
AGE = bump('age = "+10m"')

PLAUSIBLE = {
    f"age {age}, {'one' if excludes else 'both'}, shown after {delay} s": Behaviours(
        routing_age=age, priority_excludes_age=excludes, routing_delay=timedelta(seconds=delay)
    )
    for age in ("sets", "adds")
    for excludes in (True, False)
    for delay in (0, 60)
}


def lines(events, event):
    return [line for line in events if line["event"] == event]


def cycles(centre, app, number, *, every=timedelta(seconds=15)):
    for _ in range(number):
        app.cycle.run(until=None)
        centre.clock.travel(every)


def test_a_bumped_contact_overtakes_its_equals_and_is_not_transferred(centre, events):
    older = centre.world.enqueue("TASK", "Billing", waited=3 * HOUR)
    younger = centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR)
    app = centre.router(PRIORITY.replace('queue = "Billing"', 'queue = "Billing"\nchannel = "EMAIL"'))
    assert [one.id for one in centre.world.waiting("Billing")] == [older, younger]
    cycles(centre, app, 3)
    assert [one.id for one in centre.world.waiting("Billing")] == [younger, older]
    assert centre.world.contact(younger).priority == 2
    assert (centre.sandbox.count(UPDATE), centre.sandbox.count("TransferContact")) == (1, 0)
    [told] = lines(events, "contact.reprioritized")
    assert (told["contact_id"], told["rule"], told["step"]) == (younger, "bump", 1)
    assert app.ledger.open_intents() == ()


def test_ten_minutes_of_routing_age_overtake_who_is_nine_ahead_and_not_who_is_eleven(centre):
    eleven = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR + timedelta(minutes=11))
    nine = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR + timedelta(minutes=9))
    bumped = centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR)
    cycles(centre, centre.router(AGE.replace('queue = "Billing"', 'queue = "Billing"\nchannel = "EMAIL"')), 2)
    assert [one.id for one in centre.world.waiting("Billing")] == [eleven, bumped, nine]


@pytest.mark.parametrize("behaviours", PLAUSIBLE.values(), ids=PLAUSIBLE.keys())
@pytest.mark.parametrize("routing", [PRIORITY, AGE], ids=["priority", "age"])
def test_a_bump_is_sent_once_however_connect_applies_it_and_after_a_restart_too(centre, events, routing):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    first = centre.router(routing)
    cycles(centre, first, 3)
    centre.end(first)
    cycles(centre, centre.router(routing), 6)
    assert centre.sandbox.count(UPDATE) == 1
    assert len(lines(events, "contact.reprioritized")) == 1
    now = centre.world.contact(contact)
    assert (now.priority, now.adjustment) == ((2, timedelta()) if routing is PRIORITY else (5, TEN))


@pytest.mark.parametrize("has", [1, 2])
def test_a_step_never_worsens_a_place_and_has_acted_without_a_call(centre, has):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, priority=has)
    app = centre.router(PRIORITY)
    cycles(centre, app, 3)
    assert centre.sandbox.count(UPDATE) == 0
    assert centre.world.contact(contact).priority == has
    centre.world.change(contact, priority=5)
    cycles(centre, app, 3)
    assert centre.sandbox.count(UPDATE) == 0, "the step has acted, and acts once per wait"


def test_in_observe_mode_a_bump_is_told_once_and_nothing_is_sent(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    cycles(centre, centre.router(PRIORITY, mode=Mode.OBSERVE), 3)
    assert [line["contact_id"] for line in lines(events, "contact.would_reprioritize")] == [contact]
    assert lines(events, "contact.reprioritized") == []
    assert centre.sandbox.count(UPDATE) == 0


def test_a_rule_of_bumps_alone_takes_no_contact_from_the_rule_that_moves(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(
        PRIORITY
        + LATE_RULE.partition("[[rule]]")[1]
        + LATE_RULE.partition("[[rule]]")[2].replace(
            'to = [{ queue = "Billing Overflow" }]', 'to = [{ queue = "Billing Overflow", flow = "Overflow to queue" }]'
        ),
        **{"execute.keep_place": False},
    )
    cycles(centre, app, 1)
    centre.land(app)
    cycles(centre, app, 1)
    assert centre.world.queue_of(centre.world.latest(contact).id) == "Billing Overflow"
    assert centre.sandbox.count(UPDATE) <= 1


def test_plan_and_run_agree_on_two_rules_that_change_the_place_of_one_contact(centre, events):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(bump("priority = 2") + bump("priority = 1", name="second"))
    with Viewer.open(app.settings, app.names.ruleset, clock=centre.clock) as viewer:
        preview = viewer.preview()
    assert isinstance(preview, Preview)
    planned = [(decision.rule, kind(decision)) for decision in preview.decided.decisions]
    assert planned == [("bump", "routing"), ("second", "hold")]
    app.cycle.run(until=None)
    assert centre.sandbox.count(UPDATE) == 1
    assert [line["rule"] for line in lines(events, "contact.reprioritized")] == ["bump"]
    cycles(centre, app, 6)
    assert [line["rule"] for line in lines(events, "contact.reprioritized")] == ["bump", "second"]


def test_a_priority_that_one_rule_sets_keeps_no_other_rule_from_moving_the_contact(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=45 * MINUTE)
    late = LATE_RULE.replace('queue = "Billing"', 'queue = "Billing"\npriority = 5')
    app = centre.router(
        bump("priority = 2", at="30m")
        + LATE_RULE.partition("[[rule]]")[1]
        + late.partition("[[rule]]")[2].replace(
            'to = [{ queue = "Billing Overflow" }]', 'to = [{ queue = "Billing Overflow", flow = "Overflow to queue" }]'
        )
    )
    app.cycle.run(until=None)
    assert len(lines(events, "contact.reprioritized")) == 1
    centre.clock.travel(16 * MINUTE)
    app.cycle.run(until=None)
    assert [transfer.contact_id for transfer in centre.world.transfers] == [contact]


def test_a_contact_that_an_agent_took_is_not_bumped(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.add_user("agent.one", queues=["Billing"], slots={"TASK": 1})
    app = centre.router(PRIORITY)
    centre.sandbox.after("SearchContacts", lambda _params: _accept_once(centre, contact))
    cycles(centre, app, 2)
    assert centre.sandbox.count(UPDATE) == 0


def _accept_once(centre, contact):
    if centre.world.contact(contact).queued:
        centre.world.accept(contact, "agent.one")


@pytest.mark.parametrize("behaviours", PLAUSIBLE.values(), ids=PLAUSIBLE.keys())
@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
@pytest.mark.parametrize("routing", [PRIORITY, AGE], ids=["priority", "age"])
def test_whatever_happens_to_the_answer_a_bump_takes_effect_exactly_once(centre, fault, routing):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add(fault, UPDATE, count=1)
    app = centre.router(routing, **ONE_TRY)
    cycles(centre, app, 12)
    now = centre.world.contact(contact)
    assert (now.priority, now.adjustment) == ((2, timedelta()) if routing is PRIORITY else (5, TEN))
    assert app.ledger.open_intents() == ()


def test_a_lost_answer_is_not_followed_by_another_call_within_the_minute_that_connect_may_take(centre):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("reset_before", UPDATE, count=1)
    app = centre.router(PRIORITY)
    cycles(centre, app, 3)
    assert centre.sandbox.count(UPDATE) == 1
    cycles(centre, app, 4)
    assert centre.sandbox.count(UPDATE) == 2


def test_a_process_that_could_not_write_the_outcome_is_followed_by_one_that_reads_it(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    first = centre.router(AGE)
    first.ledger._connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(first.settings.ledger.path, isolation_level=None, check_same_thread=False)

    def lock(_params):
        if not other.in_transaction:
            other.execute("BEGIN EXCLUSIVE")

    take_off = centre.sandbox.after(UPDATE, lock)
    first.cycle.run(until=None)
    take_off()
    other.rollback()
    other.close()
    assert len(first.ledger.open_intents()) == 1
    centre.end(first)
    second = centre.router(AGE)
    cycles(centre, second, 8)
    assert centre.sandbox.count(UPDATE) == 1
    assert centre.world.contact(contact).adjustment == TEN
    assert [line["outcome"] for line in lines(events, "contact.recovered")] == ["acted"]


def test_a_refusal_fails_the_step_once_and_is_not_tried_again(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("error", UPDATE, code="InvalidRequestException", message="no")
    app = centre.router(PRIORITY)
    cycles(centre, app, 8)
    assert centre.sandbox.count(UPDATE) == 1
    [failed] = lines(events, "contact.failed")
    assert (failed["contact_id"], failed["error"]) == (contact, "InvalidRequestException")
    assert app.ledger.open_intents() == ()


def test_a_permission_that_is_missing_stops_bumps_loudly_and_no_transfer(centre, events):
    centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR)
    moved = centre.world.enqueue("TASK", "General", waited=2 * HOUR)
    centre.world.faults.add("access_denied", UPDATE)
    late = LATE_RULE.replace('queue = "Billing"\n', 'queue = "General"\n')
    app = centre.router(late + PRIORITY, **{"execute.workers": 1, "execute.keep_place": False})
    cycles(centre, app, 3)
    denied = lines(events, "api.denied")
    assert {line["operation"] for line in denied} == {UPDATE}
    assert {line["log_level"] for line in denied} == {"error"}
    assert centre.sandbox.count(UPDATE) == 1, "not again before five minutes are over"
    assert [one.contact_id for one in centre.world.transfers] == [moved]


@pytest.mark.parametrize(
    ("fault", "failed"), [(None, 0), ("error", 1), ("reset_before", 1)], ids=["accepted", "refused", "not known"]
)
def test_one_pass_counts_a_bump_that_did_not_happen_as_failed(centre, fault, failed):
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    if fault is not None:
        centre.world.faults.add(fault, UPDATE, code="InvalidRequestException")
    app = centre.router(PRIORITY, **ONE_TRY)
    centre.disown(app)
    told = run_once(app)
    assert (told.failed, told.done) == (failed, not failed)
