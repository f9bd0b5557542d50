"""Checks that hold reasons are logged when they change, for each rule by itself, and forgotten when the hold ends."""

from structlog.testing import capture_logs

from router.cycle_context import CycleContext
from router.decide.decide import decide
from router.rules.rule import Mode
from router.telemetry.transitions import HoldTransitions
from tests.builders.contacts import contact
from tests.builders.instance import DIRECTORY
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot

FULL = '{ queue = "Overflow", slots_available = { min = 1 } }'
RULES = rules(overflow(to=FULL))


def told(holds, *contacts, cycle=1, whole=True, bound=RULES):
    decided = decide(snapshot(*contacts, mode=Mode.ENFORCE), bound)
    with capture_logs() as lines:
        holds.log_changes(decided, [], CycleContext(cycle=cycle, rules=bound, directory=DIRECTORY), whole=whole)
    return [(line["contact_id"], line["rule"], line["reason"]) for line in lines]


LATE = contact(waited=20)


def test_a_reason_is_told_once_and_not_in_each_cycle():
    holds = HoldTransitions()
    assert told(holds, LATE) == [("c1", "overflow", "no_eligible_destination")]
    assert told(holds, LATE, cycle=2) == []


def test_two_rules_that_hold_one_contact_are_each_told_once():
    holds = HoldTransitions()
    both = rules(overflow("watching", to=FULL, mode="observe") + overflow("acting", to=FULL))
    assert {rule for _, rule, _ in told(holds, LATE, bound=both)} == {"watching", "acting"}
    assert told(holds, LATE, cycle=2, bound=both) == []


def test_a_contact_whose_details_are_unread_is_told_once_for_all_rules_that_wait_for_them():
    holds, tenants = HoldTransitions(), [overflow(f"tenant-{n}", at=f"{n + 1}m", mode="observe") for n in range(3)]
    watching = rules("".join(tenants).replace("match = {", 'match = { attributes.tenant = "7",'))
    assert told(holds, LATE, bound=watching) == [("c1", "tenant-0", "unreadable")]
    assert told(holds, LATE, cycle=2, bound=watching) == []


def test_a_contact_that_is_held_again_after_it_was_gone_is_told_again():
    holds = HoldTransitions()
    told(holds, LATE)
    assert told(holds, cycle=2) == []
    assert len(told(holds, LATE, cycle=3)) == 1


def test_a_contact_that_an_incomplete_search_did_not_show_is_not_taken_for_gone():
    holds = HoldTransitions()
    told(holds, LATE)
    assert told(holds, cycle=2, whole=False) == []
    assert told(holds, LATE, cycle=3) == []


def test_a_contact_that_was_decided_on_and_is_held_no_longer_is_forgotten_even_by_an_incomplete_search():
    holds = HoldTransitions()
    told(holds, LATE)
    assert told(holds, contact(waited=0), cycle=2, whole=False) == []
    assert len(told(holds, LATE, cycle=3)) == 1


def test_a_contact_that_waits_no_longer_is_forgotten_and_one_that_waits_is_not():
    holds = HoldTransitions()
    told(holds, LATE)
    holds.forget_gone({LATE.id})
    assert told(holds, LATE, cycle=2) == []
    holds.forget_gone(set())
    assert len(told(holds, LATE, cycle=3)) == 1
