"""Checks which wait is which: what continues, what begins again, and what is known without the ledger."""

from datetime import timedelta

import pytest

from router.model import HoldReason
from router.sandbox import Behaviours
from tests.e2e.centre import FLOW

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

TO_AND_FRO = """
[defaults]
flow = "Overflow to queue"
guard = { cooldown = "1m" }

[[rule]]
name = "there"
match.queue = "Billing"
[[rule.step]]
at = "30m"
to = [{ queue = "General" }]

[[rule]]
name = "back"
match.queue = "General"
[[rule.step]]
at = "30m"
to = [{ queue = "Billing" }]
"""


def run(app):
    report = app.cycle.run(until=None)
    return dict(report.held), report


def where(centre, contact_id):
    return centre.world.queue_of(centre.world.latest(contact_id).id)


def moved_to_general(centre):
    """Returns a task that a router has moved out of Billing and into General, half an hour ago; and the router."""
    task = centre.world.enqueue("TASK", "Billing", waited=31 * MINUTE)
    app = centre.router(TO_AND_FRO)
    run(app)
    centre.land(app)
    assert where(centre, task) == "General"
    centre.clock.travel(31 * MINUTE)
    return task, app


def without_ledger(centre, app):
    """Starts another process, on a ledger of its own."""
    centre.end(app)
    app.settings.ledger.path.unlink()
    again = centre.router(TO_AND_FRO)
    assert again.ledger.created
    return again


def test_it_is_not_moved_back_to_where_it_came_from(centre):
    task, app = moved_to_general(centre)
    assert run(app)[0] == {HoldReason.NO_ELIGIBLE_DESTINATION: 1}
    assert where(centre, task) == "General"


def test_nor_by_a_router_that_has_lost_its_ledger(centre):
    task, app = moved_to_general(centre)
    again = without_ledger(centre, app)
    assert run(again)[0] == {HoldReason.NO_ELIGIBLE_DESTINATION: 1}
    calls = again.connection.calls()["DescribeContact"]
    assert run(again)[0] == {HoldReason.NO_ELIGIBLE_DESTINATION: 1}
    assert again.connection.calls()["DescribeContact"] == calls  # what has ended is not read again
    assert where(centre, task) == "General"


def test_what_an_agent_puts_back_is_a_new_wait(centre):
    task, app = moved_to_general(centre)
    centre.world.accept(centre.world.latest(task).id, "supervisor.one")
    centre.world.put_back(centre.world.latest(task).id)
    centre.clock.travel(31 * MINUTE)
    run(app)
    assert where(centre, task) == "Billing"


def test_that_is_so_without_the_ledger_too(centre):
    task, app = moved_to_general(centre)
    centre.world.accept(centre.world.latest(task).id, "supervisor.one")
    centre.world.put_back(centre.world.latest(task).id)
    again = without_ledger(centre, app)
    centre.clock.travel(31 * MINUTE)
    run(again)
    assert where(centre, task) == "Billing"


@pytest.mark.parametrize("behaviours", [Behaviours(put_back="same_contact")], ids=["as the same contact"])
def test_what_is_put_back_as_the_same_contact_is_a_new_wait(centre, behaviours):
    task, app = moved_to_general(centre)
    centre.world.accept(centre.world.latest(task).id, "supervisor.one")
    centre.world.put_back(centre.world.latest(task).id)
    centre.clock.travel(31 * MINUTE)
    run(app)
    assert where(centre, task) == "Billing"


def test_what_a_flow_passes_on_is_a_new_wait_while_the_ledger_knows_better(centre):
    task = centre.world.enqueue("TASK", "Billing", waited=10 * MINUTE)
    app = centre.router(TO_AND_FRO)
    centre.world.transfer(task, flow=FLOW, queue="General")
    centre.clock.travel(31 * MINUTE)
    run(app)
    assert where(centre, task) == "Billing"


def test_a_chain_from_before_the_ledger_that_cannot_be_read_holds(centre):
    task, app = moved_to_general(centre)
    again = without_ledger(centre, app)
    centre.world.faults.add("error", "DescribeContact", code="InvalidRequestException", contact_id=task)
    assert run(again)[0] == {HoldReason.UNREADABLE: 1}
    assert where(centre, task) == "General"


def test_transfers_are_counted_without_the_ledger(centre):
    full = centre.world.enqueue("TASK", "Billing", waited=HOUR, age=9 * HOUR, chain=10)
    app = centre.router(TO_AND_FRO)
    assert run(app)[0] == {HoldReason.TRANSFER_BUDGET: 1}
    assert where(centre, full) == "Billing"
