"""Tests HTTP and the service model: checks of requests and responses, and the speed."""

import http.client
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import RestJSONParser
from botocore.serialize import TIMESTAMP_PRECISION_MILLISECOND, RestJSONSerializer
from hypothesis import given
from hypothesis import strategies as st

from router.sandbox import Sandbox, Scenario
from router.sandbox.faults import Refusal
from router.sandbox.operations import OPERATIONS
from router.sandbox.wire.answer import InvalidAnswer, status_of, write_answer
from router.sandbox.wire.model import Resolved, resolve, service_model
from router.sandbox.wire.request import read_params

pytestmark = pytest.mark.uses("threads", "sockets")


def ask(bench, method, path, body=None, headers=None):
    """Sends a request that no SDK would send."""
    connection = http.client.HTTPConnection(urlsplit(bench.sandbox.endpoint).netloc, timeout=5)
    try:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        connection.request(method, path, body=data, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


# The two private methods of botocore on which the sandbox rests


def test_botocore_still_parses_a_body_by_an_input_shape():
    shape = service_model().operation_model("TransferContact").input_shape
    parse = RestJSONParser()._parse_shape  # type: ignore[attr-defined]
    assert parse(shape, {"ContactId": "c", "Unknown": 1}) == {"ContactId": "c"}


def test_botocore_still_serialises_a_structure_and_keeps_milliseconds():
    shape = service_model().shape_for("QueueInfo")
    at = datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC)
    document: dict[str, object] = {}
    serialize = RestJSONSerializer(timestamp_precision=TIMESTAMP_PRECISION_MILLISECOND)._serialize  # type: ignore[attr-defined]
    serialize(document, {"Id": "q", "EnqueueTimestamp": at}, shape)
    assert document == {"Id": "q", "EnqueueTimestamp": pytest.approx(at.timestamp(), abs=0.001)}


# Finding the operation


def test_every_operation_of_the_model_is_found_by_its_own_path():
    model = service_model()
    for name in model.operation_names:
        operation = model.operation_model(name)
        path = operation.http["requestUri"].split("?")[0]
        for member in operation.input_shape.members if operation.input_shape else ():
            path = path.replace("{" + member + "}", "x").replace("{" + member + "+}", "x")
        while "{" in path:
            path = path[: path.index("{")] + "x" + path[path.index("}") + 1 :]
        resolved = resolve(operation.http["method"], path)
        assert resolved is not None
        assert resolved.operation.name == name


def test_a_path_is_matched_raw_and_each_part_unquoted():
    arn = "arn:aws:connect:us-east-1:111122223333:instance/i/queue/q"
    resolved = resolve("GET", f"/queues/i/{quote(arn, safe='')}")
    assert resolved is not None
    assert resolved.operation.name == "DescribeQueue"
    assert resolved.labels["QueueId"] == arn


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("DELETE", "/search-contacts"), ("GET", "/contacts//c")]
)
def test_what_is_no_operation_is_404(bench, method, path):
    status, headers, body = ask(bench, method, path)
    assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
    assert "no operation" in json.loads(body)["Message"]


def test_an_operation_that_is_not_offered_says_so_by_name(bench):
    with pytest.raises(ClientError, match="does not offer ListPrompts"):
        bench.call("list_prompts")
    assert bench.refused("list_prompts") == (404, "UnknownOperationException")


# Checks of requests


TRANSFER = {"InstanceId": "11111111-2222-3333-4444-555555555555", "ContactId": "c", "ContactFlowId": "f"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ContactId": None}, "ContactId"),
        ({"ContactId": ""}, "ContactId"),
        ({"ContactId": "c" * 257}, "at most 256, got 257"),
        ({"ClientToken": "t" * 501}, "at most 500, got 501"),
        ({"QueueID": "q"}, "unknown member 'QueueID'"),
    ],
    ids=str,
)
def test_a_request_that_the_model_does_not_allow_is_400_and_says_why(bench, change, words):
    body = {key: value for key, value in (TRANSFER | change).items() if value is not None}
    status, headers, answer = ask(bench, "POST", "/contact/transfer", body)
    assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidRequestException")
    assert words in json.loads(answer)["Message"]


def test_every_breach_is_told_at_once(bench):
    _, _, answer = ask(bench, "POST", "/contact/transfer", {"InstanceId": "", "Queue": 1})
    message = json.loads(answer)["Message"]
    assert all(word in message for word in ("InstanceId", "ContactId", "ContactFlowId", "'Queue'"))


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff\xfe", b'"x"', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_400(bench, body):
    status, headers, _ = ask(bench, "POST", "/contact/transfer", body)
    assert (status, headers["x-amzn-ErrorType"]) == (400, "SerializationException")


