"""Checks conditions that cost a call: they are read when something may be due, and again right before the move."""

from datetime import timedelta

from structlog.testing import capture_logs

from router.lookup.details import DETAILS_PER_LOOK
from router.model import HoldReason

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
RULES = """
[defaults]
flow = "Overflow to queue"

[[rule]]
name = "vip"
match = { queue = "Billing", attributes.tier = "vip" }
[[rule.step]]
at = "1h"
to = [{ queue = "Supervisors" }]

[[rule]]
name = "mail"
match = { channel = "EMAIL", from_address = "*@customer.example", priority = { max = 3 } }
[[rule.step]]
at = "1h"
to = [{ queue = "General" }]

[[rule]]
name = "late"
match.queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ queue = "Billing Overflow" }]
"""


def moved(centre):
    return {transfer.contact_id: transfer.to_queue for transfer in centre.world.transfers}


def described(centre):
    return [call.params["ContactId"] for call in centre.sandbox.calls if call.operation == "DescribeContact"]


def run(app):
    return dict(app.cycle.run(until=None).held)


def test_each_contact_goes_where_its_attributes_address_and_priority_say(centre):
    vip = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, attributes={"tier": "vip"})
    plain = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, attributes={"tier": "gold"})
    address = {"from_address": "Ann@Customer.example", "to_address": "billing@example.com"}
    mail = centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR, priority=2, **address)
    usual = centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR, **address)
    assert run(centre.router(RULES)) == {}
    assert moved(centre) == {
        vip: "Supervisors",
        plain: "Billing Overflow",
        mail: "General",
        usual: "Billing Overflow",
    }


def test_a_contact_of_which_nothing_can_be_due_is_not_described(centre):
    centre.world.enqueue("TASK", "Billing", waited=MINUTE)
    assert run(centre.router(RULES)) == {}
    assert described(centre) == []


def test_what_cannot_be_read_holds_and_no_later_rule_moves_it(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(RULES)
    centre.world.faults.add("error", "DescribeContact", code="AccessDeniedException", count=1)
    assert run(app) == {HoldReason.UNREADABLE: 1}
    assert moved(centre) == {}
    run(app)
    assert moved(centre) == {late: "Billing Overflow"}


def test_an_attribute_that_changed_since_it_was_read_is_seen_before_the_move_and_decided_on_anew(centre):
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    app = centre.router(RULES, **{"guard.per_cycle": 1})
    later = centre.world.enqueue("TASK", "Billing", waited=HOUR + MINUTE)
    assert run(app) == {HoldReason.PER_CYCLE: 1}  # both were read, and one was moved
    centre.world.change(later, attributes={"tier": "vip"})
    assert run(app) == {HoldReason.NO_LONGER_MATCHES: 1}
    run(app)
    assert moved(centre) == {late: "Billing Overflow", later: "Supervisors"}


CUSTOMERS = ("DE00", 'vip"', "ann@customer", "tier", "Claims of Ann", "last_agent")


def test_no_value_of_a_customers_is_logged_or_stored(centre):
    told = {"tier": "vip", "iban": "DE00 1234", "last_agent": "DE00"}
    template = {"task_template": "Claims of Ann"}
    centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, attributes=told, **template)
    centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR, from_address="ann@customer.example", priority=1)
    centre.world.enqueue("TASK", "General", waited=2 * HOUR, attributes=told, **template)
    named = (
        RULES
        + """
[[rule]]
name = "preferred"
match = { queue = "General", task_template = "Claims*" }
[[rule.step]]
at = "1h"
to = [{ agent_from = "attributes.last_agent", flow = "Escalate to agent" }]
"""
    )
    app = centre.router(named)
    with capture_logs() as lines:
        assert run(app) == {HoldReason.NO_ELIGIBLE_DESTINATION: 1}
    shown = "\n".join(str(line) for line in lines if line["log_level"] != "debug")
    assert "contact.transferred" in shown
    assert [value for value in CUSTOMERS if value in shown and value != "last_agent"] == []
    stored = b"".join(path.read_bytes() for path in centre.folder.glob("ledger.db*"))
    assert len(stored) > 0
    assert [value for value in CUSTOMERS if value.encode() in stored] == []


def test_a_contact_that_cannot_be_read_keeps_no_other_waiting(centre):
    bad = centre.world.enqueue("TASK", "Billing", waited=3 * HOUR)
    vip = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, attributes={"tier": "vip"})
    plain = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)
    centre.world.faults.add("garbage", "DescribeContact", contact_id=bad)
    app = centre.router(RULES)
    run(app)
    assert run(app) == {HoldReason.UNREADABLE: 1}
    assert moved(centre) == {vip: "Supervisors", plain: "Billing Overflow"}


