"""Performs TransferContact: its rules, its tokens, and the record of transfers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from router.sandbox.chains import add_successor, has_room, transferred_reason
from router.sandbox.contacts import CHAIN_LIMIT, TRANSFERABLE, SandboxContact
from router.sandbox.directory import look_up
from router.sandbox.distribution import Distribution
from router.sandbox.faults import Refusal, invalid_request, not_found
from router.sandbox.instance import TRANSFER_FLOWS, SandboxFlow, SandboxQueue, User
from router.sandbox.lifecycle import Lifecycle
from router.sandbox.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTransfer:
    """Records a transfer that took effect. Queues, users and flows are named, not given by id."""

    at: datetime
    contact_id: str
    new_contact_id: str
    """The same id if the transfer made no new segment."""
    from_queue: str | None
    to_queue: str | None
    to_agent: str | None
    flow: str
    token: str | None
    taken_from: str | None
    """The agent who was connected to the contact, and lost it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    contact_id: str
    flow_id: str
    queue_id: str | None = None
    user_id: str | None = None
    token: str | None = None


TOKEN_MEMORY = {"hours": timedelta.max, "minutes": timedelta(minutes=30), "seconds": timedelta(minutes=1)}
"""How long a token is known, by the behaviour."""


class Transfers:
    def __init__(self, state: State, routing: Distribution, lifecycle: Lifecycle) -> None:
        self._state = state
        self._routing = routing
        self._lifecycle = lifecycle
        self._answers: dict[str, tuple[TransferRequest, str, datetime]] = {}
        self.done: list[MadeTransfer] = []
        self.taken_from_agents: list[MadeTransfer] = []

    def perform(self, request: TransferRequest) -> str:
        """Transfers the contact, and returns the id of the response.

        Raises ``Refusal``; then nothing has changed and the token is unused."""
        before = self._repeated(request)
        if before is not None:
            return before
        if (request.queue_id is None) == (request.user_id is None):
            raise invalid_request("Exactly one of QueueId and UserId must be given")
        flow = self._flow(request.flow_id)
        contact = self._contact(request.contact_id)
        queue, user = self._destination(request)
        self._check_chain(contact)
        moved = self._move(contact, flow, queue)
        self._record(request, contact, moved, flow, queue, user)
        self._lifecycle.flows.run(moved, flow, queue)
        answer = moved.id if self._state.behaviours.answer_id == "new" else contact.id
        if request.token is not None:
            self._answers[request.token] = (request, answer, self._state.now)
        return answer

    def _repeated(self, request: TransferRequest) -> str | None:
        behaviour = self._state.behaviours.repeated_token
        if request.token is None or request.token not in self._answers or behaviour == "unknown":
            return None
        first, answer, at = self._answers[request.token]
        if self._state.now - at > TOKEN_MEMORY[self._state.behaviours.token_memory]:
            return None
        if behaviour == "refused" or first != request:
            raise Refusal("IdempotencyException", "An entity with the same name already exists.")
        return answer

    def _flow(self, flow_id: str) -> SandboxFlow:
        try:
            flow = look_up(self._state.register.flows, flow_id)
        except KeyError:
            raise not_found(f"Contact flow not found: {flow_id}") from None
        if flow.type not in TRANSFER_FLOWS:
            raise invalid_request(f"A flow of type {flow.type} cannot transfer contacts")
        if flow.state == "ARCHIVED":
            _refuse_flow(self._state.behaviours.archived_flow, flow.id, "archived")
        if flow.status != "PUBLISHED":
            _refuse_flow(self._state.behaviours.saved_flow, flow.id, "not published")
        return flow

    def _contact(self, contact_id: str) -> SandboxContact:
        contact = self._state.contacts.get(contact_id)
        if contact is None:
            raise not_found(f"Contact not found: {contact_id}")
        if contact.channel not in TRANSFERABLE:
            raise invalid_request(f"Contacts of channel {contact.channel} cannot be transferred")
        early = not contact.life.started and self._state.behaviours.scheduled_transfer == "refused"
        if contact.ended or early:
            raise invalid_request(f"Contact {contact.id} is not active")
        if contact.pause.paused and self._state.behaviours.paused_transfer == "refused":
            raise invalid_request(f"Contact {contact.id} is paused")
        return contact

    def _destination(self, request: TransferRequest) -> tuple[SandboxQueue, User | None]:
        register = self._state.register
        try:
            if request.user_id is not None:
                user = look_up(register.users, request.user_id)
                return register.queues[user.queue_id], user
            assert request.queue_id is not None
            return look_up(register.queues, request.queue_id), None
        except KeyError as error:
            kind = "User" if request.user_id is not None else "Queue"
            raise not_found(f"{kind} not found: {request.user_id or request.queue_id}") from error

    def _check_chain(self, contact: SandboxContact) -> None:
        if has_room(self._state, contact):
            return
        message = f"The chain of contact {contact.id} has {CHAIN_LIMIT} contacts; it cannot be transferred again"
        if self._state.behaviours.twelfth_contact == "400":
            raise invalid_request(message)
        raise Refusal("ServiceQuotaExceededException", message)

    def _move(self, contact: SandboxContact, flow: SandboxFlow, queue: SandboxQueue) -> SandboxContact:
        """Removes the contact from its place: ends its old segment, or takes the same contact from its queue."""
        behaviours = self._state.behaviours
        if behaviours.transfer == "new_segment":
            moved = add_successor(self._state, contact, initiation_method=behaviours.transfer_initiation_method)
            self._routing.finish(contact, transferred_reason(contact))
            return moved
        return self._release(contact)

    def _release(self, contact: SandboxContact) -> SandboxContact:
        user = self._state.holder(contact)
        contact = self._state.change(
            contact,
            position=contact.chain.position + 1,
            started=True,
            queued=False,
            queue_id=None,
            enqueued_at=None,
            agent_id=None,
            connected_at=None,
            paused=False,
            resumed_at=self._state.now if contact.pause.paused else contact.pause.resumed_at,
            dequeued_by_pause=False,
        )
        if user is not None:
            self._routing.work(user)
        return contact

    def _record(
        self,
        request: TransferRequest,
        contact: SandboxContact,
        moved: SandboxContact,
        flow: SandboxFlow,
        queue: SandboxQueue,
        user: User | None,
    ) -> None:
        left = self._state.register.queues.get(contact.queue_id or "")
        loser = self._state.holder(contact)
        transfer = MadeTransfer(
            at=self._state.now,
            contact_id=contact.id,
            new_contact_id=moved.id,
            from_queue=left.name if left else None,
            to_queue=None if user else queue.name,
            to_agent=user.name if user else None,
            flow=flow.name,
            token=request.token,
            taken_from=loser.name if loser else None,
        )
        self.done.append(transfer)
        if transfer.taken_from is not None:
            self.taken_from_agents.append(transfer)


def _refuse_flow(behaviour: str, flow_id: str, state: str) -> None:
    """Raises ``Refusal`` unless the behaviour lets such a flow run."""
    if behaviour == "not_found":
        raise not_found(f"Contact flow not found: {flow_id}")
    if behaviour == "refused":
        raise invalid_request(f"Contact flow {flow_id} is {state}")
