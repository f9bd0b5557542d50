"""Examples of rule files, run on the code that decides in service."""

from datetime import timedelta
from pathlib import Path

import pytest

from router.decide.snapshot import Limits
from router.prove.examples import ExampleResult, prove_examples
from router.rules.load import load_rules
from tests.builders.contacts import NOW
from tests.builders.rules import ruleset

SHIPPED = Path(__file__).parents[3] / "rules"

RULES = """
    [[rule]]
    name = "billing"
    match = { channel = "TASK", queue = ["Billing", "Billing EU *"], tags.team = { not = "blue" } }
    sla = { target = "1h" }
    [[rule.step]]
    at = "50%"
    to = [
      { queue = "Overflow", slots_available = { min = 1 } },
      { queue = "General", contacts_in_queue = { max = 50 }, oldest_contact_age = { max = "1h" } },
    ]
    [[rule.step]]
    at = "breach"
    to = [{ agent = "ann" }, { queue = "Supervisors" }]
    warn = "late"

    [[rule]]
    name = "overflow"
    match = { queue = "Overflow", waited = { max = "3h" } }
    step = [{ at = "10m", to = [{ queue = "General" }] }]

    [[rule]]
    name = "leave-alone"
    match = { queue = "VIP" }
"""


def results(example: str, *, rule_file: str = RULES, limits: Limits | None = None) -> ExampleResult:
    given = ruleset(f'{rule_file}\n[[example]]\nname = "this"\n{example}')
    (result,) = prove_examples(given, given.examples, now=NOW, limits=limits)[0]
    return result


def passes(example: str, **others) -> bool:
    result = results(example, **others)
    assert result.message == ""
    return result.passed


def fails(example: str, **others) -> str:
    result = results(example, **others)
    assert not result.passed
    return result.message


IN_BILLING = 'contact = { channel = "TASK", queue = "Billing", waited = "30m" }\n'


def test_every_example_that_is_shipped_passes():
    shipped = load_rules(SHIPPED)
    assert len(shipped.examples) > 10
    found = prove_examples(shipped, shipped.examples, now=NOW)[0]
    assert [(one.name, one.message) for one in found if not one.passed] == []
    assert [one.name for one in found] == [one.name for one in shipped.examples]


@pytest.mark.parametrize(
    "example",
    [
        IN_BILLING
        + 'queues.Overflow = { slots_available = 1 }\n'
        + 'expect = { rule = "billing", step = 1, queue = "Overflow" }',
        IN_BILLING + 'expect = { rule = "billing", step = 1, queue = "General" }',
        IN_BILLING
        + 'queues.General = { contacts_in_queue = 51 }\n'
        + 'expect = { rule = "billing", step = 1, hold = "no_eligible_destination" }',
        IN_BILLING.replace("30m", "1h")
        + 'agents.ann = { slots_available = 1 }\nexpect = { rule = "billing", step = 2, agent = "ann", warn = true }',
        IN_BILLING.replace("30m", "1h") + 'expect = { rule = "billing", step = 2, queue = "Supervisors" }',
        IN_BILLING.replace("30m", "1h") + 'expect = { rule = "billing", step = 2, warn = true }',
        IN_BILLING.replace("30m", "10m") + 'expect = { rule = "billing", due = "20m" }',
        IN_BILLING.replace("30m", "10m") + 'expect = "nothing"',
        IN_BILLING.replace("Billing", "Billing EU 1") + 'expect = { rule = "billing", step = 1, queue = "General" }',
        IN_BILLING.replace("waited", 'tags = { team = "blue" }, waited') + 'expect = "nothing"',
        IN_BILLING.replace("Billing", "VIP") + 'expect = { rule = "leave-alone", hold = "excluded" }',
        IN_BILLING.replace("waited", "clock") + 'expect = { rule = "billing", step = 1, queue = "General" }',
        IN_BILLING.replace("waited", "transfers = 9, waited")
        + 'expect = { rule = "billing", step = 1, hold = "transfer_budget" }',
        IN_BILLING.replace("waited", 'visited = ["General"], waited')
        + 'expect = { rule = "billing", step = 1, hold = "no_eligible_destination" }',
    ],
)  # fmt: skip
def test_an_example_passes(example):
    assert passes(example)


