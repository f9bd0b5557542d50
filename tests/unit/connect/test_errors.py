"""Checks what each kind of bad answer becomes, over HTTP and through botocore's own parser."""

import json

import pytest
from botocore.exceptions import NoCredentialsError, ParamValidationError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from router.connect.answers import (
    Denied,
    Full,
    Rejected,
    Throttled,
    TransferAnswer,
    Transferred,
    Unauthenticated,
    Unknown,
)
from router.connect.connection import Connection
from router.connect.errors import answer_of, one_line
from router.model import ContactId, FlowId, QueueId, RoutingData, Target

pytestmark = pytest.mark.uses("threads", "sockets")

TARGET = Target(flow_id=FlowId("flow"), queue_id=QueueId("queue"))


def transfer(connection: Connection) -> TransferAnswer:
    return connection.mover.transfer(contact_id=ContactId("contact"), target=TARGET, token="token")


def error(answer, status: int, code: str | None = None, message: str = "because", body: bytes | None = None) -> object:
    headers = {} if code is None else {"x-amzn-ErrorType": code}
    raw = json.dumps({"Message": message}).encode() if body is None else body
    return answer(status, raw, headers)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "ThrottlingException", Throttled),
        (429, "TooManyRequestsException", Throttled),
        (400, "ThrottlingException", Throttled),
        (429, None, Throttled),
        (429, "LimitExceededException", Rejected),
        (402, "ServiceQuotaExceededException", Full),
        (402, None, Full),
        (403, "AccessDeniedException", Denied),
        (403, None, Denied),
        (403, "ExpiredTokenException", Unauthenticated),
        (403, "UnrecognizedClientException", Unauthenticated),
        (403, "InvalidClientTokenId", Unauthenticated),
        (403, "InvalidSignatureException", Unauthenticated),
        (403, "MissingAuthenticationTokenException", Unauthenticated),
        (403, "IncompleteSignature", Unauthenticated),
        (401, None, Unauthenticated),
        (400, "InvalidRequestException", Rejected),
        (404, "ResourceNotFoundException", Rejected),
        (409, "IdempotencyException", Rejected),
        (413, None, Rejected),
        (408, None, Unknown),
        (500, "InternalServiceException", Unknown),
        (503, None, Unknown),
        (302, None, Unknown),
    ],
)
def test_code_and_status_decide_what_an_error_is_whatever_its_body(canned, connection, answer, status, code, kind):
    for body in (None, b"", b"<html>no</html>", b'"a text"', b"[1, 2]", b"null", b"{", b"\xff\xfe"):
        canned.says(error(answer, status, code, body=body))
        got = transfer(connection)
        assert isinstance(got, kind), body
        assert got.request_id == "request-1"
        if isinstance(got, Rejected):
            assert (got.code, got.status) == (code or str(status), status)
    assert len(canned.requests) == 8


def test_the_code_may_stand_in_the_body_with_a_namespace(canned, connection, answer):
    body = json.dumps({"__type": "com.amazonaws.connect#IdempotencyException", "message": "twice"}).encode()
    canned.says(answer(409, body))
    assert transfer(connection) == Rejected(
        code="IdempotencyException", message="twice", status=409, request_id="request-1"
    )


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ContactId": ""}', b'{"ContactId": null}'])
def test_a_success_that_names_no_contact_may_have_moved_it(canned, connection, answer, body):
    canned.says(answer(200, body))
    assert isinstance(transfer(connection), Unknown)


@pytest.mark.parametrize("body", [b"<html>captive portal</html>", b"OK", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000])
def test_a_success_that_is_not_connects_is_none(canned, connection, answer, body):
    canned.says(answer(200, body), answer(200, body))
    assert isinstance(transfer(connection), Unknown)
    update = connection.mover.reroute(contact_id=ContactId("contact"), routing=RoutingData(priority=1))
    assert isinstance(update, Unknown), "an update's success has no members that could be missing"


@pytest.mark.parametrize("value", [{"ContactId": ["no", "text"]}, {"ContactId": {"a": 1}}])
def test_a_success_with_members_of_another_type_is_unknown(canned, connection, value):
    canned.says(value)
    assert isinstance(transfer(connection), Unknown)


def test_a_broken_connection_may_have_moved_the_contact(canned, connection, answer):
    canned.says(answer(reset=True))
    assert isinstance(transfer(connection), Unknown)
    canned.says(answer(body=b'{"ContactId": "c"', cut=True))
    assert isinstance(transfer(connection), Unknown)


def test_nobody_listening_is_an_answer_too(canned, connection):
    canned.close()
    got = transfer(connection)
    assert isinstance(got, Unknown)
    assert got.code == "EndpointConnectionError"


def test_a_parameter_that_the_sdk_refuses_was_never_sent(canned, connection):
    got = connection.mover.transfer(contact_id=ContactId(""), target=TARGET, token="token")
    assert isinstance(got, Rejected)
    assert canned.requests == []


def test_a_good_answer_after_all_that_is_taken(canned, connection):
    canned.says({"ContactId": "new", "ContactArn": "arn"})
    assert transfer(connection) == Transferred(contact_id=ContactId("new"), request_id="request-1")


def test_missing_credentials_are_reported_apart_from_time_outs():
    assert isinstance(answer_of(NoCredentialsError()), Unauthenticated)
    assert isinstance(answer_of(ReadTimeoutError(endpoint_url="http://connect")), Unknown)
    assert isinstance(answer_of(ParamValidationError(report="x")), Rejected)


def test_what_botocores_parser_stumbled_over_is_not_quoted():
    got = answer_of(ValueError("invalid literal: 'jane@example.com'"))
    assert isinstance(got, Unknown)
    assert "jane" not in got.message


def test_messages_are_one_short_line(canned, connection, answer):
    canned.says(error(answer, 400, "InvalidRequestException", message="a\nb\x1b[31m\u202e" + "x" * 1000))
    got = transfer(connection)
    assert isinstance(got, Rejected)
    assert got.message.startswith("a\\nb\\x1b[31m\\u202e")
    assert len(got.message) == 300


@given(st.text(max_size=700))
def test_any_text_becomes_one_printable_line_of_bounded_length(text):
    line = one_line(text)
    assert len(line) <= 300
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line
