from datetime import timedelta

import pytest
import structlog

from router.connect.answers import (
    NOT_SENT,
    Denied,
    Full,
    Missing,
    Reading,
    Rejected,
    Throttled,
    TooLate,
    Transferred,
    Unauthenticated,
    Unknown,
    Updated,
)
from router.connect.quotas import Rate
from router.model import AgentId, ContactId, FlowId, QueueId, RoutingData, Target

pytestmark = pytest.mark.uses("threads", "sockets")

CONTACT = {"Contact": {"Id": "c1", "Channel": "TASK"}}


def throttle(answer: type) -> object:
    return answer(429, b"{}", {"x-amzn-ErrorType": "ThrottlingException"})


def test_a_reading_says_when_it_was_answered(canned, connection, time):
    canned.says(CONTACT)
    reading = connection.reader.describe(ContactId("c1"))
    assert isinstance(reading, Reading)
    assert reading.contact.id == "c1"
    assert (reading.answered_at, reading.request_id) == (time.seconds, "request-1")
    assert len(canned.requests) == 1


def test_throttles_and_failures_of_the_server_are_tried_again_within_bounds(canned, connection, answer, time):
    canned.says(throttle(answer), answer(500), answer(reset=True), CONTACT)
    began = time.seconds
    assert isinstance(connection.reader.describe(ContactId("c1")), Reading)
    assert len(canned.requests) == connection.calls()["DescribeContact"] == 4
    assert time.seconds - began <= 4


def test_a_server_that_stays_ill_costs_four_calls_and_no_more_than_four_seconds(canned, connection, answer, time):
    canned.otherwise = answer(503)
    began = time.seconds
    assert isinstance(connection.reader.describe(ContactId("c1")), Unknown)
    assert len(canned.requests) == 4
    assert time.seconds - began <= 4


def test_a_contact_is_missing_where_the_instance_is_found_and_the_contact_is_not(canned, connection, answer):
    gone = answer(404, b"", {"x-amzn-ErrorType": "ResourceNotFoundException"})
    canned.says(gone, {"QueueSummaryList": []})
    assert isinstance(connection.reader.describe(ContactId("c1")), Missing)


def test_where_the_instance_is_not_found_either_nothing_is_known_of_the_contact(canned, connection, answer):
    canned.otherwise = answer(404, b"", {"x-amzn-ErrorType": "ResourceNotFoundException"})
    found = connection.reader.describe(ContactId("c1"))
    assert isinstance(found, Unknown)
    assert found.message == "neither the contact nor the instance was found"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDeniedException", Denied),
        (403, "ExpiredTokenException", Unauthenticated),
        (400, "InvalidRequestException", Rejected),
        (402, "ServiceQuotaExceededException", Rejected),
        (404, None, Rejected),
    ],
)
def test_a_final_answer_is_asked_for_once(canned, connection, answer, status, code, kind):
    canned.otherwise = answer(status, b"", {} if code is None else {"x-amzn-ErrorType": code})
    assert isinstance(connection.reader.describe(ContactId("c1")), kind)
    assert len(canned.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Contact": {}},
        {"Contact": {"Id": "c2", "Channel": "TASK"}},
        {"Contact": {"Id": "c1", "DisconnectTimestamp": "x"}},
        {"Contact": ["c1"]},
    ],
)
def test_nothing_rests_on_an_answer_that_cannot_be_read(canned, connection, body):
    canned.says(*[body] * 4)
    assert isinstance(connection.reader.describe(ContactId("c1")), Unknown)


def test_a_read_that_gets_no_token_in_time_was_not_sent(canned, opened):
    connection = opened(rates={"DescribeContact": Rate(0.01, 1)})
    canned.says(CONTACT)
    connection.reader.describe(ContactId("c1"))
    assert connection.reader.describe(ContactId("c1")) == Throttled(code=NOT_SENT)
    assert len(canned.requests) == 1


def test_without_a_token_for_another_attempt_the_answer_is_what_connect_said(canned, opened, answer):
    connection = opened(rates={"DescribeContact": Rate(0.1, 1)})
    canned.says(answer(503))
    got = connection.reader.describe(ContactId("c1"))
    assert isinstance(got, Unknown)
    assert got.code == "503"
    assert len(canned.requests) == 1


def test_a_chain_is_read_to_its_end(canned, connection):
    canned.says(
        {"ContactSummaryList": [{"ContactId": "c0", "Channel": "TASK"}], "NextToken": "1"},
        {"ContactSummaryList": [{"ContactId": "c1", "PreviousContactId": "c0", "Channel": "TASK"}]},
    )
    chain = connection.reader.chain(ContactId("c1"))
    assert [(contact.id, contact.previous_id) for contact in chain] == [("c0", None), ("c1", "c0")]
    assert len(canned.requests) == 2


