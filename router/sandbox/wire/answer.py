"""Writes an operation's result as a response on the wire, and checks it against the service model first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.model import OperationModel
from botocore.serialize import TIMESTAMP_PRECISION_MILLISECOND, RestJSONSerializer

from router.sandbox.faults import Refusal
from router.sandbox.wire.model import modelled_errors, service_model, violations

ErrorBodies = Literal["json", "empty", "not_json"]

UNMODELLED = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "IncompleteSignatureException": 400,
    "InternalFailure": 500,
    "MissingAuthenticationTokenException": 403,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "ServiceUnavailableException": 503,
    "TooManyRequestsException": 429,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
}
"""Errors without a model that AWS's front end sends for every service, or that Connect was seen to send."""

COMMON = frozenset({*UNMODELLED, "InternalServiceException", "ThrottlingException"})
"""The errors that every operation can respond with, also one whose model lacks them."""

INJECTED = {
    "ExpiredToken": 403,
    "InvalidClientTokenId": 403,
    "InvalidSignatureException": 403,
    "MalformedHttpRequestException": 400,
    "NotAuthorized": 400,
    "OptInRequired": 403,
    "RequestAbortedException": 400,
    "RequestExpired": 400,
    "RequestTimeoutException": 408,
    "SignatureDoesNotMatch": 403,
    "ValidationException": 400,
}
"""The other errors of AWS's front end (Amazon Connect API Reference, Common Errors; Signature Version 4). The sandbox
itself never sends them, and a scenario may have any operation respond with them."""


@dataclass(frozen=True, slots=True)
class WireAnswer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None


class InvalidAnswer(Exception):
    """Signals a result that AWS's model does not allow: a defect of the sandbox, never of its caller."""


def write_answer(operation: OperationModel, result: Mapping[str, Any]) -> WireAnswer:
    """Writes the result, without its ``None`` members, as Connect does. Raises ``InvalidAnswer``."""
    shape = operation.output_shape
    if shape is None:
        return WireAnswer(200, b"{}")
    kept = without_none(result)
    found = violations(kept, shape)
    if found:
        raise InvalidAnswer(f"{operation.name}: " + "; ".join(found))
    document: dict[str, Any] = {}
    _SERIALIZER._serialize(document, kept, shape)  # type: ignore[attr-defined]  # held by a test
    return WireAnswer(200, json.dumps(document).encode())


def can_respond(operation: str, code: str) -> bool:
    """Returns whether AWS can send the error for the operation."""
    return code in COMMON or code in INJECTED or code in errors_of(operation)


def errors_of(operation: str) -> frozenset[str]:
    return modelled_errors(service_model().operation_model(operation))


def check_refusal(operation: OperationModel, refusal: Refusal) -> None:
    """Raises ``InvalidAnswer`` if the operation can never respond with this error."""
    if refusal.code not in COMMON and refusal.code not in modelled_errors(operation):
        raise InvalidAnswer(f"{operation.name}: the model has no {refusal.code} here: {refusal.message}")


def write_refusal(refusal: Refusal, bodies: ErrorBodies = "json") -> WireAnswer:
    body = {
        "json": json.dumps({"Message": refusal.message}).encode(),
        "empty": b"",
        "not_json": b"<html><body>" + refusal.code.encode() + b"</body></html>",
    }[bodies]
    headers = {"x-amzn-ErrorType": refusal.code}
    return WireAnswer(refusal.status or status_of(refusal.code), body, headers, refusal.code)


def status_of(code: str) -> int:
    """Returns the HTTP status of an error code by the service model, 400 for an unknown code."""
    model = service_model()
    if code in model.shape_names:
        return int(model.shape_for(code).metadata.get("error", {}).get("httpStatusCode", 400))
    return (UNMODELLED | INJECTED).get(code, 400)


def without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: without_none(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [without_none(inner) for inner in value]
    return value


_SERIALIZER = RestJSONSerializer(timestamp_precision=TIMESTAMP_PRECISION_MILLISECOND)
