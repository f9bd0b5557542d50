"""Makes the boto3 clients: one session, no hidden retries, short time-outs, fast timestamps."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoRegionError
from botocore.parsers import ResponseParserError

from router import __version__
from router.connect.credentials import RenewableCredentials
from router.connect.errors import CREDENTIAL_CODES, CREDENTIAL_ERRORS
from router.connect.fields import parse_timestamp
from router.sdk_errors import describe_error

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_dynamodb import DynamoDBClient


USER_AGENT = f"connect-router/{__version__} Boto3/{boto3.__version__} Botocore/{botocore.__version__}"
"""Replaces the SDK's own text, which it would compose again for each call; that is a tenth of the call's CPU time."""

HALF_A_SECOND = timedelta(seconds=0.5)
"""``Date`` is cut to whole seconds (RFC 9110), which makes it half a second early on average."""


class Skew:
    """Measures the local clock by the ``Date`` headers of Connect's answers, errors included."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._current: timedelta | None = None

    @property
    def current(self) -> timedelta | None:
        """Returns local time less Connect's, by the last answer: positive if the local clock is ahead.

        It is ``None`` until an answer carried a date, and exact to about a second.
        """
        return self._current

    def watch(self, client: ConnectClient) -> None:
        client.meta.events.register("before-parse.connect", self._answered)

    def _answered(self, response_dict: Mapping[str, Any], **_: object) -> None:
        headers = response_dict.get("headers") or {}
        try:
            at = parsedate_to_datetime(headers.get("date") or headers.get("Date") or "")
        except (ValueError, TypeError):
            return
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        self._current = self._now() - (at + HALF_A_SECOND)


CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
DESCRIBE_TIMEOUT_S = 2
"""Of DescribeContact. A contact is moved only on a reading of the last 2 seconds: no later response is of use."""
TOPIC_TIMEOUT_S = 5
QUEUE_TIMEOUT_S = 30
"""Ten seconds more than a long poll lasts."""
SPARE_CONNECTIONS = 4
"""In addition to the workers, the poll, the followers and the directory call at the same time."""


_NO_REGION = "no AWS region: set region under [connect], AWS_DEFAULT_REGION, or a region in the AWS profile"


class Unreachable(Exception):
    """Reports that Connect cannot be called: no region, no credentials, a broken profile or endpoint.

    The message is one line that names what to do.
    """


class NoCredentials(Unreachable):
    """Reports that there are no credentials now. A role may hand some out in a moment; trying again makes sense."""


def make_client(
    *,
    region: str | None = None,
    workers: int = 8,
    read_timeout_s: float = READ_TIMEOUT_S,
    credentials: RenewableCredentials | None = None,
) -> ConnectClient:
    """Returns a Connect client whose every call is one HTTP call.

    ``region`` has priority over what the SDK finds. Endpoints, profiles, credentials and proxies are the SDK's own.
    Raises ``Unreachable`` if the SDK has no region or credentials, or cannot read its own configuration.
    """
    return make_clients(
        region=region, workers=workers, timeouts=(read_timeout_s,), credentials=credentials or RenewableCredentials()
    )[0]


def make_clients(
    *, region: str | None, workers: int, timeouts: Iterable[float], credentials: RenewableCredentials
) -> list[ConnectClient]:
    """Returns one client for each read time-out, as ``make_client`` does. They share what the SDK has loaded."""
    return _open_all("connect", region, [_config(workers, seconds) for seconds in timeouts], credentials)


def _open(
    service: str, region: str | None, config: Config, credentials: RenewableCredentials, endpoint: str | None = None
) -> Any:
    return _open_all(service, region, [config], credentials, endpoint)[0]


def _open_all(
    service: str,
    region: str | None,
    configs: Iterable[Config],
    credentials: RenewableCredentials,
    endpoint: str | None = None,
) -> list[Any]:
    """Returns clients of an AWS service. Raises ``Unreachable`` in one line that contains no part of a credential."""
    try:
        session: Any = _session(credentials)
        clients = [session.client(service, region_name=region, endpoint_url=endpoint, config=one) for one in configs]
        found = session.get_credentials()
    except NoRegionError:
        raise Unreachable(_NO_REGION) from None
    except CREDENTIAL_ERRORS as error:
        raise NoCredentials(f"no AWS credentials: {describe_error(error)}") from None
    except (BotoCoreError, ValueError, OSError) as error:
        raise Unreachable(f"the AWS SDK's own configuration does not work: {describe_error(error)}") from None
    if found is None:
        raise NoCredentials(
            "no AWS credentials: give this machine a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY"
        )
    for client in clients:
        if service != "sns":  # its responses are XML
            client.meta.events.register(f"before-parse.{service}", refuse_foreign_body)
        client.meta.events.register(f"before-parse.{service}", credentials.hide)
    return clients


