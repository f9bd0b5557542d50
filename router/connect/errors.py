"""Turns each exception of botocore into the answer that it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
)

from router.connect.answers import (
    NOT_FROM_AWS,
    Denied,
    Failure,
    Full,
    Rejected,
    Skewed,
    Throttled,
    Unauthenticated,
    Unknown,
)
from router.connect.credentials import UnusableCredentials
from router.problems import printable
from router.sdk_errors import MESSAGE_LENGTH, describe_error, message_of_aws, one_line, refused_time

__all__ = ["MESSAGE_LENGTH", "one_line", "printable"]

THROTTLE_CODES = frozenset({"ThrottlingException", "TooManyRequestsException", "Throttling", "RequestLimitExceeded"})
"""ThrottlingException is modelled (botocore service model); TooManyRequestsException is what StartChatContact's
documentation promises, and what users saw."""

RESOURCE_LIMIT_CODES = frozenset({"LimitExceededException"})
"""HTTP 429 as well, but a limit of resources, which waiting does not lift (botocore service model: PauseContact)."""

CREDENTIAL_CODES = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "SubscriptionRequiredException",
        "UnrecognizedClientException",
    }
)
"""Common errors of every AWS API that are about who calls, not about what is called."""

CREDENTIAL_ERRORS = (
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnusableCredentials,
)


def answer_of(exception: Exception) -> Failure | Full:
    """Returns the answer that an exception of a botocore client means.

    An error that may also follow a call that took effect is ``Unknown``: 5xx, time-outs, broken connections, answers
    that are not Connect's. Credentials that could not be obtained are ``Unauthenticated``: nothing was sent.
    """
    if isinstance(exception, ClientError):
        return _of_response(exception.response)
    if isinstance(exception, CREDENTIAL_ERRORS):
        return Unauthenticated(code=type(exception).__name__, message=describe_error(exception))
    if isinstance(exception, ParamValidationError):
        return Rejected(code="ParamValidationError", message=describe_error(exception), status=400)
    return Unknown(code=type(exception).__name__, message=_message_of(exception))


def _message_of(exception: Exception) -> str:
    """Returns what may be shown of an exception of botocore, and only the class of any other.

    The others arise from reading the answer, and their text may quote a customer's value.
    """
    if isinstance(exception, BotoCoreError):
        return describe_error(exception)
    return "the answer could not be read as one of Connect's"


def _of_response(response: Mapping[str, Any]) -> Failure | Full:
    """Returns the answer by code, or by status if the code means nothing: bodies may be empty, or a proxy's."""
    metadata = response.get("ResponseMetadata") or {}
    error = response.get("Error") or {}
    status = int(metadata.get("HTTPStatusCode") or 0)
    request_id = metadata.get("RequestId") or (metadata.get("HTTPHeaders") or {}).get("x-amzn-requestid")
    code = one_line(_text(error.get("Code")) or str(status), 100)
    told = _text(error.get("Message"))
    message = message_of_aws(code, told)
    if code in RESOURCE_LIMIT_CODES:
        return Rejected(code=code, message=message, status=status, request_id=request_id)
    if code in THROTTLE_CODES or status == 429:
        return Throttled(code=code, request_id=request_id)
    if refused_time(code, told) is not None:
        return Skewed(code=code, message=message, request_id=request_id)
    if status in _OF_PROXIES and not _is_from_aws(metadata.get("HTTPHeaders") or {}):
        return Denied(code=NOT_FROM_AWS, message=f"HTTP {status}, and not from AWS: {PROXY_REMEDY}")
    if code in CREDENTIAL_CODES or status == 401:
        return Unauthenticated(code=code, message=message, request_id=request_id)
    if code == "ServiceQuotaExceededException" or status == 402:
        return Full(message=message, request_id=request_id)
    if code in ("AccessDeniedException", "AccessDenied") or status == 403:
        return Denied(message=message, request_id=request_id)
    if status in _NOT_PROCESSED_FOR_GOOD:
        return Rejected(code=code, message=message, status=status, request_id=request_id)
    return Unknown(code=code, message=message, request_id=request_id)


_OF_PROXIES = frozenset({401, 403, 407})
PROXY_REMEDY = "a proxy or firewall refuses the call; let it through there, or set HTTPS_PROXY or NO_PROXY"


def _is_from_aws(headers: Mapping[str, Any]) -> bool:
    """Returns whether an answer has one of the headers that every error of AWS has."""
    names = {str(name).lower() for name, value in headers.items() if value}
    return bool(names & {"x-amzn-requestid", "x-amzn-errortype", "x-amz-request-id"})


_NOT_PROCESSED_FOR_GOOD = frozenset(set(range(400, 500)) - {408, 425})
"""Every other 4xx refuses for good, except those of a server or proxy that did not wait for the request. With 3xx and
5xx it is unknown what happened."""


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
