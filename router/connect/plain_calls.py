"""Makes any call of the API, paced and repeated, and returns the answer as it is.

This is the one way by which a dictionary of an AWS answer leaves the package: the acceptance suite examines the answers
themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from router.connect.answers import NOT_SENT, NoSuccess, Rejected, Throttled, Unknown
from router.connect.api import Answered, Api
from router.connect.quotas import Quotas, Rate

ATTEMPTS = 6
RATES: Mapping[str, Rate] = {"StopContact": Rate(10, 15), "TagContact": Rate(20, 25)}
"""The documented quotas of operations that only the acceptance suite calls, where they differ from the general rule
(Amazon Connect service quotas, API throttling)."""

READS = ("Describe", "Get", "List", "Search")
REPEATABLE = frozenset(
    {
        "DeleteContactFlow",
        "DeleteHoursOfOperation",
        "DeleteQueue",
        "StopContact",
        "TagContact",
        "UpdateHoursOfOperation",
    }
)
"""Changing operations that a second call does not harm."""
STATUSES = {"AccessDeniedException": 403, "ServiceQuotaExceededException": 402}

BodyForm = Literal["json", "empty", "not_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainAnswer:
    """Holds one answer, or why there is none. ``status`` is ``None`` if no answer of Connect's arrived.

    ``at`` is the local time of the answer. ``sent`` is ``False`` if no call was made. ``body_form`` describes the body
    of an error; ``None`` for a success.
    """

    operation: str
    at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = 200
    code: str | None = None
    message: str = ""
    request_id: str | None = None
    body_form: BodyForm | None = None
    sent: bool = True

    @property
    def ok(self) -> bool:
        return self.code is None

    @property
    def uncertain(self) -> bool:
        """Returns whether the call may have taken effect although no answer shows it."""
        return self.sent and not self.ok and self.status is None


class PlainCalls:
    """Calls operations of one instance. One thread uses it."""

    def __init__(self, api: Api, quotas: Quotas, now: Callable[[], datetime]) -> None:
        self._api = api
        self._quotas = quotas
        self._now = now
        self._form: BodyForm | None = None
        quotas.adopt(RATES)
        for client in api.clients:
            client.meta.events.register_first("before-parse.connect", self._record_form)

    def call(self, operation: str, **parameters: Any) -> PlainAnswer:
        """Waits for a token of the quota and makes the call.

        A throttled call is repeated. A call without a known outcome is repeated if that is harmless: if it reads, or
        has a ClientToken.
        """
        harmless = operation.startswith(READS) or operation in REPEATABLE or "ClientToken" in parameters
        answer = self._attempt(operation, parameters)
        for attempt in range(ATTEMPTS - 1):
            throttled = answer.status == 429 and answer.code not in (None, "LimitExceededException")
            if not answer.sent or not (throttled or (answer.uncertain and harmless)):
                break
            self._quotas.pause(min(0.5 * 2**attempt, 8.0))
            answer = self._attempt(operation, parameters)
        return answer

    def call_at_once(self, operation: str, **parameters: Any) -> PlainAnswer:
        """Makes one call without waiting for a token, to find out when Connect throttles."""
        return self._answer(operation, self._api.call(operation, report=False, **parameters))

    def _attempt(self, operation: str, parameters: Mapping[str, Any]) -> PlainAnswer:
        if not self._quotas.acquire(operation):
            return self._answer(operation, Throttled(code=NOT_SENT))
        return self._answer(operation, self._api.call(operation, **parameters))

    def _answer(self, operation: str, answer: Answered | NoSuccess) -> PlainAnswer:
        if isinstance(answer, Answered):
            return PlainAnswer(operation=operation, at=self._now(), body=answer.body, request_id=answer.request_id)
        sent = answer.code != NOT_SENT
        status: int | None = STATUSES.get(answer.code, 400)
        if isinstance(answer, Throttled):
            status = 429 if sent else None
        elif isinstance(answer, Rejected):
            status = answer.status
        elif isinstance(answer, Unknown):
            status = None
        return PlainAnswer(
            operation=operation,
            at=self._now(),
            status=status,
            code=answer.code,
            message=answer.message,
            request_id=answer.request_id,
            body_form=self._form if status is not None else None,
            sent=sent,
        )

    def _record_form(self, response_dict: Mapping[str, Any], **_: object) -> None:
        """Records what kind of body the last response has, before the SDK or the router reads it."""
        body: bytes = response_dict.get("body") or b""
        try:
            self._form = "json" if isinstance(json.loads(body), dict) else "not_json"
        except ValueError:
            self._form = "not_json" if body.strip() else "empty"