def test_an_enum_a_pattern_and_a_list_that_is_too_long_are_400(bench):
    span = {"Type": "WHENEVER", "StartTime": bench.clock.now, "EndTime": bench.clock.now}
    assert bench.refused("search_contacts", TimeRange=span)[0] == 400
    span["Type"] = "ENQUEUE_TIMESTAMP"
    criteria = {"QueueIds": ["q"] * 101}
    assert bench.refused("search_contacts", TimeRange=span, SearchCriteria=criteria)[0] == 400
    assert bench.refused("search_contacts", TimeRange=span, MaxResults=101)[0] == 400
    dates = {"HoursOfOperationId": "h", "FromDate": "10.3.2026", "ToDate": "2026-03-10"}
    assert bench.refused("get_effective_hours_of_operations", **dates)[0] == 400


@pytest.mark.parametrize("value", ["yesterday", [], {"a": 1}, True, 1e300, float("nan")], ids=str)
def test_a_timestamp_that_is_none_is_400(bench, value):
    span = {"Type": "ENQUEUE_TIMESTAMP", "StartTime": value, "EndTime": 1}
    status, _, _ = ask(bench, "POST", "/search-contacts", {"InstanceId": bench.sandbox.instance_id, "TimeRange": span})
    assert status == 400


def test_a_query_parameter_of_the_wrong_type_is_400(bench):
    status, _, _ = ask(bench, "GET", f"/queues-summary/{bench.sandbox.instance_id}?maxResults=many")
    assert status == 400
    status, _, _ = ask(bench, "GET", f"/queues-summary/{bench.sandbox.instance_id}?maxResults=1001")
    assert status == 400


def test_a_huge_body_is_refused_unread(bench):
    status, _, _ = ask(bench, "POST", "/contact/transfer", b"", {"Content-Length": str(10**9)})
    assert status == 413


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(OPERATIONS)), st.data())
def test_no_body_whatever_does_more_than_be_refused(operation, data):
    model = service_model().operation_model(operation)
    assert model.input_shape is not None
    labels = {
        inner.serialization["name"]: "x"
        for inner in model.input_shape.members.values()
        if inner.serialization.get("location") == "uri"
    }
    names = st.sampled_from(sorted(model.input_shape.members)) | st.text(max_size=5)
    body = json.dumps(data.draw(st.dictionaries(names, json_values, max_size=4))).encode()
    resolved = Resolved(model, labels)
    try:
        params = read_params(resolved, "", body)
    except Refusal as refusal:
        status = status_of(refusal.code)
    else:
        status = 200 if set(params) <= set(model.input_shape.members) else 500
    assert status in (200, 400)


# Checks of responses


def test_an_answer_that_breaks_the_model_fails_loudly(bench, monkeypatch):
    lines: list[str] = []
    monkeypatch.setattr(bench.sandbox, "_log", lines.append)
    monkeypatch.setitem(
        OPERATIONS, "DescribeInstance", lambda call: {"Instance": {"InstanceStatus": "SLEEPING", "Id": 1}}
    )
    status, headers, body = ask(bench, "GET", f"/instance/{bench.sandbox.instance_id}")
    assert (status, headers["x-amzn-ErrorType"]) == (500, "InternalFailure")
    assert "DescribeInstance" in json.loads(body)["Message"]
    assert lines == bench.sandbox.problems
    assert "Id" in lines[0]


def test_a_fault_of_the_sandbox_itself_fails_loudly(bench, monkeypatch):
    monkeypatch.setitem(OPERATIONS, "DescribeInstance", lambda call: 1 / 0)
    assert ask(bench, "GET", f"/instance/{bench.sandbox.instance_id}")[0] == 500
    assert bench.sandbox.problems == ["sandbox: DescribeInstance: ZeroDivisionError: division by zero"]


@pytest.mark.parametrize(
    "result",
    [
        {"Contacts": [{"Channel": "PIGEON"}]},
        {"Contacts": [{"Surprise": 1}]},
        {"Contacts": [{"Name": "x" * 1025}]},
        {"Contacts": [{"InitiationTimestamp": [1]}]},
        {},
    ],
    ids=["enum", "unknown", "long", "type", "missing"],
)
def test_every_kind_of_breach_in_an_answer_is_found(result):
    with pytest.raises(InvalidAnswer, match="SearchContacts"):
        write_answer(service_model().operation_model("SearchContacts"), result)


def test_every_error_has_the_status_of_its_shape():
    statuses = {
        "InvalidRequestException": 400,
        "AccessDeniedException": 403,
        "ResourceNotFoundException": 404,
        "IdempotencyException": 409,
        "ServiceQuotaExceededException": 402,
        "ThrottlingException": 429,
        "LimitExceededException": 429,
        "InternalServiceException": 500,
        "ExpiredTokenException": 403,
    }
    assert {code: status_of(code) for code in statuses} == statuses


def test_errors_arrive_as_the_clients_own_exceptions(bench):
    with pytest.raises(bench.client.exceptions.ResourceNotFoundException, match="Contact not found: nobody"):
        bench.call("describe_contact", ContactId="nobody")


