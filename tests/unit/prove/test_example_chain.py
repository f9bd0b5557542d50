"""Tests examples of rules on the chain clock, and of conditions on age."""

import pytest

from router.prove.examples import ExampleResult, prove_examples
from tests.builders.contacts import NOW
from tests.builders.rules import ruleset

RULES = """
    [[rule]]
    name = "old"
    match = { queue = ["Billing", "Claims"], waited = { min = "1m" } }
    sla = { target = "4h", clock = "chain" }
    [[rule.step]]
    at = "50%"
    to = [{ queue = "Overflow" }]
    [[rule.step]]
    at = "breach"
    to = [{ queue = "Supervisors" }]

    [[rule]]
    name = "aged"
    match = { queue = "General", age = { min = "1d" } }
    step = [{ at = "10m", to = [{ queue = "Supervisors" }] }]
"""
AGED = '{ rule = "aged", step = 1, queue = "Supervisors" }'


def result(contact: str, expect: str) -> ExampleResult:
    given = ruleset(
        f'{RULES}\n[[example]]\nname = "this"\ncontact = {{ channel = "TASK", {contact} }}\nexpect = {expect}\n'
    )
    (found,) = prove_examples(given, given.examples, now=NOW)[0]
    return found


@pytest.mark.parametrize(
    ("contact", "expect"),
    [
        ('queue = "Billing", waited = "5m", age = "2h"', '{ rule = "old", step = 1, queue = "Overflow" }'),
        ('queue = "Billing", waited = "5m", clock = "2h"', '{ rule = "old", step = 1, queue = "Overflow" }'),
        ('queue = "Billing", age = "2h"', '{ rule = "old", step = 1, queue = "Overflow" }'),
        ('queue = "Billing", waited = "2h"', '{ rule = "old", step = 1, queue = "Overflow" }'),
        ('queue = "Billing", waited = "5m", age = "5h"', '{ rule = "old", step = 2, queue = "Supervisors" }'),
        ('queue = "Billing", waited = "5m", age = "90m"', '{ rule = "old", due = "30m" }'),
        (
            'queue = "Billing", waited = "5m", age = "2h", transfers = 2',
            '{ rule = "old", step = 1, queue = "Overflow" }',
        ),
        ('queue = "Overflow", waited = "5m", age = "3h", progress = "2h"', '{ rule = "old", due = "1h" }'),
        (
            'queue = "Overflow", waited = "10m", age = "4h", progress = "2h", visited = ["Claims"]',
            '{ rule = "old", step = 2, queue = "Supervisors" }',
        ),
        ('queue = "General", waited = "10m", age = "1d"', AGED),
        ('queue = "General", waited = "10m", age = "25h", transfers = 3', AGED),
        ('queue = "General", waited = "10m", age = "23h"', '"nothing"'),
        ('queue = "General", waited = "10m"', '"nothing"'),
    ],
)
def test_the_age_is_what_the_example_says(contact, expect):
    assert result(contact, expect).message == ""


def test_the_clock_of_such_a_rule_and_the_age_are_one():
    found = result('queue = "Billing", age = "2h", clock = "3h"', '{ rule = "old", step = 1, queue = "Overflow" }')
    assert found.message == 'the clock of "old" is the age: give clock or age, not both'


@pytest.mark.parametrize("times", ['waited = "3h", age = "2h"', 'waited = "3h", clock = "2h"'])
def test_nothing_has_waited_longer_than_its_chain_is_old(times):
    found = result(f'queue = "Billing", {times}', '{ rule = "old", step = 1, queue = "Overflow" }')
    assert found.message == "the contact has waited longer than its chain is old"
