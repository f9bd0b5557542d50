"""Deletes queues and agents, and checks that only these are left out, whatever Connect returns for an unknown id."""

from datetime import timedelta

import pytest

from router.sandbox import Behaviours
from tests.e2e.centre import FLOW, reloaded

HOUR = timedelta(hours=1)
POLL = timedelta(seconds=5)
FORMS = [Behaviours(unknown_id=form) for form in ("not_found", "invalid", "left_out")]
in_every_form = pytest.mark.parametrize("behaviours", FORMS, ids=["404", "400", "left out"])

RULES = """
[defaults]
flow = "Overflow to queue"
agent_flow = "Escalate to agent"

[[rule]]
name = "a"
match = { queue = ["Billing", "Archive"], tags.kind = "a" }
[[rule.step]]
at = "1h"
to = [
  { queue = "Night Desk", contacts_in_queue = { max = 50 } },
  { queue = "Overflow", contacts_in_queue = { max = 9 } },
]

[[rule]]
name = "b"
match = { queue = "Billing", tags.kind = "b" }
[[rule.step]]
at = "1h"
to = [{ queue = "Supervisors", contacts_in_queue = { max = 50 } }]

[[rule]]
name = "c"
match = { queue = "Billing", tags.kind = "c" }
[[rule.step]]
at = "1h"
to = [{ agent = "gone" }, { agent = "supervisor.one" }]
"""


@pytest.fixture
def filled(centre):
    """Returns the centre of the tests with the queues of the rules, before anything is deleted."""
    for queue in ("Night Desk", "Overflow", "Archive"):
        centre.world.add_queue(queue)
    centre.world.add_user("gone", queues=["Supervisors"], slots={"TASK": 1})
    centre.world.add_user("clerk", queues=["Overflow"], slots={"TASK": 1})
    for name in ("gone", "clerk"):
        centre.world.set_status(name, "Available")
    centre.world.set_status("supervisor.one", "Available")
    return centre


def delete(centre):
    for name in ("Night Desk", "Archive", "gone"):
        centre.world.remove(name)


def waiting(centre):
    return [centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, tags={"kind": kind}) for kind in "abc"]


def places(centre):
    found = {}
    for move in centre.world.transfers:
        found[move.contact_id] = move.to_queue or move.to_agent
    return found


def lines(events, event):
    return [line for line in events if line["event"] == event]


@in_every_form
def test_what_is_deleted_while_it_runs_blinds_nothing_else(filled, behaviours, events):
    app = filled.router(RULES)
    delete(filled)
    first, second, third = waiting(filled)
    app.cycle.run(until=None)
    app.cycle.run(until=None)
    assert places(filled)[second] == "Supervisors"
    assert places(filled)[third] == "supervisor.one"
    assert places(filled)[first] == "Overflow"


@in_every_form
def test_after_a_reload_and_after_a_restart_the_rest_of_the_rule_acts(filled, behaviours, events):
    delete(filled)
    app = filled.router(RULES)
    first, second, third = waiting(filled)
    app.cycle.run(until=None)
    assert reloaded(app, filled.folder / "rules") == ()
    app.cycle.run(until=None)
    assert places(filled) == {first: "Overflow", second: "Supervisors", third: "supervisor.one"}
    said = " ".join(line["message"] for line in lines(events, "rules.unresolved"))
    assert "Night Desk" in said
    assert "Archive" in said
    assert "gone" in said
    assert {line["log_level"] for line in lines(events, "rules.unresolved")} == {"error"}


@pytest.mark.parametrize("behaviours", FORMS[:2], ids=["404", "400"])
def test_what_is_gone_is_named_once_and_requested_again_after_each_directory(filled, behaviours, events):
    app = filled.router(RULES)
    delete(filled)
    waiting(filled)
    for _ in range(3):
        app.cycle.run(until=None)
        assert app.names.refresh() is None
    named = [(line["kind"], line["name"]) for line in lines(events, "directory.missing")]
    assert sorted(named) == [("agent", "gone"), ("queue", "Archive"), ("queue", "Night Desk")]
    told = " ".join(line["message"] for line in lines(events, "directory.changed"))
    assert "Night Desk" in told
    assert "gone" in told


@in_every_form
def test_polls_find_and_move_what_falls_due_although_a_source_queue_was_deleted(filled, behaviours, events):
    app = filled.router(RULES)
    app.acting.poll(until=filled.clock.monotonic() + 5, every=POLL)
    delete(filled)
    first, second, third = waiting(filled)
    for _ in range(4):
        app.acting.poll(until=filled.clock.monotonic() + 5, every=POLL)
        app.acting._step()
        filled.clock.travel(POLL)
    assert places(filled) == {first: "Overflow", second: "Supervisors", third: "supervisor.one"}


def test_an_unconditional_destination_that_was_deleted_is_skipped_once_the_names_are_read(filled):
    rules = RULES.replace('{ queue = "Night Desk", contacts_in_queue = { max = 50 } }', '{ queue = "Night Desk" }')
    app = filled.router(rules)
    delete(filled)
    assert app.names.refresh() is None
    first, _, _ = waiting(filled)
    calls = filled.sandbox.count("TransferContact")
    app.cycle.run(until=None)
    assert places(filled)[first] == "Overflow"
    assert filled.sandbox.count("TransferContact") - calls == 3
    assert [one.flow for one in filled.world.transfers if one.contact_id == first] == [FLOW]


def test_a_destination_is_skipped_without_a_call_once_its_flow_is_known_to_be_gone(filled):
    rules = RULES.replace(
        '{ queue = "Night Desk", contacts_in_queue = { max = 50 } }', '{ queue = "Night Desk", flow = "Night flow" }'
    )
    filled.world.add_flow("Night flow")
    app = filled.router(rules)
    filled.world.remove("Night flow")
    assert app.names.refresh() is None
    first, _, _ = waiting(filled)
    app.cycle.run(until=None)
    assert places(filled)[first] == "Overflow"
    assert filled.sandbox.count("TransferContact") == 3


def test_where_every_destination_is_gone_it_is_held_as_unresolved(filled, events):
    rules = RULES.replace('{ queue = "Overflow", contacts_in_queue = { max = 9 } },', "")
    app = filled.router(rules)
    delete(filled)
    assert app.names.refresh() is None
    first, _, _ = waiting(filled)
    app.cycle.run(until=None)
    [held] = lines(events, "contact.held")
    assert (held["contact_id"], held["reason"], held["log_level"]) == (first, "unresolved", "warning")
    assert held["detail"] == '"Night Desk": the queue no longer exists'
