"""The two calls that change something: each is one HTTP call, never repeated here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from router.connect.answers import (
    NOT_SENT,
    Full,
    Throttled,
    TransferAnswer,
    Transferred,
    Unknown,
    UpdateAnswer,
    Updated,
)
from router.connect.api import Answered, Api, refused
from router.connect.quotas import Quotas
from router.model import ContactId, Target

TOKEN_WITHIN_S = 10.0


class ConnectMover:
    """Who repeats one of these must have read the contact again. Thread-safe."""

    def __init__(self, api: Api, *, quotas: Quotas, monotonic: Callable[[], float]) -> None:
        self._api = api
        self._quotas = quotas
        self._monotonic = monotonic

    def transfer(self, *, contact_id: ContactId, target: Target, token: str) -> TransferAnswer:
        """TransferContact. The caller holds its token of the quota already, for it had to be there before the contact
        was read; and reports to the quotas what came of it.

        ``token`` is the ClientToken, up to 500 characters. A success that names no contact is ``Unknown``.
        """
        destination = {"QueueId": target.queue_id} if target.queue_id is not None else {"UserId": target.agent_id}
        answer = self._api.call(
            "TransferContact",
            report=False,
            ContactId=contact_id,
            ContactFlowId=target.flow_id,
            ClientToken=token,
            **destination,
        )
        if not isinstance(answer, Answered):
            return answer
        moved = answer.body.get("ContactId")
        if not moved or not isinstance(moved, str):
            return Unknown(code="UnreadableAnswer", message="the answer names no contact", request_id=answer.request_id)
        return Transferred(contact_id=ContactId(moved), request_id=answer.request_id)

    def reroute(
        self, *, contact_id: ContactId, priority: int | None = None, age: timedelta | None = None
    ) -> UpdateAnswer:
        """UpdateContactRoutingData with a priority (1 is the highest) or an age in whole seconds; Connect takes one of
        the two (botocore service model). Raises ValueError for both or neither. Waits for a token of the quota, and
        answers ``Throttled`` (``NOT_SENT``) where none comes within ten seconds."""
        if (priority is None) == (age is None):
            raise ValueError("a routing update sets a priority or an age, and not both")
        change = (
            {"QueuePriority": priority} if age is None else {"QueueTimeAdjustmentSeconds": int(age.total_seconds())}
        )
        if not self._quotas.acquire("UpdateContactRoutingData", until=self._monotonic() + TOKEN_WITHIN_S):
            return Throttled(code=NOT_SENT)
        answer = self._api.call("UpdateContactRoutingData", ContactId=contact_id, **change)
        if isinstance(answer, Full):
            return refused(answer)
        return Updated(request_id=answer.request_id) if isinstance(answer, Answered) else answer