MOVED = 'contact = { channel = "TASK", queue = "General", progress = "30m", clock = "1h" }\n'


def test_progress_says_that_the_rule_has_moved_the_contact_here_and_clock_what_its_clock_shows():
    assert passes(MOVED + 'expect = { rule = "billing", step = 2, queue = "Supervisors" }')
    assert passes(MOVED.replace("1h", "45m") + 'expect = { rule = "billing", due = "15m" }')
    assert passes(MOVED.replace("1h", "45m") + 'expect = "nothing"')


def test_progress_without_a_clock_says_that_the_rule_moved_it_as_soon_as_it_was_due():
    there = 'contact = { channel = "TASK", queue = "General", progress = "30m", waited = "20m" }\n'
    assert passes(there + 'expect = { rule = "billing", due = "10m" }')


def test_a_contact_that_has_just_been_moved_is_in_its_cooldown():
    just = MOVED.replace('clock = "1h"', 'clock = "1h", waited = "1m"')
    assert passes(just + 'expect = { rule = "billing", step = 2, hold = "cooldown" }')
    assert passes(
        just + 'expect = { rule = "billing", step = 2, queue = "Supervisors" }', limits=Limits(cooldown=timedelta(0))
    )


def test_what_has_been_visited_before_the_rules_own_queues_was_another_rules_doing():
    there = MOVED.replace("progress", 'visited = ["VIP", "Billing"], progress')
    assert passes(there + 'expect = { rule = "billing", step = 2, queue = "Supervisors" }')
    assert passes(
        there + 'expect = { rule = "billing", step = 2, hold = "max_transfers" }', limits=Limits(max_transfers=2)
    )


def test_the_warnings_of_a_rule_up_to_its_progress_have_been_given():
    done = (
        'contact = { channel = "TASK", queue = "Supervisors", visited = ["Billing"], progress = "1h", clock = "2h" }\n'
    )
    assert passes(done + 'expect = "nothing"')


def test_a_contact_that_another_rule_moved_here_is_in_its_cooldown_too():
    there = 'contact = { channel = "TASK", queue = "Overflow", visited = ["Billing"], waited = "10m" }\n'
    assert passes(there + 'expect = { rule = "overflow", step = 1, queue = "General" }')
    longer = Limits(cooldown=timedelta(minutes=11))
    assert passes(there + 'expect = { rule = "overflow", step = 1, hold = "cooldown" }', limits=longer)


def test_it_says_what_was_expected_and_what_came_instead_with_the_reason():
    full = "queues.Overflow = { slots_available = 0 }\nqueues.General = { contacts_in_queue = 80 }\n"
    assert fails(IN_BILLING + full + 'expect = { rule = "billing", step = 1, queue = "Overflow" }') == (
        'expected queue "Overflow", got hold no_eligible_destination '
        '("Overflow": slots_available is 0, below 1; "General": contacts_in_queue is 80, above 50)'
    )


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (
            IN_BILLING + 'expect = { rule = "billing", step = 1, queue = "Overflow" }',
            'expected queue "Overflow", got queue "General"',
        ),
        (
            IN_BILLING + 'expect = { rule = "billing", step = 2, queue = "Supervisors" }',
            'expected queue "Supervisors", got queue "General" by step 1 of "billing"',
        ),
        (IN_BILLING + 'expect = "nothing"', 'expected nothing, got queue "General" by step 1 of "billing"'),
        (
            IN_BILLING.replace("30m", "10m") + 'expect = { rule = "billing", step = 1, queue = "General" }',
            'expected queue "General", got nothing ("billing" governs, due in 20m)',
        ),
        (
            IN_BILLING.replace("TASK", "EMAIL") + 'expect = { rule = "billing", step = 1, queue = "General" }',
            'expected queue "General", got nothing ("billing" does not match: channel = "TASK")',
        ),
        (
            IN_BILLING.replace("30m", "10m") + 'expect = { rule = "billing", due = "25m" }',
            'expected "billing" due in 25m, got due in 20m',
        ),
        (
            IN_BILLING + 'expect = { rule = "billing", due = "25m" }',
            'expected "billing" due in 25m, got queue "General"',
        ),
        (
            IN_BILLING + 'expect = { rule = "billing", step = 1, queue = "General", warn = true }',
            'expected a warning as well, got queue "General"',
        ),
        (
            IN_BILLING + 'expect = { rule = "billing", step = 1, hold = "cooldown" }',
            'expected hold cooldown, got queue "General"',
        ),
        (
            IN_BILLING.replace("Billing", "Elsewhere") + 'expect = { rule = "billing", step = 1, agent = "ann" }',
            'expected agent "ann", got nothing ("billing" does not match: queue = ["Billing", "Billing EU *"])',
        ),
        (
            IN_BILLING.replace("waited", 'progress = "7m", waited') + 'expect = "nothing"',
            "no rule has a to step at 7m, the progress of the contact",
        ),
    ],
)
def test_a_failing_example_says_why(example, message):
    assert fails(example) == message


