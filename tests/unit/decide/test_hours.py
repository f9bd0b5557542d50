"""Tests rules that count open hours: what is due, what waits for the opening, and what is held."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from router.decide.decide import decide
from router.decide.decision import Hold
from router.decide.snapshot import Snapshot
from router.model import Directory, HoldReason, Hours, HoursId, Need, NeedKind
from router.rules.calendar import Calendar, Window
from router.rules.condition import Unread
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import BILLING, DIRECTORY, OVERFLOW
from tests.builders.rules import overflow
from tests.builders.rules import rules as bound
from tests.builders.snapshots import outcome, snapshot, the_hold

OFFICE, NIGHT = HoursId("id-of-office"), HoursId("id-of-night")
QUEUE_HOURS = {BILLING: OFFICE, OVERFLOW: NIGHT}
HERE = Directory(
    queues=tuple(replace(queue, hours_id=QUEUE_HOURS.get(queue.id)) for queue in DIRECTORY.queues),
    agents=DIRECTORY.agents,
    flows=DIRECTORY.flows,
    hours=(Hours(id=OFFICE, name="Office"), Hours(id=NIGHT, name="Night")),
)
UTC = ZoneInfo("UTC")
WEEK = range(7)


def daily(start: int, end: int) -> Calendar:
    """Builds hours that are open every day from one hour to another."""
    return Calendar(UTC, dict.fromkeys(WEEK, (Window(start * 60, end * 60),)))


DAY = daily(8, 18)
"""NOW is at noon."""
MORNING = daily(8, 12)
"""Closed since this very instant."""
ALWAYS = daily(0, 0)
READ = {OFFICE: DAY, NIGHT: daily(18, 8)}
CLOSED = {OFFICE: MORNING, NIGHT: ALWAYS}
WAITING = contact(waited=30)
BY_OFFICE = 'sla.hours = "Office"'


def rules(text: str):
    return bound(text, HERE)


def at(*contacts, hours=READ, **others) -> Snapshot:
    return snapshot(*contacts, directory=HERE, hours=hours, **others)


def test_the_clock_shows_open_time_only():
    overnight = contact(waited=24 * 60)  # since noon of the day before: six hours, and four this morning
    (tried,) = decide(at(overnight), rules(overflow(at="9h59m", more=BY_OFFICE))).accounts.values()
    assert tried.governance is not None
    assert tried.governance.governing is not None
    assert tried.governance.governing.elapsed == minutes(600)
    assert outcome(at(overnight), rules(overflow(at="10h", more=BY_OFFICE))) == ["overflow 1: to Overflow"]
    assert outcome(at(overnight), rules(overflow(at="10h1m", more=BY_OFFICE))) == []


def test_late_and_due_at_and_the_order_of_work_count_open_time():
    more = 'sla = { target = "10h", hours = "Office" }'
    overnight, today = contact("c1", waited=24 * 60 + 60), contact("c2", waited=3 * 60)
    first, second = decide(at(today, overnight), rules(overflow(at="2h", more=more))).decisions
    assert (first.contact.id, first.late, first.urgency) == ("c1", minutes(60), 1.1)
    assert first.due_at == NOW - minutes(23 * 60)
    assert (second.contact.id, second.late, second.due_at) == ("c2", minutes(-7 * 60), NOW - minutes(60))


def test_while_closed_nothing_acts_and_what_is_due_is_held():
    kinds = 'step = [{ at = "10m", to = [{ queue = "Overflow" }], warn = "late" }]'
    both = overflow(more=BY_OFFICE).replace('step = [{ at = "10m", to = [{ queue = "Overflow" }] }]', kinds)
    assert outcome(at(WAITING, hours=CLOSED), rules(both)) == ["overflow 1: closed"]
    assert outcome(at(WAITING), rules(both)) == ["overflow 1: warns", "overflow 1: to Overflow"]


def test_a_warning_alone_is_held_too():
    warning = overflow(more=BY_OFFICE).replace('to = [{ queue = "Overflow" }]', 'warn = "late"')
    assert outcome(at(WAITING, hours=CLOSED), rules(warning)) == ["overflow 1: closed"]


def test_closed_hours_go_before_every_later_reason():
    broken = rules(overflow(to='{ queue = "Oberflow" }', more=BY_OFFICE))
    assert outcome(at(WAITING, hours=CLOSED), broken) == ["overflow 1: closed"]
    busy = at(WAITING, hours=CLOSED, in_progress=frozenset({WAITING.id}))
    assert outcome(busy, rules(overflow(more=BY_OFFICE))) == ["overflow 1: closed"]


def test_what_falls_due_as_the_hours_end_is_due_as_they_open():
    decided = decide(at(contact(waited=30), hours=CLOSED), rules(overflow(at="30m", more=BY_OFFICE)))
    assert decided.decisions == ()
    assert decided.next_due_at == datetime(2026, 3, 3, 8, tzinfo=UTC)


def test_a_rule_whose_hours_are_closed_governs_all_the_same():
    two = rules(overflow(more=BY_OFFICE) + overflow("next", to='{ queue = "General" }'))
    assert outcome(at(WAITING, hours=CLOSED), two) == ["overflow 1: closed"]


def test_the_hours_that_rules_count_by_are_asked_for_and_no_others():
    decided = decide(at(contact(waited=1), hours={}), rules(overflow(more=BY_OFFICE)))
    assert (decided.decisions, decided.needs) == ((), (Need(NeedKind.HOURS, OFFICE),))
    assert decide(at(WAITING, hours={}), rules(overflow())).needs == ()


def test_hours_that_could_not_be_read_hold_what_may_be_due_and_no_later_rule_is_tried():
    two = rules(overflow(more=BY_OFFICE) + overflow("next", at="1m", to='{ queue = "General" }'))
    failed = {OFFICE: Unread("its hours of operation could not be read: Throttled")}
    decided = decide(at(WAITING, hours=failed), two)
    hold = the_hold(decided)
    assert (hold.rule, hold.reason, hold.detail, decided.needs) == (
        "overflow",
        "unreadable",
        "its hours of operation could not be read: Throttled",
        (),
    )
    assert outcome(at(contact(waited=5), hours=failed), two) == []


def test_hours_that_do_not_exist_hold_as_unresolved():
    hold = the_hold(decide(at(WAITING), rules(overflow(more='sla.hours = "Ofice"'))))
    assert hold.reason == "unresolved"
    assert "hours of operation \"Ofice\" do not exist in the instance (did you mean 'Office'?)" in hold.detail


def test_a_condition_on_hours_that_do_not_exist_holds_as_unresolved():
    by_name = overflow().replace('queue = "Billing"', 'queue = "Billing", hours = { name = "Ofice", is = "open" }')
    hold = the_hold(decide(at(WAITING), rules(by_name + overflow("next"))))
    assert (hold.rule, hold.reason) == ("overflow", "unresolved")
    assert "Ofice" in hold.detail


@pytest.mark.parametrize(("name", "opened"), [("Office", True), ("queue", True), ("Night", False)])
@pytest.mark.parametrize("wanted", ["open", "closed"])
def test_a_condition_asks_whether_hours_are_open_now(name, opened, wanted):
    match = f'queue = "Billing", hours = {{ name = "{name}", is = "{wanted}" }}'
    ladder = rules(overflow().replace('queue = "Billing"', match))
    expected = ["overflow 1: to Overflow"] if opened is (wanted == "open") else []
    assert outcome(at(WAITING), ladder) == expected


def test_the_own_hours_are_those_of_the_queue_where_the_first_step_acted():
    ladder = overflow(more='sla.hours = "queue"').replace(
        "}] }]", '}] }, { at = "50m", to = [{ queue = "General" }] }]'
    )
    came = after(WAITING, waited=25)
    acted = move(WAITING, came, settled_at=NOW - minutes(25))
    there = replace(came, enqueued_at=NOW - minutes(25))
    seen = at(there, history=(acted,), hours={OFFICE: MORNING, NIGHT: ALWAYS})
    (account,) = decide(seen, rules(ladder)).accounts.values()
    assert account.governance is not None
    assert account.governance.governing is not None
    assert account.governance.governing.hours is MORNING


def test_a_queue_of_which_the_hours_are_not_known_holds():
    assert outcome(at(contact(queue=BILLING, waited=30)), rules(overflow(more='sla.hours = "queue"'))) == [
        "overflow 1: to Overflow"
    ]
    nowhere = replace(HERE, queues=tuple(replace(queue, hours_id=None) for queue in HERE.queues))
    seen = snapshot(WAITING, directory=nowhere, hours=READ)
    assert outcome(seen, bound(overflow(more='sla.hours = "queue"'), nowhere)) == ["overflow 1: unreadable"]


@pytest.mark.parametrize(
    ("wanted", "hours", "why"),
    [
        ("true", {NIGHT: DAY}, None),
        ("true", {NIGHT: MORNING}, "its hours of operation are closed"),
        ("false", {NIGHT: DAY}, "its hours of operation are open"),
        ("false", {NIGHT: MORNING}, None),
        ("true", {NIGHT: Unread("its hours of operation could not be read: X")}, "could not be read: X"),
        ("false", {NIGHT: Unread("its hours of operation could not be read: X")}, "could not be read: X"),
    ],
)
def test_a_destination_may_ask_for_its_queues_own_hours(wanted, hours, why):
    ladder = rules(overflow(to=f'{{ queue = "Overflow", open = {wanted} }}'))
    decided = decide(at(WAITING, hours=hours), ladder)
    if why is None:
        assert outcome(at(WAITING, hours=hours), ladder) == ["overflow 1: to Overflow"]
    else:
        assert the_hold(decided).reason == "no_eligible_destination"
        assert why in the_hold(decided).detail


def test_the_hours_of_a_destination_are_read_before_it_is_chosen():
    decided = decide(at(WAITING, hours={}), rules(overflow(to='{ queue = "Overflow", open = true }')))
    assert decided.needs == (Need(NeedKind.HOURS, NIGHT),)
    assert the_hold(decided).reason == "unreadable"


def test_a_rule_that_has_finished_warns_only_while_open():
    ladder = overflow(more=BY_OFFICE).replace("}] }]", '}] }, { at = "20m", warn = "still" }]')
    came = after(WAITING, waited=10)
    moved = move(WAITING, came, settled_at=NOW - minutes(10))
    assert outcome(at(came, history=(moved,)), rules(ladder)) == ["overflow 2: warns"]
    assert outcome(at(came, history=(moved,), hours=CLOSED), rules(ladder)) == ["overflow 2: closed"]


def test_a_wait_that_a_step_has_acted_on_goes_on_by_open_time():
    warned = act(contact(waited=24 * 60), kind="warn", at=10)
    ladder = overflow(at="10h", more=BY_OFFICE)
    assert outcome(at(contact(waited=24 * 60), history=(warned,)), rules(ladder)) == ["overflow 1: to Overflow"]


def test_a_rule_that_gives_way_lets_the_next_rule_govern_while_its_hours_are_closed():
    day = overflow("day", more=BY_OFFICE).replace('name = "day"', 'name = "day"\non_hold = "next"')
    night = overflow("night", to='{ queue = "General" }')
    late = contact(waited=24 * 60)
    assert outcome(at(late, hours=CLOSED), rules(day + night)) == ["night 1: to General"]
    assert outcome(at(late), rules(day + night)) == ["day 1: to Overflow"]


def test_what_is_held_as_closed_is_decided_on_again_at_the_opening():
    evening = daily(18, 20)  # NOW is at noon
    late = contact(waited=48 * 60)
    (account,) = decide(at(late, hours={**CLOSED, OFFICE: evening}), rules(overflow(more=BY_OFFICE))).accounts.values()
    assert [one.reason for one in account.decisions if isinstance(one, Hold)] == [HoldReason.CLOSED]
    assert account.next_due_at == NOW + minutes(6 * 60)


def test_a_contact_with_nothing_due_does_not_wait_for_the_opening():
    evening = daily(18, 20)
    young = contact(waited=10)
    (account,) = decide(at(young, hours={**CLOSED, OFFICE: evening}), rules(overflow(more=BY_OFFICE))).accounts.values()
    assert account.decisions == ()
    assert account.next_due_at == NOW + minutes(6 * 60 + 10)
