"""The two calls that change something: each is one HTTP call, never repeated here."""

from __future__ import annotations

from router.connect.answers import Full, TransferAnswer, Transferred, Unknown, UpdateAnswer, Updated
from router.connect.api import Answered, Api, refused
from router.model import ContactId, RoutingData, Target


class ConnectMover:
    """Makes the calls that change a contact. Whoever repeats one must have read the contact again. Thread-safe."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def transfer(
        self, *, contact_id: ContactId, target: Target, token: str, before: float | None = None
    ) -> TransferAnswer:
        """Calls TransferContact. The caller already holds a token of the quota and reports the answer to the quotas.

        The token had to be there before the contact was read. ``token`` is the ClientToken, up to 500 characters. A
        success that names no contact is ``Unknown``. With ``before`` (monotonic seconds) it raises ``TooLate`` if the
        call was not on its way by then.
        """
        destination = {"QueueId": target.queue_id} if target.queue_id is not None else {"UserId": target.agent_id}
        answer = self._api.call(
            "TransferContact",
            report=False,
            before=before,
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

    def reroute(self, *, contact_id: ContactId, routing: RoutingData) -> UpdateAnswer:
        """Calls UpdateContactRoutingData with a priority (1 is the highest) or an age in whole seconds.

        Connect takes one of the two (botocore service model). Raises ValueError for both or neither. The caller holds a
        token of the quota, and reports the answer.
        """
        if (routing.priority is None) == (routing.age is None):
            raise ValueError("a routing update sets a priority or an age, and not both")
        change: dict[str, int | None] = {"QueuePriority": routing.priority}
        if routing.age is not None:
            change = {"QueueTimeAdjustmentSeconds": int(routing.age.total_seconds())}
        answer = self._api.call("UpdateContactRoutingData", report=False, ContactId=contact_id, **change)
        if isinstance(answer, Full):
            return refused(answer)
        return Updated(request_id=answer.request_id) if isinstance(answer, Answered) else answer