def region_of_profile() -> str | None:
    """Returns the region of the AWS profile; ``None`` if it has none or cannot be read."""
    with suppress(BotoCoreError):
        region: str | None = botocore.session.Session().get_config_variable("region")
        return region
    return None


def make_quotas_client(*, region: str | None) -> Any:
    """Returns a client of Service Quotas with short time-outs, because the router can work without it."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=5)
    return _open("service-quotas", region, config, RenewableCredentials())


def make_topic_client(*, region: str) -> Any:
    """Returns a client of SNS that makes one short call at a time. Raises ``Unreachable`` as ``make_client`` does."""
    credentials = RenewableCredentials()
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=TOPIC_TIMEOUT_S,
        user_agent=USER_AGENT,
    )
    return _renewing(_open("sns", region, config, credentials), "sns", credentials)


def make_queue_client(*, region: str | None, url: str) -> Any:
    """Returns a client of SQS that makes one call at a time, which may wait 20 s for a message.

    The host of a queue on this machine is its endpoint. Raises ``Unreachable`` as ``make_client`` does.
    """
    credentials = RenewableCredentials()
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=QUEUE_TIMEOUT_S,
        tcp_keepalive=True,
        user_agent=USER_AGENT,
    )
    endpoint = "/".join(url.split("/")[:3]) if url.startswith("http://") else None
    return _renewing(_open("sqs", region, config, credentials, endpoint), "sqs", credentials)


def make_table_client(*, region: str | None) -> DynamoDBClient:
    """Returns a client of DynamoDB, for the ledger. Raises ``Unreachable`` as ``make_client`` does.

    The SDK repeats calls that failed. Every write has a condition, which makes a repeat do nothing.
    """
    credentials = RenewableCredentials()
    client: DynamoDBClient = _renewing(_open("dynamodb", region, _TABLE_CONFIG, credentials), "dynamodb", credentials)
    return client


def _renewing(client: Any, service: str, credentials: RenewableCredentials) -> Any:
    """Returns the client, which from now on resolves its credentials again after a call that refused them."""

    def renew_if_refused(parsed: Mapping[str, Any], **_: object) -> None:
        credentials.renew_if_refused(parsed, CREDENTIAL_CODES)

    client.meta.events.register(f"after-call.{service}", renew_if_refused)
    return client


_TABLE_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=3,
    tcp_keepalive=True,
    user_agent=USER_AGENT,
)
"""A lease is trusted for ten seconds: a write whose answer does not come must end well before."""


def _session(credentials: RenewableCredentials) -> boto3.Session:
    core = botocore.session.get_session()
    core.register_component("credential_provider", credentials)
    # The SDK's own blob parser is a method of the parser, which makes each call's parsers a reference cycle.
    defaults = {"timestamp_parser": parse_timestamp, "blob_parser": base64.b64decode}
    core.get_component("response_parser_factory").set_parser_defaults(**defaults)
    return boto3.Session(botocore_session=core)


def _config(workers: int, read_timeout_s: float) -> Config:
    """Returns the SDK's settings. ``total_max_attempts`` counts calls; ``max_attempts`` would count repeats.

    Set here, it has priority over AWS_MAX_ATTEMPTS and the profile. Repeats by the SDK would not be paced.
    """
    return Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        max_pool_connections=workers + SPARE_CONNECTIONS,
        tcp_keepalive=True,
        user_agent=USER_AGENT,
    )


def refuse_foreign_body(response_dict: dict[str, Any], **_: object) -> None:
    """Refuses an answer that is no JSON object, before botocore reads it, because AWS did not write it.

    botocore takes such a body for an empty answer, and fails without the status on some of them. Of an error, only the
    status is kept. A success that AWS did not write is an error of its own.
    """
    body: bytes = response_dict.get("body") or b""
    if not body.strip() or _is_object(body):
        return
    if response_dict["status_code"] < 300:
        raise ResponseParserError("the answer is not one of AWS's: its body is no JSON object")
    response_dict["body"] = b"{}"


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), Mapping)
    except (ValueError, RecursionError):
        return False
