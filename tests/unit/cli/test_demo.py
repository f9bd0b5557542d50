"""Tests the demo's verdict and its tally of the service's events."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config

from router.cli.demo.tally import DemoTally, judge
from router.sandbox import Behaviours, Sandbox, Scenario

pytestmark = pytest.mark.uses("threads", "sockets")

FLOW = "Overflow to queue"


@pytest.fixture
def sandbox(request):
    behaviours = getattr(request, "param", Behaviours())
    with Sandbox(Scenario(behaviours=behaviours)) as opened:
        for queue in ("Billing", "Overflow"):
            opened.world.add_queue(queue)
        opened.world.add_user("agent.one", queues=["Overflow"])
        yield opened


@pytest.fixture
def read(sandbox):
    """Calls DescribeContact over HTTP."""
    client = boto3.client(
        "connect", endpoint_url=sandbox.endpoint, region_name="us-east-1", aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield lambda contact_id: client.describe_contact(InstanceId=sandbox.instance_id, ContactId=contact_id)
    client.close()


def in_a_later_millisecond():
    until = datetime.now(UTC) + timedelta(milliseconds=1)
    while datetime.now(UTC) < until:
        pass


def test_a_contact_moved_while_it_waited_is_as_promised(sandbox, read):
    contact_id = sandbox.world.enqueue(waited=timedelta(hours=1))
    read(contact_id)
    sandbox.world.transfer(contact_id, flow=FLOW, queue="Overflow")

    verdict = judge(sandbox)

    assert (verdict.moves, verdict.twice, verdict.taken, verdict.within_window) == (1, 0, 0, 0)
    assert verdict.kept


def test_a_contact_that_an_agent_had_when_it_was_read_is_a_broken_promise(sandbox, read):
    contact_id = sandbox.world.enqueue()
    sandbox.world.accept(contact_id, "agent.one")
    read(contact_id)
    sandbox.world.transfer(contact_id, flow=FLOW, queue="Overflow")

    verdict = judge(sandbox)

    assert (verdict.taken, verdict.within_window) == (1, 0)
    assert not verdict.kept


def test_a_contact_accepted_after_the_reading_is_told_and_no_broken_promise(sandbox, read):
    contact_id = sandbox.world.enqueue()
    read(contact_id)
    in_a_later_millisecond()  # the sandbox's clock has no finer unit, and at one instant nobody knows what was first
    sandbox.world.accept(contact_id, "agent.one")
    sandbox.world.transfer(contact_id, flow=FLOW, queue="Overflow")

    verdict = judge(sandbox)

    assert (verdict.taken, verdict.within_window) == (0, 1)
    assert verdict.kept


@pytest.mark.parametrize("sandbox", [Behaviours(transfer="same_contact")], indirect=True)
def test_a_contact_moved_out_of_one_queue_twice_is_a_broken_promise(sandbox):
    contact_id = sandbox.world.enqueue()
    for queue in ("Overflow", "Billing", "Overflow"):
        sandbox.world.transfer(contact_id, flow=FLOW, queue=queue)

    verdict = judge(sandbox)

    assert verdict.twice == 1
    assert not verdict.kept


def event(name, **fields):
    return {"timestamp": "2026-11-23T00:00:00Z", "level": "info", "event": name, **fields}


def test_the_tally_adds_up_what_the_service_told():
    tally = DemoTally()
    moved = {"contact_id": "c", "rule": "late", "step": 2, "from_queue": "Billing"}
    for one in (
        event("contact.transferred", **moved, to_queue="Overflow", late_s=60.0),
        event("contact.transferred", **moved, to_agent="supervisor.one", late_s=-60.0),
        event("contact.skipped", **moved, steps=[1]),
        event("cycle.finished", cycle=1, held={"excluded": 2}),
        event("service.ready", rules=5),
    ):
        assert tally.tap(None, "info", one) is one

    assert not tally.moved, "nothing is counted before it is taken"
    tally.take()

    assert (tally.moved, tally.late, tally.out) == ({"late": 2}, 1, {"Billing": 2})
    assert tally.into == {"Overflow": 1, "agent supervisor.one": 1}
    assert (tally.cycles, tally.cycle["held"]) == (1, {"excluded": 2})
    assert [one["event"] for one in tally.recent] == ["contact.transferred", "contact.transferred"]
    assert len(tally.new) == 5
    tally.take()
    assert tally.new == []
