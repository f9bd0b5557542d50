"""Offers the simulated instance to tests and scenarios."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from router.sandbox.chains import add_past_transfer
from router.sandbox.contacts import CHAIN_LIMIT, SandboxContact
from router.sandbox.directory import find
from router.sandbox.instance import SandboxFlow, SandboxQueue
from router.sandbox.instance_setup import Centre
from router.sandbox.lifecycle import Particulars
from router.sandbox.transfer import MadeTransfer, TransferRequest


class World(Centre):
    """Simulates an instance with its contacts.

    A name, an id or an ARN names queues, flows and users; an id names contacts. An unknown one raises ``KeyError``.
    Every method first lets everything happen that is due by the clock. It is safe to use from several threads.
    """

    def enqueue(
        self,
        channel: str = "TASK",
        queue: str = "Billing",
        *,
        waited: timedelta = timedelta(0),
        age: timedelta | None = None,
        chain: int = 1,
        **particulars: Any,
    ) -> str:
        """Adds a contact that has waited in the queue for ``waited``, and returns its id.

        ``age``: how old its chain is (default: as old as its wait). ``chain``: how many contacts the chain has with
        this one; those before it were transferred at even intervals. ``particulars``: fields of ``Particulars``.
        """
        with self.present() as state:
            target = find(state.register.queues, queue)
            what = Particulars(channel=channel, **particulars)
            enqueued_at = state.now - waited
            began_at = min(state.now - age if age is not None else enqueued_at, enqueued_at)
            contact = self.lifecycle.create(what, initiated_at=began_at)
            for step in range(1, min(chain, CHAIN_LIMIT)):
                at = began_at + (enqueued_at - began_at) * step / max(chain - 1, 1)
                contact = add_past_transfer(state, contact, target, at)
            contact = state.contacts.put(
                contact.changed(queue_id=target.id, enqueued_at=enqueued_at, queued=True, updated_at=enqueued_at),
                enqueued_at,
            )
            self.routing.offer(target.id)
            return contact.id

    def schedule(
        self, channel: str = "TASK", queue: str = "Billing", *, start_in: timedelta, **particulars: Any
    ) -> str:
        """Adds a contact that enters the queue after ``start_in``, and returns its id."""
        with self.present() as state:
            target = find(state.register.queues, queue)
            scheduled_at = state.now + start_in
            contact = self.lifecycle.create(Particulars(channel=channel, scheduled_at=scheduled_at, **particulars))
            state.agenda.at(scheduled_at, lambda: self._start(contact.id, target))
            return contact.id

    def accept(self, contact_id: str, agent: str) -> SandboxContact:
        """Connects the agent to a contact that waits in any queue. Raises ``ValueError`` if it does not wait."""
        with self.present() as state:
            return self.routing.accept(state.contact(contact_id), find(state.register.users, agent))

    def finish(self, contact_id: str, *, reason: str = "AGENT_COMPLETED") -> SandboxContact:
        """Ends the contact, in a queue or with an agent."""
        with self.present() as state:
            return self.routing.finish(state.contact(contact_id), reason)

    def put_back(self, contact_id: str, *, queue: str | None = None) -> str:
        """Puts the agent's contact into a queue, by default its last one. Returns the id of the waiting contact."""
        with self.present() as state:
            target = find(state.register.queues, queue) if queue is not None else None
            return self.routing.put_back(state.contact(contact_id), target).id

    def pause(self, contact_id: str) -> SandboxContact:
        with self.present() as state:
            return self.lifecycle.pause(state.contact(contact_id))

    def resume(self, contact_id: str) -> SandboxContact:
        with self.present() as state:
            return self.lifecycle.resume(state.contact(contact_id))

    def change(self, contact_id: str, **changes: Any) -> SandboxContact:
        """Changes attributes, tags, name, priority or any other field of the contact."""
        with self.present() as state:
            return state.change(state.contact(contact_id), **changes)

    def transfer(self, contact_id: str, *, flow: str, queue: str | None = None, agent: str | None = None) -> str:
        """Transfers the contact as another program would. Returns the id of the waiting contact. Raises ``Refusal``."""
        with self.present() as state:
            register = state.register
            self._transfers.perform(
                TransferRequest(
                    contact_id=contact_id,
                    flow_id=find(register.flows, flow).id,
                    queue_id=find(register.queues, queue).id if queue else None,
                    user_id=find(register.users, agent).id if agent else None,
                )
            )
            return self._transfers.done[-1].new_contact_id

    def contact(self, contact_id: str) -> SandboxContact:
        with self.present() as state:
            return state.contact(contact_id)

    def chain(self, contact_id: str) -> tuple[SandboxContact, ...]:
        """Returns all contacts of the chain, first to last."""
        with self.present() as state:
            return tuple(state.contacts.chain(state.contact(contact_id).chain.root))

    def latest(self, contact_id: str) -> SandboxContact:
        """Returns the last contact of the chain."""
        return self.chain(contact_id)[-1]

    def waiting(self, queue: str) -> tuple[SandboxContact, ...]:
        """Returns the waiting contacts in the order in which agents take them."""
        with self.present() as state:
            return tuple(self.routing.in_order(find(state.register.queues, queue).id))

    def open(self) -> tuple[SandboxContact, ...]:
        """Returns every contact that has not ended."""
        with self.present() as state:
            return tuple(state.contacts.open())

    def queue_of(self, contact_id: str) -> str | None:
        """Returns the name of the queue in which the contact truly waits, ``None`` if it does not wait.

        The name of an agent's own queue is the username."""
        with self.present() as state:
            contact = state.contact(contact_id)
            return state.register.queues[contact.queue_id].name if contact.queued and contact.queue_id else None

    @property
    def transfers(self) -> tuple[MadeTransfer, ...]:
        """Returns every transfer that took effect, by any caller, oldest first."""
        with self.lock:
            return tuple(self._transfers.done)

    @property
    def taken_from_agents(self) -> tuple[MadeTransfer, ...]:
        """Returns the transfers that took a contact from a connected agent. Connect does not prevent them."""
        with self.lock:
            return tuple(self._transfers.taken_from_agents)

    def perform_transfer(self, request: TransferRequest) -> str:
        """Performs TransferContact. Raises ``Refusal``."""
        return self._transfers.perform(request)

    def run_when_scheduled(self, contact: SandboxContact, flow: SandboxFlow) -> None:
        """Schedules the flow of a scheduled contact for its time."""
        assert contact.life.scheduled_at is not None
        self.state.agenda.at(contact.life.scheduled_at, lambda: self._run(contact.id, flow))

    def _run(self, contact_id: str, flow: SandboxFlow) -> None:
        contact = self.state.contact(contact_id)
        if not contact.ended and not contact.life.started:
            self.lifecycle.flows.run(self.state.change(contact, started=True), flow, None)

    def _start(self, contact_id: str, queue: SandboxQueue) -> None:
        contact = self.state.contact(contact_id)
        if not contact.ended:
            self.routing.enqueue(self.state.change(contact, started=True), queue)
