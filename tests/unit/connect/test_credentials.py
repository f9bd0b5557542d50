"""Checks that renewed credentials are used without a restart, and that unusable ones are named and not shown."""

import json
import os
import re

import pytest

from router.connect.answers import NOT_FROM_AWS, Denied, Skewed, Transferred, Unauthenticated, Updated
from router.connect.client import NoCredentials, Unreachable, make_client, make_table_client
from router.connect.credentials import RenewableCredentials
from router.connect.errors import PROXY_REMEDY
from router.model import ContactId, FlowId, QueueId, RoutingData, Target
from router.sdk_errors import WITHHELD

pytestmark = pytest.mark.uses("threads", "sockets")

TARGET = Target(flow_id=FlowId("flow"), queue_id=QueueId("queue"))
OLD, NEW = "AKIDOLDOLDOLDOLD", "AKIDNEWNEWNEWNEW"
SECRET = "Xyzzy-Plugh-Secret"


@pytest.fixture
def keys(credentials, monkeypatch, tmp_path):
    """Takes the credentials from a file; returns the function that replaces it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    def replace(key_id, *, token="token"):
        new = tmp_path / "new"
        new.write_text(
            f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = s\naws_session_token = {token}\n"
        )
        os.replace(new, tmp_path / "credentials")

    replace(OLD)
    return replace


def signed_with(canned):
    return [re.findall(r"Credential=(\w+)/", one.headers["Authorization"])[0] for one in canned.requests]


def transfer(connection):
    return connection.mover.transfer(contact_id=ContactId("contact"), target=TARGET, token="token")


MOVED = {"ContactId": "moved"}
EXPIRED = {"x-amzn-ErrorType": "ExpiredTokenException"}


def test_a_replaced_file_is_read_before_aws_refuses_the_old_keys(keys, canned, opened):
    connection = opened()
    connection.credentials._monotonic = iter([100.0, 100.5, 101.6, 103.0]).__next__
    for _ in range(2):
        canned.says(MOVED)
        transfer(connection)
    keys(NEW)
    for _ in range(2):
        canned.says(MOVED)
        assert isinstance(transfer(connection), Transferred)
    assert signed_with(canned) == [OLD, OLD, NEW, NEW]


def test_refused_keys_are_resolved_again_at_once_and_the_call_is_made_with_the_new_ones(keys, canned, opened, answer):
    connection = opened()
    connection.credentials._monotonic = lambda: 0.0  # no look at the files
    canned.says(MOVED, answer(403, b"{}", EXPIRED), MOVED)
    transfer(connection)
    keys(NEW)
    assert isinstance(transfer(connection), Transferred)
    assert signed_with(canned) == [OLD, OLD, NEW]
    assert connection.calls()["TransferContact"] == 3


def test_keys_that_are_refused_and_not_renewed_cost_one_call(keys, canned, opened, answer):
    connection = opened()
    canned.says(answer(403, b"{}", EXPIRED))
    assert isinstance(transfer(connection), Unauthenticated)
    assert len(canned.requests) == 1


def test_an_update_is_made_again_as_well(keys, canned, opened, answer):
    connection = opened()
    connection.credentials._monotonic = lambda: 0.0
    canned.says(MOVED, answer(403, b"{}", EXPIRED), {})
    transfer(connection)
    keys(NEW)
    update = connection.mover.reroute(contact_id=ContactId("contact"), routing=RoutingData(priority=1))
    assert isinstance(update, Updated)


def test_whoever_wants_it_has_them_resolved_again(keys, canned, opened):
    connection = opened()
    connection.credentials._monotonic = lambda: 0.0
    canned.says(MOVED, MOVED)
    transfer(connection)
    assert not connection.credentials.renew()
    keys(NEW)
    assert connection.credentials.renew()
    transfer(connection)
    assert signed_with(canned) == [OLD, NEW]


@pytest.mark.parametrize("broken", ["", "[default\n", "[other]\naws_access_key_id = x\n", None])
def test_a_file_that_cannot_be_used_leaves_the_keys_as_they_are(keys, canned, opened, tmp_path, broken):
    connection = opened()
    canned.says(MOVED, MOVED)
    transfer(connection)
    if broken is None:
        (tmp_path / "credentials").unlink()
    else:
        (tmp_path / "credentials").write_text(broken)
    connection.credentials._checked_at = -1.0
    assert isinstance(transfer(connection), Transferred)
    assert signed_with(canned) == [OLD, OLD]


def test_a_file_behind_a_link_that_is_turned_is_read_again(keys, canned, opened, tmp_path):
    """Replaces the file in the way in which Kubernetes replaces a mounted secret."""
    connection = opened()
    canned.says(MOVED, MOVED)
    transfer(connection)
    keys(NEW)
    (tmp_path / "credentials").rename(tmp_path / "elsewhere")
    (tmp_path / "credentials").symlink_to(tmp_path / "elsewhere")
    connection.credentials._checked_at = -1.0
    transfer(connection)
    assert signed_with(canned) == [OLD, NEW]


def test_the_ledgers_table_renews_its_keys_as_well(keys, canned, monkeypatch, answer):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", canned.endpoint)
    client = make_table_client(region="us-east-1")
    canned.otherwise = answer(400, json.dumps({"__type": "ExpiredTokenException", "message": "old"}).encode())
    for _ in range(2):
        with pytest.raises(client.exceptions.ClientError):
            client.describe_table(TableName="t")
        keys(NEW)
    assert signed_with(canned)[0] == OLD
    with pytest.raises(client.exceptions.ClientError):
        client.describe_table(TableName="t")
    assert signed_with(canned)[-1] == NEW
    client.close()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("AWS_SESSION_TOKEN", f"{SECRET}\n", "the session token (AWS_SESSION_TOKEN) has whitespace around it"),
        ("AWS_SESSION_TOKEN", f" {SECRET}", "the session token (AWS_SESSION_TOKEN) has whitespace around it"),
        ("AWS_ACCESS_KEY_ID", f"{SECRET}\r", "the key id (AWS_ACCESS_KEY_ID) has whitespace around it"),
        ("AWS_SECRET_ACCESS_KEY", f"{SECRET}\t", "the secret key (AWS_SECRET_ACCESS_KEY) has whitespace around it"),
        ("AWS_SECRET_ACCESS_KEY", f"{SECRET}\x7f", "(AWS_SECRET_ACCESS_KEY) has a character in it that no key has"),
        ("AWS_SESSION_TOKEN", f"{SECRET}\n{SECRET}", "(AWS_SESSION_TOKEN) has a character in it that no key has"),
        ("AWS_SESSION_TOKEN", f"{SECRET}ä", "(AWS_SESSION_TOKEN) has a character in it that no key has"),
    ],
)
def test_a_credential_that_cannot_be_sent_is_named_and_not_shown(credentials, monkeypatch, variable, value, words):
    monkeypatch.setenv(variable, value)
    with pytest.raises(NoCredentials) as raised:
        make_client()
    assert words in str(raised.value)
    assert SECRET not in str(raised.value)


def test_keys_from_the_environment_that_have_expired_are_no_bug(credentials, canned, monkeypatch, opened):
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    got = transfer(opened())
    assert isinstance(got, Unauthenticated)
    assert got.message == "the credentials from env could not be renewed: RuntimeError: " + WITHHELD
    assert canned.requests == []


@pytest.mark.uses("threads", "sockets", "processes")
@pytest.mark.parametrize("process", ["echo {secret}", "sh -c 'echo {secret} >&2; exit 1'", "/no/such {secret}"])
def test_what_a_credential_process_prints_is_not_shown(keys, canned, monkeypatch, tmp_path, process):
    (tmp_path / "credentials").unlink()
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {process.format(secret=SECRET)}\n")
    with pytest.raises(Unreachable) as raised:
        make_client()
    assert SECRET not in str(raised.value)


def test_an_error_that_quotes_the_request_has_no_credentials_left(credentials, canned, monkeypatch, opened, answer):
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    body = json.dumps({"message": f"what you sent: x-amz-security-token: {SECRET}"}).encode()
    connection = opened()
    canned.says(answer(400, body, {"x-amzn-ErrorType": "InvalidRequestException"}))
    assert transfer(connection).message == "what you sent: x-amz-security-token: ***"


@pytest.mark.parametrize("status", [401, 403, 407])
@pytest.mark.parametrize("body", [b"<html>Blocked by policy</html>", b"", b"Forbidden", b'{"error": "blocked"}'])
def test_a_refusal_of_a_proxy_is_not_iams(canned, connection, answer, status, body):
    canned.says(answer(status, body, {"x-amzn-RequestId": ""}))
    got = transfer(connection)
    assert isinstance(got, Denied)
    assert (got.code, got.message) == (NOT_FROM_AWS, f"HTTP {status}, and not from AWS: {PROXY_REMEDY}")


@pytest.mark.parametrize(
    "message",
    [
        "Signature expired: 20261130T192645Z is now earlier than 20261130T193145Z (20261130T193645Z - 5 min.)",
        "Signature not yet current: 20261130T194645Z is still later than 20261130T194145Z",
    ],
)
def test_a_refused_time_is_an_answer_of_its_own(keys, canned, opened, answer, message):
    connection = opened()
    error = answer(403, json.dumps({"message": message}).encode(), {"x-amzn-ErrorType": "InvalidSignatureException"})
    canned.says(error)
    got = transfer(connection)
    assert isinstance(got, Skewed)
    assert got.message == message
    assert len(canned.requests) == 1


def test_the_credentials_of_a_client_are_loaded_once(keys):
    credentials = RenewableCredentials()
    assert credentials.load_credentials() is credentials
    assert credentials.get_frozen_credentials().access_key == OLD
    assert credentials.method == "shared-credentials-file"
