"""Defines how calls fail: the errors of the API, and faults by operation, count, probability, time and contact."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args


class Refusal(Exception):
    """Signals that the API refuses a call. The server writes it on the wire.

    ``code`` is the error's name in the service model, or one that AWS sends although the model lacks it. ``status``
    is given only if the code does not determine it."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid_request(message: str) -> Refusal:
    return Refusal("InvalidRequestException", message)


def invalid_parameter(message: str) -> Refusal:
    return Refusal("InvalidParameterException", message)


def not_found(message: str) -> Refusal:
    return Refusal("ResourceNotFoundException", message)


Kind = Literal[
    "throttle",
    "error_500",
    "error_503",
    "error",
    "timeout_before",
    "timeout_after",
    "reset_before",
    "reset_after",
    "cut_after",
    "slow",
    "garbage",
    "access_denied",
    "expired_credentials",
    "unrecognized_client",
    "short_page",
    "repeat_page",
    "expire_token",
    "skew",
]
"""The kinds of faults.

- ``…_before``, ``…_after``: the call has not, or has, taken effect.
- ``cut_after`` closes the connection in the middle of the response.
- ``error`` responds with ``code`` and ``message``.
- ``short_page`` returns one row a page. More pages can then fail.
- ``repeat_page`` repeats the last response of this operation.
- ``expire_token`` refuses a call with a NextToken.
- ``skew`` shifts the Date header by ``delay``. ``slow`` delays the response by it. A time-out lasts at most as long.
"""

KINDS: tuple[Kind, ...] = get_args(Kind)

REFUSALS: Mapping[Kind, tuple[str, str]] = {
    "error_500": ("InternalServiceException", "Request processing failed because of an error or failure"),
    "error_503": ("ServiceUnavailableException", "Service Unavailable"),
    "access_denied": ("AccessDeniedException", "User is not authorized to perform this action"),
    "expired_credentials": ("ExpiredTokenException", "The security token included in the request is expired"),
    "unrecognized_client": ("UnrecognizedClientException", "The security token included in the request is invalid."),
}
"""The error's name and message, for the kinds that refuse the call in place of its effect."""

INSTEAD: Mapping[Kind, Literal["hang", "reset", "cut"]] = {
    "timeout_before": "hang",
    "timeout_after": "hang",
    "reset_before": "reset",
    "reset_after": "reset",
    "cut_after": "cut",
}
"""What happens to the connection in place of the response."""

PATIENCE = timedelta(seconds=60)
"""How long a time-out lasts if the caller does not give up."""


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """Describes one injected fault, and counts in ``fired`` how often it has struck.

    ``operation`` ``None``: any operation. ``count`` ``None``: whenever it applies."""

    kind: Kind
    operation: str | None = None
    count: int | None = None
    probability: float = 1.0
    start: datetime | None = None
    end: datetime | None = None
    contact_id: str | None = None
    delay: timedelta = timedelta(0)
    code: str = "InternalServiceException"
    message: str = "injected by the sandbox"
    skip: int = 0
    """How many calls pass first although the fault applies to them."""
    fired: int = field(default=0)

    def concerns(self, operation: str, params: Mapping[str, Any], now: datetime) -> bool:
        if self.operation not in (None, operation) or (self.count is not None and self.fired >= self.count):
            return False
        if (self.start and now < self.start) or (self.end and now >= self.end):
            return False
        if self.contact_id is not None and self.contact_id not in (
            params.get("ContactId"),
            params.get("InitialContactId"),
        ):
            return False
        return self.kind not in ("expire_token", "repeat_page") or "NextToken" in params


class Faults:
    """Chooses the fault of each call: the first that applies."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: Kind, operation: str | None = None, **details: Any) -> Fault:
        """Adds a fault with the fields of ``Fault``. Raises ``ValueError`` for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind!r}; there are {', '.join(KINDS)}")
        fault = Fault(kind=kind, operation=operation, **details)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def next(self, operation: str, params: Mapping[str, Any], now: datetime) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.concerns(operation, params, now) and self._strikes(fault):
                    return fault
        return None

    def _strikes(self, fault: Fault) -> bool:
        if fault.probability < 1.0 and self._chance.random() >= fault.probability:
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        fault.fired += 1
        return True
