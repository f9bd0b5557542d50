"""Checks when a contact is decided on again under rules that match by the time of day."""

from router.decide.decide import decide
from router.search.due_times import NextDue
from tests.builders.contacts import NOW, after, contact, minutes, move
from tests.builders.rules import rules
from tests.builders.snapshots import snapshot
from tests.unit.decide.test_hours import HERE, READ

TEXT = """
[[rule]]
name = "overflow"
match = { queue = "Billing", %s }
step = [{ at = "10m", to = [{ queue = "Overflow" }] }, { at = "40m", to = [{ queue = "General" }] }]
"""


def test_each_poll_where_the_rule_s_match_asks_for_hours():
    one = contact(waited=4)
    bound = rules(TEXT % 'hours = { name = "Office", is = "closed" }', HERE)
    account = decide(snapshot(one, directory=HERE, hours=READ), bound).accounts[one.id]
    assert NextDue(bound, HERE).next_decision(account, NOW)[1]


def test_each_poll_where_the_rule_that_moved_it_goes_by_the_time_of_day():
    """Covers a rule that still matches the queue it moved the contact from, where a step falls due at closing time."""
    before = contact(waited=30)
    here = after(before, waited=5)
    history = (move(before, here),)
    bound = rules(TEXT % 'hours = { name = "Office", is = "closed" }', HERE)
    account = decide(snapshot(here, history=history, directory=HERE, hours=READ), bound).accounts[here.id]
    assert (account.decisions, account.next_due_at) == ((), None)
    night = snapshot(here, now=NOW + minutes(7 * 60), history=history, directory=HERE, hours=READ)
    assert decide(night, bound).decisions, "the test is about something that comes to be due by itself"
    look_at, each_poll = NextDue(bound, HERE).next_decision(account, NOW)
    assert each_poll or look_at <= NOW + minutes(6 * 60)
