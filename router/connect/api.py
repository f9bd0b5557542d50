"""Makes one HTTP call to Connect and returns one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import local
from typing import TYPE_CHECKING, Any

import structlog
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from router.connect.answers import Denied, Failure, Full, Rejected, Throttled, TooLate, Unauthenticated
from router.connect.credentials import RenewableCredentials
from router.connect.errors import answer_of
from router.connect.quotas import Quotas
from router.news import NewsFilter

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient


log = structlog.get_logger()

_OF_ANOTHER_TYPE = (ValueError, TypeError, AttributeError, LookupError)
"""What botocore's parser raises on an answer whose members do not have the types of the service model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Is the answer HTTP 200. ``body`` is Connect's, parsed by the service model, and does not leave this package."""

    body: Mapping[str, Any]
    requested_at: float
    """On the monotonic clock, in seconds."""
    request_id: str | None = None


class _Sending(local):
    """Holds the instant by which the call that this thread is making must be sent."""

    before: float | None = None


class Api:
    """Calls operations of one instance. Thread-safe."""

    def __init__(
        self,
        client: ConnectClient,
        *,
        describing: ConnectClient | None = None,
        instance_id: str,
        quotas: Quotas,
        monotonic: Callable[[], float],
        credentials: RenewableCredentials,
    ) -> None:
        """Takes ``describing`` as the client of DescribeContact; ``None``: ``client`` makes these calls too."""
        self._client = client
        self._describing = describing or client
        self._instance_id = instance_id
        self._quotas = quotas
        self._monotonic = monotonic
        self._credentials = credentials
        self._news = NewsFilter[str](monotonic)
        self._sending = _Sending()
        client.meta.events.register("before-send.connect", self._in_time)

    @property
    def clients(self) -> tuple[ConnectClient, ...]:
        """Returns the SDK's clients, each once."""
        return (self._client,) if self._describing is self._client else (self._client, self._describing)

    def call(
        self, operation: str, *, report: bool = True, before: float | None = None, **parameters: Any
    ) -> Answered | Failure | Full:
        """Makes exactly one HTTP call, without waiting for a token, and counts it.

        If AWS refuses the credentials and there are others now, it makes a second call with those: nothing came of
        the first.
        With ``report`` the quotas get the answer, and a denial is logged; without it the caller does both, because
        it knows what the answer stops. Never raises for what the network, Connect or a proxy does: that is an answer.
        With ``before`` (an instant of the monotonic clock) it raises ``TooLate`` if the call was not on its way by
        then.
        """
        self._sending.before = before
        try:
            generation = self._credentials.generation
            answer = self._attempt(operation, parameters)
            if isinstance(answer, Unauthenticated) and self._credentials.renewed_since(generation):
                answer = self._attempt(operation, parameters)
        finally:
            self._sending.before = None
        if isinstance(answer, Answered | Unauthenticated):
            self._credentials.refused = isinstance(answer, Unauthenticated)
        if report:
            self._report(operation, answer)
        if report and isinstance(answer, Denied | Unauthenticated):
            self._log_denial(operation, answer)
        return answer

    def _attempt(self, operation: str, parameters: Mapping[str, Any]) -> Answered | Failure | Full:
        client = self._describing if operation == "DescribeContact" else self._client
        method = getattr(client, xform_name(operation))
        self._quotas.called(operation)
        requested_at = self._monotonic()
        try:
            body = method(InstanceId=self._instance_id, **parameters)
        except (ClientError, BotoCoreError, OSError, ResponseParserError, *_OF_ANOTHER_TYPE) as error:
            return answer_of(error)
        request_id = body.get("ResponseMetadata", {}).get("RequestId")
        return Answered(body=body, requested_at=requested_at, request_id=request_id)

    def _in_time(self, **_: object) -> None:
        """Raises ``TooLate`` if the call is not sent in time. botocore calls it on the call's thread right before the
        sending.

        Delays before it (credentials that had to be renewed, a process that was stopped) are over then.
        """
        before = self._sending.before
        if before is not None and self._monotonic() > before:
            raise TooLate

    def _report(self, operation: str, answer: Answered | Failure | Full) -> None:
        if isinstance(answer, Throttled):
            self._quotas.throttled(operation)
        elif isinstance(answer, Answered):
            self._quotas.succeeded(operation)

    def _log_denial(self, operation: str, answer: Denied | Unauthenticated) -> None:
        if not self._news.is_news(operation):
            return
        log.error("api.denied", operation=operation, error=answer.code, message=answer.message)


def refused(full: Full) -> Rejected:
    """Returns a 402 as an ordinary refusal, for a call that cannot fill anything up."""
    return Rejected(code="ServiceQuotaExceededException", message=full.message, status=402, request_id=full.request_id)