@pytest.mark.parametrize(
    "pages",
    [
        [{"ContactSummaryList": [{"ContactId": "c0"}], "NextToken": "1"}] * 2,
        [{"ContactSummaryList": [{"ContactId": "c0"}, {"Channel": "TASK"}]}],
        [{"ContactSummaryList": [], "NextToken": ["no", "text"]}],
    ],
)
def test_half_a_chain_is_none(canned, connection, pages):
    canned.says(*pages)
    assert isinstance(connection.reader.chain(ContactId("c1")), Unknown)


TO_QUEUE = Target(flow_id=FlowId("flow"), queue_id=QueueId("queue"))
TO_AGENT = Target(flow_id=FlowId("flow"), agent_id=AgentId("agent"))


@pytest.mark.parametrize(("target", "destination"), [(TO_QUEUE, {"QueueId": "queue"}), (TO_AGENT, {"UserId": "agent"})])
def test_a_transfer_is_one_call_with_exactly_what_was_intended(canned, connection, target, destination):
    canned.says({"ContactId": "new"})
    moved = connection.mover.transfer(contact_id=ContactId("c1"), target=target, token="token-1")
    assert moved == Transferred(contact_id=ContactId("new"), request_id="request-1")
    (request,) = canned.requests
    sent = {name: value for name, value in request.body.items() if name != "InstanceId"}
    assert sent == {"ContactId": "c1", "ContactFlowId": "flow", "ClientToken": "token-1", **destination}


def test_a_transfer_is_never_repeated_here(canned, connection, answer):
    for one in (answer(500), answer(reset=True), throttle(answer), answer(402)):
        canned.says(one)
        got = connection.mover.transfer(contact_id=ContactId("c1"), target=TO_QUEUE, token="token-1")
        assert isinstance(got, Unknown | Throttled | Full)
    assert len(canned.requests) == connection.calls()["TransferContact"] == 4
    assert connection.quotas.snapshot()["TransferContact"].throttles == 0, "its caller reports, and would count twice"


@pytest.mark.parametrize(
    ("change", "sent"),
    [({"priority": 2}, {"QueuePriority": 2}), ({"age": timedelta(minutes=10)}, {"QueueTimeAdjustmentSeconds": 600})],
)
def test_a_routing_update_is_one_call(canned, connection, change, sent):
    canned.says({})
    answer = connection.mover.reroute(contact_id=ContactId("c1"), routing=RoutingData(**change))
    assert answer == Updated(request_id="request-1")
    assert [request.body for request in canned.requests] == [sent]


@pytest.mark.parametrize("change", [{}, {"priority": 1, "age": timedelta(minutes=1)}])
def test_a_routing_update_sets_one_of_the_two(connection, change):
    with pytest.raises(ValueError, match="not both"):
        connection.mover.reroute(contact_id=ContactId("c1"), routing=RoutingData(**change))


def test_a_missing_permission_is_reported_once_in_a_while(canned, connection, answer, time):
    canned.otherwise = answer(403, b'{"Message": "not authorized"}', {"x-amzn-ErrorType": "AccessDeniedException"})
    with structlog.testing.capture_logs() as logs:
        connection.reader.describe(ContactId("c1"))
        connection.reader.describe(ContactId("c1"))
        connection.reader.chain(ContactId("c1"))
        time.seconds += 301
        connection.reader.describe(ContactId("c1"))
    reported = [(line["event"], line["log_level"], line["operation"], line["message"]) for line in logs]
    denied = ("api.denied", "error", "DescribeContact", "not authorized")
    assert reported == [denied, (*denied[:2], "ListAssociatedContacts", denied[3]), denied]


def test_a_reading_that_was_long_on_its_way_is_as_old_as_its_question(canned, connection, time):
    """Takes long, as if the process had been stopped while the answer waited for it."""
    canned.says(CONTACT)
    canned.meanwhile = lambda: setattr(time, "seconds", time.seconds + 60)
    asked_at = time.seconds
    reading = connection.reader.describe(ContactId("c1"))
    assert isinstance(reading, Reading)
    assert (reading.answered_at, time.seconds) == (asked_at, asked_at + 60)


def test_a_transfer_that_comes_too_late_is_not_sent(canned, connection, time):
    canned.says({"ContactId": "new"})
    arguments = {"contact_id": ContactId("c1"), "target": TO_QUEUE, "token": "token-1"}
    with pytest.raises(TooLate):
        connection.mover.transfer(**arguments, before=time.seconds - 0.001)
    assert canned.requests == []
    assert isinstance(connection.mover.transfer(**arguments, before=time.seconds), Transferred)


def test_what_must_be_sent_by_an_instant_is_so_for_that_call_alone(canned, connection, time):
    canned.says({"ContactId": "new"}, CONTACT)
    connection.mover.transfer(contact_id=ContactId("c1"), target=TO_QUEUE, token="token-1", before=time.seconds)
    time.seconds += 60
    assert isinstance(connection.reader.describe(ContactId("c1")), Reading)
