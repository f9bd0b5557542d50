"""Checks when a contact is decided on again."""

import gc
import weakref
from dataclasses import replace

import pytest

from router.decide.decide import decide
from router.decide.decision import Hold
from router.model import HoldReason
from router.rules.rule import Mode
from router.search.due_times import NextDue
from router.search.waiting_list import NEVER
from tests.builders.contacts import NOW, contact, minutes
from tests.builders.instance import BILLING, DIRECTORY, GENERAL
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot


def next_look(text, one, *, now=NOW):
    bound = rules(text)
    account = decide(snapshot(one, now=now), bound).accounts[one.id]
    return NextDue(bound, DIRECTORY).next_decision(account, now)


def test_at_the_instant_at_which_its_first_step_falls_due():
    assert next_look(overflow(at="10m"), contact(waited=4)) == (NOW + minutes(6), False)


LADDER = """
    [[rule]]
    name = "overflow"
    match.queue = "Billing"
    step = [
        { at = "10m", to = [{ queue = "Overflow", slots_available = { min = 1 } }] },
        { at = "20m", warn = "later" },
    ]
"""


def test_at_each_poll_too_while_something_is_due_and_at_the_next_step_s_instant():
    assert next_look(LADDER, contact(waited=12)) == (NOW + minutes(8), True)


@pytest.mark.parametrize("reason", HoldReason)
def test_whatever_holds_a_contact_each_poll_decides_on_it_again(reason):
    bound = rules(overflow(at="10m"))
    one = contact(waited=12)
    account = decide(snapshot(one), bound).accounts[one.id]
    [decision] = account.decisions
    hold = Hold(contact=one, wait=decision.wait, chain_id=one.chain_id, reason=reason, mode=Mode.ENFORCE)
    held = replace(account, decisions=(hold,))
    at, each_poll = NextDue(bound, DIRECTORY).next_decision(held, NOW)
    assert each_poll
    assert at > NOW


def test_never_again_where_no_rule_has_anything_to_do_with_it():
    assert next_look(overflow(), contact(queue=GENERAL)) == (NEVER, False)


def test_at_the_breach_though_no_step_acts_then_for_how_late_it_is_is_told():
    text = overflow(at="breach + 1h", more='sla = { target = "30m" }')
    assert next_look(text, contact(waited=10)) == (NOW + minutes(20), False)
    assert next_look(text, contact(waited=40)) == (NOW + minutes(50), True)


@pytest.mark.parametrize(
    "more",
    [
        "from = 2026-01-01T00:00:00Z",
        "until = 2027-01-01T00:00:00Z",
        'match.none = [{ age = { min = "5h" } }]',
    ],
)
def test_at_each_poll_where_a_rule_of_its_queue_goes_by_the_time_of_day(more):
    text = f"""
        [[rule]]
        name = "overflow"
        match.queue = "Billing"
        {more}
        step = [{{ at = "10m", to = [{{ queue = "Overflow" }}] }}]
    """
    assert next_look(text, contact(waited=4))[1]


def test_when_it_has_waited_as_long_as_a_rule_asks_for():
    text = overflow(at="1m").replace('match = { queue = "Billing" }', 'match = { queue = "Billing", waited = "9m" }')
    text = text.replace('waited = "9m"', 'waited = { min = "9m" }')
    assert next_look(text, contact(waited=4))[0] == NOW + minutes(5)


@pytest.fixture
def without_collector():
    gc.disable()
    yield
    gc.enable()


def test_a_snapshot_is_freed_with_its_decisions(without_collector):
    bound, seen = rules(overflow(at="10m")), snapshot(contact(waited=12))
    decided, freed = decide(seen, bound), weakref.ref(seen)
    assert decided.decisions
    del seen, decided
    assert freed() is None


def test_replaced_rules_are_freed_at_once(without_collector):
    bound, one = rules(overflow(at="10m")), contact(waited=4)
    next_due, freed = NextDue(bound, DIRECTORY), weakref.ref(bound)
    next_due.next_decision(decide(snapshot(one), bound).accounts[one.id], NOW)
    assert next_due.earliest(BILLING).at == minutes(10)
    del next_due, bound
    assert freed() is None
