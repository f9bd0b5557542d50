"""The chain clock and conditions on age over HTTP: the whole of a contact's time counts, whoever moved it."""

from datetime import timedelta

import pytest

from router.cli.output.explanation import as_json, lines
from router.inspect.preview import Preview, Viewer
from router.model import HoldReason
from router.sandbox import Behaviours

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

RULE = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "old"
match.queue = "Billing"
sla = { target = "4h", clock = "chain" }
[[rule.step]]
at = "50%"
to = [{ queue = "Billing Overflow" }]
[[rule.step]]
at = "breach"
to = [{ queue = "Supervisors" }]
"""
AGED = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "aged"
match = { queue = "Billing", age = { min = "2h" } }
[[rule.step]]
at = "10m"
to = [{ queue = "Billing Overflow" }]
"""


def run(app):
    report = app.cycle.run(until=None)
    return dict(report.held), report


def test_a_contact_that_an_agent_passed_on_goes_by_the_time_of_its_chain(centre):
    first = centre.world.enqueue("TASK", "General", waited=90 * MINUTE)
    centre.world.accept(first, "supervisor.one")
    centre.world.put_back(first, queue="Billing")
    app = centre.router(RULE)
    held, report = run(app)
    assert (held, report.due) == ({}, 0)
    assert report.next_due_at is not None
    assert timedelta(minutes=29) < report.next_due_at - centre.clock.now() < timedelta(minutes=31)
    centre.clock.travel(31 * MINUTE)
    run(app)
    assert centre.world.queue_of(centre.world.latest(first).id) == "Billing Overflow"


def test_the_first_contact_is_read_once(centre):
    centre.world.enqueue("TASK", "Billing", waited=MINUTE, age=HOUR, chain=3)
    app = centre.router(RULE)
    run(app)
    run(app)
    assert app.connection.calls()["DescribeContact"] == 1
    assert "ListAssociatedContacts" not in app.connection.calls()


def test_a_contact_that_was_never_passed_on_costs_no_call(centre):
    centre.world.enqueue("TASK", "Billing", waited=MINUTE, age=HOUR)
    app = centre.router(RULE)
    run(app)
    assert "DescribeContact" not in app.connection.calls()


@pytest.mark.parametrize(
    "behaviours",
    [Behaviours(), Behaviours(new_segment_initial_id="lost", new_segment_previous_id="lost")],
    ids=["ids kept", "ids lost"],
)
def test_the_routers_own_moves_do_not_change_the_clock_whatever_ids_connect_shows(centre):
    first = centre.world.enqueue("TASK", "Billing", waited=MINUTE, age=2 * HOUR)
    app = centre.router(RULE, **{"guard.cooldown": "1m"})
    run(app)
    centre.land(app)
    assert centre.world.queue_of(centre.world.latest(first).id) == "Billing Overflow"
    centre.clock.travel(2 * HOUR - 10 * MINUTE)
    assert run(app)[1].due == 0
    centre.clock.travel(11 * MINUTE)
    run(app)
    assert centre.world.queue_of(centre.world.latest(first).id) == "Supervisors"


def test_a_first_contact_that_cannot_be_read_holds_and_is_read_again(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=MINUTE, age=3 * HOUR, chain=2)
    app = centre.router(RULE)
    centre.world.faults.add("error", "DescribeContact", code="AccessDeniedException", count=1)
    assert run(app)[0] == {HoldReason.UNREADABLE: 1}
    assert centre.world.queue_of(late) == "Billing"
    assert run(app)[0] == {}
    assert centre.world.queue_of(centre.world.latest(late).id) == "Billing Overflow"


def test_a_scheduled_task_is_as_old_as_its_schedule(centre):
    task = centre.world.schedule("TASK", "Billing", start_in=3 * HOUR)
    app = centre.router(RULE)
    centre.clock.travel(3 * HOUR + 119 * MINUTE)
    assert run(app)[1].due == 0
    centre.clock.travel(2 * MINUTE)
    run(app)
    assert centre.world.queue_of(centre.world.latest(task).id) == "Billing Overflow"


def test_a_condition_on_age_sees_the_chain(centre):
    old = centre.world.enqueue("EMAIL", "Billing", waited=11 * MINUTE, age=3 * HOUR, chain=2)
    young = centre.world.enqueue("EMAIL", "Billing", waited=11 * MINUTE, age=HOUR, chain=2)
    early = centre.world.enqueue("EMAIL", "Billing", waited=9 * MINUTE, age=3 * HOUR, chain=2)
    app = centre.router(AGED)
    run(app)
    assert [centre.world.queue_of(centre.world.latest(one).id) for one in (old, young, early)] == [
        "Billing Overflow",
        "Billing",
        "Billing",
    ]
    assert app.connection.calls()["DescribeContact"] == 3  # two first contacts, and the one that was moved


def test_explain_tells_the_age_and_where_the_clock_began(centre):
    waiting = centre.world.enqueue("TASK", "Billing", waited=11 * MINUTE, age=3 * HOUR, chain=2)
    first = centre.world.chain(waiting)[0].id
    told, as_data = explained(centre, RULE + AGED.partition("\n\n")[2], waiting)
    assert f"with contact {first}, shows 3h" in told
    assert "target 4h: breach" in told
    assert 'yes    age = { min = "2h" }   (is 3h' in told
    rule = as_data["rules"][0]
    assert (rule["clock"], rule["clock_read"], round(rule["clock_s"] / 60)) == ("chain", True, 180)


def test_explain_says_that_the_first_contact_could_not_be_read(centre):
    waiting = centre.world.enqueue("TASK", "Billing", waited=11 * MINUTE, age=3 * HOUR, chain=2)
    centre.world.faults.add("error", "DescribeContact", code="AccessDeniedException")
    told, as_data = explained(centre, RULE, waiting)
    assert "clock (chain): when its chain began could not be read (AccessDeniedException); it shows 11m" in told
    assert "hold unreadable" in told
    assert as_data["rules"][0]["clock_read"] is False
    assert as_data["rules"][0]["clock_started_at"] is None


def explained(centre, rules, contact_id):
    app = centre.router(rules)
    with Viewer.open(app.settings, app.names.ruleset, clock=centre.clock) as viewer:
        preview = viewer.preview()
    assert isinstance(preview, Preview)
    account = preview.account(contact_id)
    assert account is not None
    return "\n".join(lines(account, preview)), as_json(account, preview)
