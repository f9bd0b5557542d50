"""A rule with ``on_hold = "next"`` gives way, seen over HTTP: in the service, in ``plan`` and in ``explain``."""

from datetime import timedelta

import pytest

from router.cli.output.decisions import kind
from router.cli.output.explanation import lines
from router.inspect.preview import Preview, Viewer

RULES = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "free-slot"
on_hold = "next"
match = { queue = "Billing", channel = "TASK" }
[[rule.step]]
at = "10m"
to = [{ queue = "Billing Overflow", slots_available = { min = 1 } }]

[[rule]]
name = "escalation"
match.queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ queue = "General" }]
"""
MINUTE = timedelta(minutes=1)


def previewed(centre, app):
    with Viewer.open(app.settings, app.names.ruleset, clock=centre.clock) as viewer:
        preview = viewer.preview()
    assert isinstance(preview, Preview)
    return preview


def moved(centre):
    return [(transfer.contact_id, transfer.to_queue) for transfer in centre.world.transfers]


def test_a_contact_that_the_first_rule_holds_is_moved_by_the_next_when_that_is_due(centre, events):
    contact = centre.world.enqueue("TASK", "Billing", waited=50 * MINUTE)
    app = centre.router(RULES)
    assert dict(app.cycle.run(until=None).held) == {"no_eligible_destination": 1}
    centre.clock.travel(11 * MINUTE)
    report = app.cycle.run(until=None)
    assert (dict(report.held), moved(centre)) == ({}, [(contact, "General")])
    [held] = [line for line in events if line["event"] == "contact.held"]
    assert (held["rule"], held["reason"]) == ("free-slot", "no_eligible_destination")
    [transferred] = [line for line in events if line["event"] == "contact.transferred"]
    assert transferred["rule"] == "escalation"


def test_with_a_free_slot_the_first_rule_moves_it(centre):
    centre.world.add_user("agent.one", queues=["Billing Overflow"], slots={"TASK": 1})
    contact = centre.world.enqueue("TASK", "Billing", waited=70 * MINUTE)
    centre.router(RULES).cycle.run(until=None)
    assert moved(centre) == [(contact, "Billing Overflow")]


def test_plan_and_explain_show_which_rule_gives_way(centre):
    contact = centre.world.enqueue("TASK", "Billing", waited=70 * MINUTE)
    preview = previewed(centre, centre.router(RULES))
    assert [(one.rule, kind(one)) for one in preview.decided.decisions] == [("escalation", "transfer")]
    account = preview.account(contact)
    assert account is not None
    shown = "\n".join(lines(account, preview))
    assert "rule free-slot: holds, and the next matching rule governs" in shown
    assert "Billing Overflow: not eligible: slots_available is" in shown
    assert "rule escalation: governs" in shown


def test_explain_shows_the_contacts_that_were_just_sent(centre):
    centre.world.add_user("agent.one", queues=["Billing Overflow"], slots={"TASK": 2, "EMAIL": 2})
    rules = RULES.replace(', channel = "TASK"', "").replace('at = "1h"', 'at = "5h"')
    for waited in (90, 80):
        centre.world.enqueue("TASK", "Billing", waited=waited * MINUTE)
    late = centre.world.enqueue("TASK", "Billing", waited=70 * MINUTE)
    app = centre.router(rules)
    report = app.cycle.run(until=None)
    assert (len(moved(centre)), dict(report.held)) == (2, {"no_eligible_destination": 1})
    preview = previewed(centre, app)
    account = preview.account(late)
    assert account is not None
    assert "2 free, less 2 just sent there = 0" in "\n".join(lines(account, preview))


def test_a_promise_of_a_rule_that_gave_way_is_not_broken_without_a_line(centre, events):
    promised = RULES.replace('on_hold = "next"', 'on_hold = "next"\nsla.target = "20m"')
    contact = centre.world.enqueue("TASK", "Billing", waited=15 * MINUTE)
    app = centre.router(promised)
    app.cycle.run(until=None)
    centre.clock.travel(10 * MINUTE)
    for _ in range(3):
        app.cycle.run(until=None)
    [line] = [line for line in events if line["event"] == "contact.breached"]
    assert (line["contact_id"], line["rule"], line["reason"]) == (contact, "free-slot", "no_eligible_destination")


SECOND_GIVES_WAY = """
[[rule]]
name = "second"
on_hold = "next"
match.queue = "Billing"
sla.target = "20m"
[[rule.step]]
at = "15m"
to = [{ queue = "Supervisors", slots_available = { min = 9 } }]

"""


@pytest.mark.parametrize("escalates", [False, True])
def test_each_rule_that_gave_way_and_whose_promise_is_broken_has_a_line_of_its_hold(centre, events, escalates):
    first, escalation = RULES.replace('on_hold = "next"', 'on_hold = "next"\nsla.target = "20m"').split(
        '[[rule]]\nname = "escalation"'
    )
    escalation = escalation.replace('"1h"', '"30m"') if escalates else escalation
    centre.world.enqueue("TASK", "Billing", waited=40 * MINUTE)
    app = centre.router(f'{first}{SECOND_GIVES_WAY}[[rule]]\nname = "escalation"{escalation}')
    if escalates:
        centre.world.faults.add("error", "TransferContact", code="ServiceQuotaExceededException")
    for _ in range(3):
        app.cycle.run(until=None)

    def reasons(event):
        return {(line["rule"], line["reason"]) for line in events if line["event"] == event}

    late = reasons("contact.breached")
    assert {rule for rule, _ in late} == {"free-slot", "second"}
    assert late <= reasons("contact.held")
    assert moved(centre) == []