def test_now_decides_which_rules_are_in_force():
    timed = RULES.replace('name = "billing"', 'name = "billing"\n    from = 2027-01-01T00:00:00Z')
    nothing = IN_BILLING + 'expect = "nothing"'
    assert passes(nothing, rule_file=timed)
    moved = IN_BILLING + 'now = 2027-06-01T00:00:00Z\nexpect = { rule = "billing", step = 1, queue = "General" }'
    assert passes(moved, rule_file=timed)


def test_a_rule_that_observes_is_tried_as_in_service_and_one_that_is_off_is_absent():
    for mode, expect in (("observe", '{ rule = "billing", step = 1, queue = "General" }'), ("off", '"nothing"')):
        changed = RULES.replace('name = "billing"', f'name = "billing"\n    mode = "{mode}"')
        assert passes(f"{IN_BILLING}expect = {expect}", rule_file=changed)


def test_ids_and_arns_stand_for_the_same_queue():
    arn = "arn:aws:connect:us-east-1:111122223333:instance/i/queue/11111111-aaaa"
    by_arn = RULES.replace('"Overflow"', f'"{arn}"')
    there = 'contact = { channel = "TASK", queue = "11111111-aaaa", waited = "10m" }\n'
    assert passes(there + 'expect = { rule = "overflow", step = 1, queue = "General" }', rule_file=by_arn)


LADDER = """
    [[rule]]
    name = "ladder"
    match = { queue = "Billing" }
    sla = { target = "1h" }
    [[rule.step]]
    at = "50%"
    routing = { priority = 2 }
    warn = "half"
    [[rule.step]]
    at = "breach"
    to = [{ queue = "Overflow" }]

    [[rule]]
    name = "bump"
    match = { queue = "General" }
    step = [{ at = "10m", routing = { age = "+10m" } }]
"""


def test_a_routing_step_is_expected_like_any_other():
    billing = 'contact = { channel = "TASK", queue = "Billing", waited = "30m" }\n'
    general = 'contact = { channel = "TASK", queue = "General", waited = "10m" }\n'
    assert passes(billing + 'expect = { rule = "ladder", step = 1, routing = true }', rule_file=LADDER)
    assert passes(billing + 'expect = { rule = "ladder", step = 1, routing = true, warn = true }', rule_file=LADDER)
    assert passes(general + 'expect = { rule = "bump", step = 1, routing = true }', rule_file=LADDER)


def test_what_came_instead_of_a_routing_step_is_told():
    billing = 'contact = { channel = "TASK", queue = "Billing", waited = "29m" }\n'
    expected = 'expect = { rule = "ladder", step = 1, routing = true }'
    assert fails(billing + expected, rule_file=LADDER) == (
        'expected routing, got nothing ("ladder" governs, due in 1m)'
    )
    general = 'contact = { channel = "TASK", queue = "General", waited = "10m" }\n'
    assert fails(general + 'expect = "nothing"', rule_file=LADDER) == (
        'expected nothing, got routing by step 1 of "bump"'
    )