def test_of_many_the_most_overdue_are_read_first_and_the_others_at_the_next_look(centre):
    waits = [2 * HOUR - n * MINUTE / 10 for n in range(DETAILS_PER_LOOK + 5)]
    ids = [centre.world.enqueue("EMAIL", "Billing", waited=waited) for waited in waits]
    app = centre.router(RULES, **{"guard.per_cycle": DETAILS_PER_LOOK // 2, "guard.unlanded": 200})
    assert run(app) == {HoldReason.UNREADABLE: 5, HoldReason.PER_CYCLE: 30}
    assert set(described(centre)[:DETAILS_PER_LOOK]) == set(ids[:DETAILS_PER_LOOK])
    assert run(app) == {HoldReason.PER_CYCLE: 5}
    assert set(described(centre)) == set(ids)
    assert set(moved(centre)) == set(ids[:DETAILS_PER_LOOK])


PREFERRED = """
[defaults]
flow = "Overflow to queue"
agent_flow = "Escalate to agent"

[[rule]]
name = "preferred"
match.queue = "Billing"
[[rule.step]]
at = "1h"
to = [{ agent_from = "attributes.last_agent" }, { queue = "General" }]
"""


def sent_to(centre):
    return {one.contact_id: one.to_queue or one.to_agent for one in centre.world.transfers}


def test_a_contact_goes_to_the_agent_it_names_where_that_agent_is_free_and_serves_its_queue(centre):
    for name in ("ann", "bob"):
        centre.world.add_user(name, queues=["Billing"], slots={"TASK": 0, "EMAIL": 1})
    centre.world.set_status("bob", "Offline")
    named = {
        name: centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR, attributes={"last_agent": name} if name else {})
        for name in ("ann", "bob", "supervisor.one", "nobody\n", "")
    }
    with capture_logs() as lines:
        assert run(centre.router(PREFERRED)) == {}
    elsewhere = {contact: "General" for name, contact in named.items() if name != "ann"}
    assert sent_to(centre) == {named["ann"]: "ann", **elsewhere}
    assert "nobody" not in repr(lines)


def test_a_contact_that_names_another_agent_by_now_goes_to_that_one(centre):
    for name in ("ann", "bob"):
        centre.world.add_user(name, queues=["Billing"], slots={"TASK": 5})
    for waited in (2 * HOUR, HOUR + MINUTE):
        late = centre.world.enqueue("TASK", "Billing", waited=waited, attributes={"last_agent": "ann"})
    app = centre.router(PREFERRED, **{"guard.per_cycle": 1})
    assert run(app) == {HoldReason.PER_CYCLE: 1}  # both were read, and one was moved
    centre.world.change(late, attributes={"last_agent": "bob"})
    assert run(app) == {HoldReason.NO_LONGER_MATCHES: 1}
    assert run(app) == {}
    assert sent_to(centre)[late] == "bob"


def test_while_it_is_not_known_whom_a_contact_names_nobody_else_gets_it(centre):
    centre.world.add_user("ann", queues=["Billing"], slots={"EMAIL": 5})
    late = centre.world.enqueue("EMAIL", "Billing", waited=2 * HOUR, attributes={"last_agent": "ann"})
    app = centre.router(PREFERRED)
    centre.world.faults.add("error", "DescribeContact", code="InvalidRequestException", count=1)
    assert run(app) == {HoldReason.UNREADABLE: 1}
    assert run(app) == {}
    assert sent_to(centre) == {late: "ann"}


def test_routing_profiles_are_read_once_for_several_looks(centre):
    centre.world.add_user("ann", queues=["Billing"], slots={"TASK": 5})
    app = centre.router(PREFERRED)
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, attributes={"last_agent": "ann"})
        run(app)
    calls = [call for call in centre.sandbox.calls if call.operation == "ListRoutingProfileQueues"]
    assert len(calls) == 1


def test_a_routing_profile_that_cannot_be_read_makes_the_agent_ineligible(centre):
    centre.world.add_user("ann", queues=["Billing"], slots={"TASK": 5})
    late = centre.world.enqueue("TASK", "Billing", waited=2 * HOUR, attributes={"last_agent": "ann"})
    app = centre.router(PREFERRED)
    centre.world.faults.add("error", "ListRoutingProfileQueues", code="AccessDeniedException")
    assert run(app) == {}
    assert sent_to(centre) == {late: "General"}
