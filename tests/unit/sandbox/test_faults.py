"""Tests injected faults, hooks, the record of calls, and quotas."""

import time
from datetime import timedelta

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)

from router.sandbox import Refusal, Scenario
from router.sandbox.faults import KINDS

pytestmark = pytest.mark.uses("threads", "sockets")


def move(bench, contact):
    return bench.transfer(contact)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttle", 429, "ThrottlingException"),
        ("error_500", 500, "InternalServiceException"),
        ("error_503", 503, "ServiceUnavailableException"),
        ("access_denied", 403, "AccessDeniedException"),
        ("expired_credentials", 403, "ExpiredTokenException"),
        ("unrecognized_client", 403, "UnrecognizedClientException"),
    ],
)
def test_a_refusal_on_order_has_no_effect(bench, kind, status, code):
    contact = bench.world.enqueue()
    fault = bench.world.faults.add(kind, "TransferContact", count=1)
    with pytest.raises(ClientError) as caught:
        move(bench, contact)
    response = caught.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (status, code)
    assert bench.world.transfers == ()
    assert fault.fired == 1
    move(bench, contact)
    assert len(bench.world.transfers) == 1


def test_any_modelled_error_can_be_ordered(bench):
    bench.world.faults.add("error", "TransferContact", code="ServiceQuotaExceededException", message="full")
    with pytest.raises(bench.client.exceptions.ServiceQuotaExceededException, match="full"):
        move(bench, bench.world.enqueue())


