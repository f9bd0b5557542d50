import weakref
from typing import Any

import pytest

from router import __version__
from router.connect.client import Unreachable, make_client


@pytest.mark.uses("threads", "sockets")
def test_one_call_is_one_http_request_whatever_the_environment_says_of_retries(canned, monkeypatch):
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    client = make_client()
    with pytest.raises(client.exceptions.ClientError):
        client.describe_contact(InstanceId="i", ContactId="c")
    assert len(canned.requests) == 1
    client.close()


@pytest.mark.uses("threads", "sockets")
def test_calls_say_who_makes_them(canned):
    canned.says({})
    client = make_client()
    client.describe_contact(InstanceId="i", ContactId="c")
    assert f"connect-router/{__version__}" in canned.requests[0].headers["User-Agent"]
    client.close()


def test_time_outs_are_short_and_connections_are_enough_for_the_workers(credentials):
    config: Any = make_client(workers=20).meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    assert config.max_pool_connections >= 24


def test_the_parser_of_a_response_is_freed_without_the_garbage_collector(credentials):
    client: Any = make_client()
    parser = client._endpoint._response_parser_factory.create_parser("rest-json")
    freed = weakref.ref(parser)
    del parser
    assert freed() is None


def test_a_region_given_goes_before_the_environment(credentials):
    assert make_client(region="eu-central-1").meta.region_name == "eu-central-1"
    assert make_client().meta.region_name == "us-east-1"


def test_a_missing_region_says_what_to_do_in_one_line(credentials, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "set region under [connect]" in problem()


def test_missing_credentials_say_what_to_do_in_one_line(credentials, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "AWS_PROFILE" in problem()


def test_half_of_the_credentials_are_none(credentials, monkeypatch):
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials" in problem()


def test_a_profile_that_does_not_exist_is_named(credentials, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "night\nshift")
    assert "night\\nshift" in problem()


@pytest.mark.parametrize("endpoint", ["not a url", "http://", "localhost:4510", "http://bad host:1"])
def test_an_endpoint_that_is_none_is_a_problem_of_the_configuration(credentials, monkeypatch, endpoint):
    monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", endpoint)
    assert "configuration" in problem()


def test_a_region_that_is_none_is_a_problem_of_the_configuration(credentials):
    with pytest.raises(Unreachable, match="configuration"):
        make_client(region="us east 1")


def test_a_broken_aws_config_file_is_a_problem_of_the_configuration(credentials, tmp_path):
    (tmp_path / "config").write_text("[profile\nregion")
    assert "configuration" in problem()


def problem() -> str:
    with pytest.raises(Unreachable) as raised:
        make_client()
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    return message