def test_answers_carry_the_sandboxs_own_time_and_a_request_id(bench):
    headers = bench.call("describe_instance")["ResponseMetadata"]["HTTPHeaders"]
    assert headers["date"] == "Tue, 10 Mar 2026 12:00:00 GMT"
    assert headers["x-amzn-requestid"] == bench.sandbox.calls[-1].request_id


def test_timestamps_keep_their_milliseconds(bench):
    bench.clock.now += timedelta(milliseconds=123, microseconds=456)
    contact = bench.world.enqueue()
    shown = bench.describe(contact)["QueueInfo"]["EnqueueTimestamp"]
    assert shown == bench.world.contact(contact).enqueued_at
    assert shown.microsecond == 123_000


# HTTP


def test_a_kept_connection_is_answered_in_far_less_than_forty_milliseconds(bench):
    contact = bench.world.enqueue()
    bench.describe(contact)
    took = []
    for _ in range(25):
        start = time.perf_counter()
        bench.describe(contact)
        took.append(time.perf_counter() - start)
    assert sorted(took)[12] < 0.02


def test_one_connection_serves_many_calls(bench):
    connection = http.client.HTTPConnection(urlsplit(bench.sandbox.endpoint).netloc, timeout=5)
    connection.connect()
    port = connection.sock.getsockname()[1]
    for _ in range(5):
        connection.request("GET", f"/instance/{bench.sandbox.instance_id}")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        assert connection.sock.getsockname()[1] == port
    connection.close()


def test_it_listens_on_the_loopback_address_only(bench):
    assert bench.sandbox.endpoint.startswith("http://127.0.0.1:")
    assert bench.sandbox._server.socket.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_an_os_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Sandbox(Scenario(), port=taken.getsockname()[1])


def test_a_closed_sandbox_answers_nobody(make):
    bench = make()
    bench.call("describe_instance")
    bench.sandbox.close()
    with pytest.raises(ConnectionError):
        ask(bench, "GET", "/")


def test_many_threads_may_call_at_once(make):
    from concurrent.futures import ThreadPoolExecutor

    bench = make()
    contacts = [bench.world.enqueue() for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(bench.transfer, contacts))
    assert len(set(moved)) == 40
    assert len(bench.world.waiting("General")) == 40
    assert bench.sandbox.count("TransferContact") == 40


SECONDS = "a number of seconds since 1970"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"MaxResults": "10"}, "MaxResults: a whole number is expected"),
        ({"MaxResults": True}, "MaxResults: a whole number is expected"),
        ({"MaxResults": 1.5}, "MaxResults: a whole number is expected"),
        ({"NextToken": 7}, "NextToken: a text is expected"),
        ({"SearchCriteria": []}, "SearchCriteria: an object is expected"),
        ({"SearchCriteria": {"Channels": "TASK"}}, "SearchCriteria.Channels: a list is expected"),
        ({"SearchCriteria": {"Channels": [1]}}, "SearchCriteria.Channels[0]: a text is expected"),
        (
            {"TimeRange": {"Type": "ENQUEUE_TIMESTAMP", "StartTime": True}},
            f"TimeRange.StartTime: {SECONDS} is expected",
        ),
        (
            {"TimeRange": {"Type": "ENQUEUE_TIMESTAMP", "StartTime": "2026-12-01T00:00:00Z"}},
            f"TimeRange.StartTime: {SECONDS} is expected",
        ),
    ],
)
def test_a_json_value_of_the_wrong_type_is_refused(bench, change, message):
    at = time.time()
    given = {
        "InstanceId": bench.sandbox.instance_id,
        "TimeRange": {"Type": "ENQUEUE_TIMESTAMP", "StartTime": at - 60, "EndTime": at},
    }
    assert ask(bench, "POST", "/search-contacts", given)[0] == 200

    status, headers, body = ask(bench, "POST", "/search-contacts", {**given, **change})

    assert (status, headers["x-amzn-ErrorType"]) == (400, "SerializationException")
    assert json.loads(body)["Message"] == message


def test_waiting_contacts_by_routing_profile_need_a_filter_of_routing_profiles(bench):
    queue = bench.queue("Billing")

    def grouped(metric):
        return ask(
            bench,
            "POST",
            f"/metrics/current/{bench.sandbox.instance_id}",
            {
                "Filters": {"Queues": [queue]},
                "Groupings": ["ROUTING_PROFILE"],
                "CurrentMetrics": [{"Name": metric, "Unit": "COUNT"}],
            },
        )

    status, headers, body = grouped("CONTACTS_IN_QUEUE")
    assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidRequestException")
    assert "a routing profile filter is required for CONTACTS_IN_QUEUE" in json.loads(body)["Message"]
    assert grouped("AGENTS_ONLINE")[0] == 200
