"""Rules on the chain clock, and conditions on age: since the chain's first contact began."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from router.decide.decide import decide
from router.decide.snapshot import Snapshot
from router.model import ContactId, Directory, HoldReason, Hours, HoursId, Need, NeedKind
from router.rules.calendar import Calendar, Window
from router.rules.condition import Unread
from tests.builders.contacts import NOW, act, after, contact, minutes, move
from tests.builders.instance import DIRECTORY, GENERAL, OVERFLOW
from tests.builders.rules import overflow
from tests.builders.rules import rules as bound
from tests.builders.snapshots import by_contact, outcome, snapshot, the_hold, the_transfer

CHAIN = 'sla.clock = "chain"'
HOUR_ON_CHAIN = bound(overflow(at="1h", more=CHAIN))
OF_CHAIN = Need(NeedKind.ORIGIN, ContactId("c2"), ContactId("c1"))
UNREADABLE = Unread("when its chain began could not be read")


def steps(written: str, *, clock: str = CHAIN):
    return bound(f'[[rule]]\nname = "overflow"\nmatch.queue = "Billing"\n{clock}\nstep = [{written}]')


def ago(count: float) -> datetime:
    return NOW - minutes(count)


def handed_on(waited: float = 5, **others):
    """Builds a contact that a person or a flow transferred: the ledger has no record of it."""
    return contact("c2", waited=waited, previous_id="c1", initial_id="c1", **others)


def old(seen_contact, began: datetime | Unread, **others) -> Snapshot:
    return snapshot(seen_contact, origins={seen_contact.id: began}, **others)


def test_the_first_contact_of_a_chain_tells_its_age_itself():
    first = contact(waited=5, initiated_at=ago(61))
    assert outcome(snapshot(first), HOUR_ON_CHAIN) == ["overflow 1: to Overflow"]
    assert outcome(snapshot(contact(waited=5, initiated_at=ago(59))), HOUR_ON_CHAIN) == []


def test_a_scheduled_contact_is_as_old_as_its_schedule():
    scheduled = contact(waited=5, initiated_at=ago(600), scheduled_at=ago(59))
    decided = decide(snapshot(scheduled), HOUR_ON_CHAIN)
    assert decided.decisions == ()
    assert decided.next_due_at == ago(-1)
    assert outcome(snapshot(contact(waited=5, initiated_at=ago(600), scheduled_at=ago(60))), HOUR_ON_CHAIN) != []


def test_when_the_chain_of_a_later_contact_began_is_asked_before_anything_is_due():
    decided = decide(snapshot(handed_on()), HOUR_ON_CHAIN)
    assert decided.needs == (OF_CHAIN,)


def test_a_later_contact_goes_by_the_first_of_its_chain():
    assert outcome(old(handed_on(), ago(60)), HOUR_ON_CHAIN) == ["overflow 1: to Overflow"]
    decided = decide(old(handed_on(), ago(45)), HOUR_ON_CHAIN)
    assert (decided.decisions, decided.next_due_at) == ((), ago(-15))


def test_late_and_due_at_and_urgency_are_the_chains():
    ladder = bound(overflow(at="1h", more='sla = { clock = "chain", target = "2h" }'))
    transfer = the_transfer(decide(old(handed_on(), ago(150)), ladder))
    assert (transfer.due_at, transfer.late, transfer.urgency) == (ago(90), minutes(30), 1.25)


def test_without_knowing_when_the_chain_began_nothing_acts():
    hold = the_hold(decide(old(handed_on(waited=600), UNREADABLE), HOUR_ON_CHAIN))
    assert (hold.reason, hold.detail, hold.rule, hold.step) == (HoldReason.UNREADABLE, UNREADABLE.why, "overflow", 1)
    assert (hold.due_at, hold.late) == (None, None)


def test_a_warning_waits_as_well():
    warning = bound(
        '[[rule]]\nname = "w"\nmatch.queue = "Billing"\nsla.clock = "chain"\nstep = [{at="1h", warn="late"}]'
    )
    assert outcome(old(handed_on(), UNREADABLE), warning) == ["w 1: unreadable"]
    assert outcome(old(handed_on(), ago(70)), warning) == ["w 1: warns"]


def test_no_later_rule_is_tried_where_the_clock_of_the_governing_one_is_not_known():
    two = bound(overflow(at="1h", more=CHAIN) + overflow("next", at="1m"))
    assert outcome(old(handed_on(), UNREADABLE), two) == ["overflow 1: unreadable"]


def test_a_ladder_that_is_done_needs_no_clock():
    moved = contact("c1", waited=90)
    waiting = after(moved, waited=5)
    done = move(moved, waiting, at=60)
    assert outcome(old(waiting, UNREADABLE, history=(done,)), HOUR_ON_CHAIN) == []


def test_moves_of_the_router_do_not_change_the_chain_clock():
    moved = contact("c1", waited=90, initiated_at=ago(200))
    waiting = after(moved, waited=5, initiated_at=ago(5))
    ladder = steps('{ at = "1h", to = [{ queue = "Overflow" }] }, { at = "4h", to = [{ queue = "General" }] }')
    history = (move(moved, waiting, at=60),)
    assert outcome(old(waiting, ago(239), history=history), ladder) == []
    assert outcome(old(waiting, ago(240), history=history), ladder) == ["overflow 2: to General"]


def test_the_router_knows_the_first_contact_where_connects_ids_are_lost():
    moved = contact("c1", waited=90)
    waiting = contact("c2", queue=OVERFLOW, waited=5)
    seen = snapshot(waiting, history=(move(moved, waiting, "another", at=60),))
    assert decide(seen, bound(overflow(more=CHAIN).replace("Billing", "Overflow", 1))).needs == (OF_CHAIN,)


def test_a_warning_that_acted_leaves_the_chain_clock_as_it_is():
    """Shows that only the start of the queue clock is recorded, because the age needs no record."""
    ladder = steps('{ at = "1h", warn = "early" }, { at = "3h", to = [{ queue = "Overflow" }] }')
    waiting = handed_on()
    warned = act(waiting, at=60, kind="warn")
    assert outcome(old(waiting, ago(180), history=(warned,)), ladder) == ["overflow 2: to Overflow"]


def test_a_rule_that_is_edited_to_go_by_the_queue_clock_goes_by_the_queue_where_it_first_acted():
    """Ignores the age that the rule used before."""
    waiting = handed_on(waited=20)
    transfer = the_transfer(decide(old(waiting, ago(150)), HOUR_ON_CHAIN))
    assert transfer.first.clock_started_at == ago(20)
    moved = after(waiting, "c3", waited=5)
    history = (move(waiting, moved, at=60, first=transfer.first),)
    edited = steps(
        '{ at = "1h", to = [{ queue = "Overflow" }] }, { at = "2h", to = [{ queue = "General" }] }', clock=""
    )
    decided = decide(old(moved, ago(150), history=history), edited)
    assert (decided.decisions, decided.next_due_at) == ((), ago(20) + minutes(120))


def test_hours_of_operation_apply_to_the_chain_clock():
    office = HoursId("id-of-office")
    here = Directory(
        queues=DIRECTORY.queues,
        agents=DIRECTORY.agents,
        flows=DIRECTORY.flows,
        hours=(Hours(id=office, name="Office"),),
    )
    by_day = Calendar(ZoneInfo("UTC"), dict.fromkeys(range(7), (Window(8 * 60, 18 * 60),)))
    ladder = bound(overflow(at="10h", more='sla = { clock = "chain", hours = "Office" }'), here)
    overnight = old(handed_on(), ago(24 * 60), directory=here, hours={office: by_day})  # six hours, and four today
    assert outcome(overnight, ladder) == ["overflow 1: to Overflow"]
    younger = old(handed_on(), ago(24 * 60 - 1), directory=here, hours={office: by_day})
    assert (outcome(younger, ladder), decide(younger, ladder).next_due_at) == ([], ago(-1))


def test_age_is_a_condition():
    aged = bound(overflow(at="1m").replace('queue = "Billing" }', 'queue = "Billing", age = { min = "2h" } }', 1))
    assert outcome(snapshot(contact(waited=5, initiated_at=ago(120))), aged) == ["overflow 1: to Overflow"]
    assert outcome(snapshot(contact(waited=5, initiated_at=ago(119))), aged) == []
    assert outcome(old(handed_on(), ago(120)), aged) == ["overflow 1: to Overflow"]
    assert outcome(old(handed_on(), UNREADABLE), aged) == ["overflow: unreadable"]


def test_age_is_read_only_where_a_step_may_be_due():
    aged = bound(overflow(at="10m").replace('queue = "Billing" }', 'queue = "Billing", age = { min = "2h" } }', 1))
    assert decide(snapshot(handed_on(waited=9)), aged).needs == ()
    assert OF_CHAIN in decide(snapshot(handed_on(waited=10)), aged).needs


def test_of_an_undecided_rule_behind_the_clock_is_read_before_the_condition():
    """Shows that the calls for the condition are made only when something may be due."""
    text = overflow("aged", at="1h", more=CHAIN).replace(
        'queue = "Billing" }', 'queue = "Billing", hours = { name = "O", is = "open" } }'
    )
    here = Directory(
        queues=DIRECTORY.queues,
        agents=DIRECTORY.agents,
        flows=DIRECTORY.flows,
        hours=(Hours(id=HoursId("o"), name="O"),),
    )
    seen = snapshot(handed_on(), directory=here)
    assert decide(seen, bound(text, here)).needs == (OF_CHAIN,)
    young = old(handed_on(), ago(10), directory=here)
    assert decide(young, bound(text, here)).needs == ()


def test_of_two_equally_overdue_the_older_chain_comes_first():
    ladder = bound(overflow(at="10m"))
    one, two = contact("c1", waited=20), contact("c9", waited=20, previous_id="c0", initial_id="c0")
    seen = snapshot(one, two, origins={two.id: ago(300)}, transfers={one.id: 0, two.id: 1})
    assert list(by_contact(seen, ladder)) == ["c9", "c1"]


@pytest.mark.parametrize("queue", [GENERAL, OVERFLOW])
def test_nothing_is_asked_about_contacts_that_no_rule_is_about(queue):
    assert decide(snapshot(handed_on(queue=queue)), HOUR_ON_CHAIN).needs == ()


def test_the_transfers_are_counted_after_the_clock_is_known():
    seen = snapshot(handed_on(), origins={"c2": ago(70)}, transfers={})
    assert decide(seen, HOUR_ON_CHAIN).needs == (Need(NeedKind.TRANSFERS, ContactId("c2")),)