@pytest.mark.parametrize(("kind", "transfers"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_call_can_time_out_before_or_after_its_effect(bench, kind, transfers):
    contact = bench.world.enqueue()
    bench.world.faults.add(kind, "TransferContact", count=1)
    with pytest.raises(ReadTimeoutError):
        move(bench, contact)
    assert len(bench.world.transfers) == transfers
    assert bench.sandbox.calls[-1].status == 0
    assert bench.sandbox.calls[-1].fault == kind


@pytest.mark.parametrize(("kind", "transfers"), [("reset_before", 0), ("reset_after", 1)])
def test_a_connection_can_break_before_or_after_the_effect(bench, kind, transfers):
    contact = bench.world.enqueue()
    bench.world.faults.add(kind, "TransferContact", count=1)
    with pytest.raises((ConnectionClosedError, ConnectionError)):
        move(bench, contact)
    assert len(bench.world.transfers) == transfers


def test_an_answer_can_be_slow(bench):
    bench.world.faults.add("slow", "DescribeInstance", delay=timedelta(milliseconds=120), count=1)
    start = time.perf_counter()
    bench.call("describe_instance")
    assert time.perf_counter() - start >= 0.12
    assert bench.sandbox.calls[-1].fault == "slow"


def test_an_answer_can_be_garbage_though_the_call_took_effect(bench):
    contact = bench.world.enqueue()
    bench.world.faults.add("garbage", "TransferContact", count=1)
    bench.client.transfer_contact(
        InstanceId=bench.sandbox.instance_id,
        ContactId=contact,
        QueueId=bench.queue("General"),
        ContactFlowId=bench.flow(),
    )
    assert len(bench.world.transfers) == 1


def pages(bench):
    for number in range(4):
        bench.world.enqueue(waited=timedelta(minutes=number))
    span = {
        "Type": "ENQUEUE_TIMESTAMP",
        "StartTime": bench.clock.now - timedelta(hours=1),
        "EndTime": bench.clock.now,
    }
    asked = {"TimeRange": span, "MaxResults": 2}
    return asked, bench.call("search_contacts", **asked)


def test_a_page_can_come_again(bench):
    asked, first = pages(bench)
    bench.world.faults.add("repeat_page", "SearchContacts", count=1)
    again = bench.call("search_contacts", NextToken=first["NextToken"], **asked)
    assert again["Contacts"] == first["Contacts"]
    assert again["NextToken"] == first["NextToken"]
    assert bench.call("search_contacts", NextToken=first["NextToken"], **asked)["Contacts"] != first["Contacts"]


def test_a_token_can_expire_before_its_time(bench):
    bench.world.faults.add("expire_token", "SearchContacts")
    asked, first = pages(bench)
    assert bench.refused("search_contacts", NextToken=first["NextToken"], **asked) == (400, "InvalidParameterException")


def test_the_date_of_an_answer_can_be_wrong(bench):
    bench.world.faults.add("skew", delay=timedelta(minutes=7))
    date = bench.call("describe_instance")["ResponseMetadata"]["HTTPHeaders"]["date"]
    assert date == "Tue, 10 Mar 2026 12:07:00 GMT"


def test_every_kind_of_fault_is_shown_here_and_no_other_exists(bench):
    from pathlib import Path

    text = Path(__file__).read_text()
    assert all(f'"{kind}"' in text for kind in KINDS)
    with pytest.raises(ValueError, match="no such fault: 'flood'"):
        bench.world.faults.add("flood")


def test_a_fault_can_be_about_one_contact_one_operation_or_a_time(bench):
    one, two = bench.world.enqueue(), bench.world.enqueue()
    bench.world.faults.add("error_500", "DescribeContact", contact_id=one)
    assert bench.refused("describe_contact", ContactId=one)[0] == 500
    bench.describe(two)
    bench.world.faults.clear()
    bench.world.faults.add(
        "error_500", start=bench.clock.now + timedelta(seconds=5), end=bench.clock.now + timedelta(seconds=9)
    )
    bench.describe(one)
    bench.clock.move(seconds=5)
    assert bench.refused("describe_contact", ContactId=one)[0] == 500
    bench.clock.move(seconds=4)
    bench.describe(one)


def test_a_fault_can_skip_the_first_calls_and_strike_a_share_of_the_rest(bench):
    contact = bench.world.enqueue()
    bench.world.faults.add("error_500", "DescribeContact", skip=2, count=1)
    bench.describe(contact)
    bench.describe(contact)
    assert bench.refused("describe_contact", ContactId=contact)[0] == 500
    fault = bench.world.faults.add("error_500", "DescribeInstance", probability=0.5)
    for _ in range(60):
        bench.sandbox.problems.clear()
        try:
            bench.call("describe_instance")
        except ClientError:
            continue
    assert 15 < fault.fired < 45


# Hooks


def test_an_agent_can_take_a_contact_exactly_between_reading_and_moving_it(bench):
    contact = bench.world.enqueue()
    take_off = bench.sandbox.before(
        "TransferContact", lambda params: bench.world.accept(params["ContactId"], "agent.one")
    )
    assert "AgentInfo" not in bench.describe(contact)
    bench.transfer(contact)
    assert [taken.contact_id for taken in bench.world.taken_from_agents] == [contact]
    take_off()
    bench.transfer(bench.world.enqueue())
    assert len(bench.world.taken_from_agents) == 1


def test_a_hook_may_refuse_a_call_and_another_may_act_after_it(bench):
    def refuse(params):
        raise Refusal("AccessDeniedException", "not you")

    bench.sandbox.before("DescribeInstance", refuse)
    assert bench.refused("describe_instance") == (403, "AccessDeniedException")
    seen = []
    bench.sandbox.after(
        "TransferContact", lambda params: seen.append(bench.world.queue_of(bench.world.latest(params["ContactId"]).id))
    )
    bench.transfer(bench.world.enqueue())
    assert seen == ["General"]


# The record


def test_every_call_is_recorded_with_what_was_asked_and_answered(bench):
    bench.refused("describe_contact", ContactId="nobody")
    (call,) = bench.sandbox.calls
    assert (call.operation, call.status, call.code) == ("DescribeContact", 404, "ResourceNotFoundException")
    assert call.params["ContactId"] == "nobody"
    assert call.at == bench.clock.now


# Quotas


def test_the_documented_quotas_throttle_and_fill_again_with_time(make):
    bench = make(Scenario(quotas="aws"))
    contact = bench.world.enqueue()
    for _ in range(15):
        bench.describe(contact)
    assert bench.refused("describe_contact", ContactId=contact) == (429, "ThrottlingException")
    bench.clock.move(seconds=0.5)
    for _ in range(5):
        bench.describe(contact)
    assert bench.refused("describe_contact", ContactId=contact)[0] == 429


def test_each_operation_has_its_own_quota_and_search_one_call_in_two_seconds(make):
    bench = make(Scenario(quotas="aws"))
    bench.search()
    span = {"Type": "ENQUEUE_TIMESTAMP", "StartTime": bench.clock.now, "EndTime": bench.clock.now}
    assert bench.refused("search_contacts", TimeRange=span) == (429, "ThrottlingException")
    for _ in range(5):
        bench.call("list_queues")
    assert bench.refused("list_queues")[0] == 429
    bench.clock.move(seconds=1.9)
    assert bench.refused("search_contacts", TimeRange=span)[0] == 429
    bench.clock.move(seconds=0.1)
    bench.search()


def test_a_throttled_call_has_no_effect_and_uses_up_no_fault(make):
    from router.sandbox import CallRate

    bench = make(Scenario(quotas={"TransferContact": CallRate(1, 1)}))
    first, second = bench.world.enqueue(), bench.world.enqueue()
    bench.transfer(first)
    fault = bench.world.faults.add("error_500", "TransferContact")
    with pytest.raises(ClientError, match="Rate exceeded"):
        bench.transfer(second)
    assert fault.fired == 0
    assert len(bench.world.transfers) == 1


def test_without_quotas_nothing_is_throttled(bench):
    for _ in range(30):
        bench.call("list_queues")


# Broken responses and short pages


def test_an_answer_can_break_off_in_the_middle_though_the_call_took_effect(bench):
    contact = bench.world.enqueue()
    bench.world.faults.add("cut_after", "TransferContact", count=1)
    asked = {"ContactId": contact, "QueueId": bench.queue("General"), "ContactFlowId": bench.flow()}
    bodies = []
    bench.client.meta.events.register(
        "before-parse.connect", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    # boto3 mistakes half a response for an empty one.
    assert "ContactId" not in bench.call("transfer_contact", **asked)
    assert bodies[0].startswith(b'{"Contact')
    assert not bodies[0].endswith(b"}")
    assert len(bench.world.transfers) == 1
    assert bench.sandbox.calls[-1].status == 0


def test_pages_can_be_of_one_row(bench):
    asked, _ = pages(bench)
    bench.world.faults.add("short_page", "SearchContacts", count=1)
    assert len(bench.call("search_contacts", **asked)["Contacts"]) == 1
    assert len(bench.call("search_contacts", **asked)["Contacts"]) == 2
