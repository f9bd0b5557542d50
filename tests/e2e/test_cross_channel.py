"""Checks over HTTP whether an e-mail that was just sent to a queue takes the slot of a task there."""

from datetime import timedelta

import pytest

from router.inspect.iam_policy import reading_operations
from router.rules.load import parse_rules
from router.sandbox import Behaviours
from tests.e2e.centre import LATE_RULE

HOUR = timedelta(hours=1)
SLOT = LATE_RULE.replace('"Billing Overflow" }', '"Billing Overflow", slots_available = { min = 1 } }')
OPERATION = "SearchRoutingProfiles"
DOUBT = "1 free, less 1 of another channel just sent there, perhaps from the same slots = 0"


def late_email_and_task(centre):
    centre.world.add_user("one", queues=["Billing Overflow"], slots={"TASK": 1, "EMAIL": 1})
    email = centre.world.enqueue("EMAIL", "Billing", waited=3 * HOUR)
    return email, centre.world.enqueue("TASK", "Billing", waited=2 * HOUR)


def held(events):
    return [line["detail"] for line in events if line["event"] == "contact.held"]


def moved(centre):
    return [one.contact_id for one in centre.world.transfers]


@pytest.mark.parametrize(
    ("behaviours", "both", "doubt"),
    [
        (Behaviours(cross_channel="any"), True, False),
        (Behaviours(cross_channel="current"), False, False),
        (Behaviours(cross_channel="absent"), False, True),
    ],
    ids=["any", "current", "absent"],
)
def test_the_routing_profile_decides_whether_an_email_takes_the_slot_of_a_task(centre, events, both, doubt):
    email, task = late_email_and_task(centre)
    app = centre.router(SLOT)
    app.cycle.run(until=None)
    app.cycle.run(until=None)
    assert sorted(moved(centre)) == sorted([email, task] if both else [email])
    assert centre.sandbox.count(OPERATION) == 1
    if not both:
        assert "1 free, less 1 of another channel just sent there" in held(events)[0]
        assert (DOUBT in held(events)[0]) is doubt


@pytest.mark.parametrize("kind", ["access_denied", "error_500", "garbage", "throttle"])
def test_a_reading_that_fails_moves_the_email_and_holds_the_task_with_the_doubt(centre, events, kind):
    email, _ = late_email_and_task(centre)
    centre.world.faults.add(kind, OPERATION)
    app = centre.router(SLOT)
    for _ in range(3):
        app.cycle.run(until=None)
    assert moved(centre) == [email]
    assert DOUBT in held(events)[0]
    failures = [line for line in events if line["event"] in ("api.denied", "api.failing", "api.throttled")]
    assert {line["operation"] for line in failures} == {OPERATION}


def test_nothing_is_read_if_it_cannot_change_the_decision(centre):
    centre.world.add_user("one", queues=["Billing Overflow"], slots={"TASK": 2, "EMAIL": 2})
    contacts = [centre.world.enqueue(channel, "Billing", waited=2 * HOUR) for channel in ("EMAIL", "TASK")]
    app = centre.router(SLOT)
    app.cycle.run(until=None)
    assert sorted(moved(centre)) == sorted(contacts)
    assert centre.sandbox.count(OPERATION) == 0


def test_the_right_is_printed_for_rules_that_may_need_it_only(centre):
    needed, plain = (parse_rules([("r.toml", rules.encode())]) for rules in (SLOT, LATE_RULE))
    assert {OPERATION, "DescribeRoutingProfile"} <= reading_operations(needed)
    assert not {OPERATION, "DescribeRoutingProfile"} & reading_operations(plain)


@pytest.mark.parametrize("kind", [None, "error_500"])
def test_an_email_moves_to_a_queue_for_which_connect_has_no_row_of_emails_as_its_own_queue_has_one(centre, kind):
    centre.world.add_user("one", queues=["Billing Overflow"], slots={"TASK": 1})
    email = centre.world.enqueue("EMAIL", "Billing", waited=3 * HOUR)
    if kind is not None:
        centre.world.faults.add(kind, "GetCurrentMetricData")
    app = centre.router(
        LATE_RULE.replace('"Billing Overflow" }', '"Billing Overflow", contacts_in_queue = { max = 9 } }')
    )
    for _ in range(2):
        app.cycle.run(until=None)
    assert moved(centre) == ([] if kind else [email])
