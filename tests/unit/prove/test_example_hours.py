"""Tests examples that give hours of operation as open or closed."""

from router.prove.examples import ExampleResult, prove_examples
from tests.builders.contacts import NOW
from tests.builders.rules import ruleset

RULES = """
    [[rule]]
    name = "office"
    match = { queue = "Billing" }
    sla = { target = "1h", hours = "Office hours" }
    [[rule.step]]
    at = "breach"
    to = [{ queue = "Overflow", open = true }, { queue = "General" }]

    [[rule]]
    name = "night"
    match = { queue = "Claims", hours = { name = "Office hours", is = "closed" } }
    sla.hours = "queue"
    step = [{ at = "10m", warn = "late" }]
"""
LATE = 'contact = { channel = "TASK", queue = "Billing", waited = "2h" }\n'
CLAIM = 'contact = { channel = "TASK", queue = "Claims", waited = "20m" }\n'
OFFICE = '{ rule = "office", step = 1'


def result(example: str) -> ExampleResult:
    given = ruleset(f'{RULES}\n[[example]]\nname = "this"\n{example}')
    (found,) = prove_examples(given, given.examples, now=NOW)[0]
    return found


def passes(example: str) -> None:
    assert result(example).message == ""


def test_hours_that_are_not_given_are_open():
    passes(f'{LATE}expect = {OFFICE}, queue = "Overflow" }}')


def test_closed_hours_hold():
    passes(f'{LATE}hours."Office hours" = "closed"\nexpect = {OFFICE}, hold = "closed" }}')


def test_what_is_due_at_this_very_instant_is_held_too():
    passes(f'{LATE.replace("2h", "1h")}hours."Office hours" = "closed"\nexpect = {OFFICE}, hold = "closed" }}')


def test_what_is_not_due_yet_waits_for_nobody_knows_how_long():
    early = LATE.replace("2h", "20m")
    passes(f'{early}expect = {{ rule = "office", due = "40m" }}')
    passes(f'{early}hours."Office hours" = "closed"\nexpect = "nothing"')
    found = result(f'{early}hours."Office hours" = "closed"\nexpect = {{ rule = "office", due = "40m" }}')
    assert found.message == 'expected "office" due in 40m, got its hours of operation are closed'


def test_the_own_hours_of_all_queues_or_of_one():
    passes(f'{LATE}hours.queue = "closed"\nexpect = {OFFICE}, queue = "General" }}')
    passes(f'{LATE}queues.Overflow = {{ open = false }}\nexpect = {OFFICE}, queue = "General" }}')
    passes(f'{LATE}hours.queue = "closed"\nqueues.Overflow.open = true\nexpect = {OFFICE}, queue = "Overflow" }}')


def test_a_condition_on_hours_and_a_clock_by_the_queues_own():
    passes(f'{CLAIM}expect = "nothing"')
    by_night = f'{CLAIM}hours."Office hours" = "closed"\n'
    passes(f'{by_night}expect = {{ rule = "night", step = 1, warn = true }}')
    passes(f'{by_night}hours.queue = "closed"\nexpect = {{ rule = "night", step = 1, hold = "closed" }}')


def test_hours_that_no_rule_asks_about_prove_nothing():
    found = result(f'{LATE}hours."Ofice hours" = "closed"\nexpect = {OFFICE}, queue = "Overflow" }}')
    assert not found.passed
    assert found.message == ("no rule uses hours of operation \"Ofice hours\" (did you mean 'Office hours'?)")
