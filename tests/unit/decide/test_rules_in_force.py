"""Tests which rules are tried on a contact."""

from router.decide.rules_in_force import RulesInForce
from router.decide.wait import read_wait
from router.decide.waiting_contact import WaitingContact
from router.model import Details
from router.rules.condition import Unread
from tests.builders.contacts import act, contact
from tests.builders.rules import overflow, rules
from tests.builders.snapshots import snapshot

CUSTOMERS = "".join(
    overflow(f"customer-{n}").replace("match = {", f'match = {{ attributes.customer = "{n}",') for n in range(100)
)
ANYBODY = overflow("anybody")


def tried(details, *acted):
    """Returns the names of the rules that are tried on a contact of Billing on which some rules have acted."""
    one = contact("c1", waited=30)
    history = tuple(act(one, rule, kind="warn") for rule in acted)
    bound, seen = rules(CUSTOMERS + ANYBODY), snapshot(one, history=history, details={"c1": details})
    wait = read_wait(one, history)
    assert wait is not None
    waiting = WaitingContact(one, wait, seen)
    met = RulesInForce(bound, seen).for_wait(waiting)
    return [rule.rule.name for rule in met.meeting(details, wait, waiting.values).rules]


def test_only_the_rules_that_require_the_value_of_its_attribute_or_none_are_tried():
    assert tried(Details(attributes={"customer": "7"})) == ["customer-7", "anybody"]


def test_the_rules_that_have_acted_are_tried_as_well_and_no_others():
    assert tried(Details(attributes={"customer": "7"}), "customer-3") == ["customer-3", "customer-7", "anybody"]
    assert tried(Details(), "customer-3", "gone") == ["customer-3", "anybody"]


def test_while_the_details_are_unread_the_first_rule_stands_for_those_that_come_out_alike():
    assert tried(Unread("not read")) == ["customer-0", "anybody"]
    assert tried(Unread("not read"), "customer-0", "customer-3") == [
        "customer-0",
        "customer-1",
        "customer-3",
        "anybody",
    ]
