"""The simulated instance, as tests and scenarios see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from router.sandbox.behaviours import Behaviours
from router.sandbox.chains import add_past_transfer
from router.sandbox.contacts import CHAIN_LIMIT, SandboxContact
from router.sandbox.directory import find
from router.sandbox.identity import Identity
from router.sandbox.instance import SandboxFlow, SandboxQueue
from router.sandbox.instance_setup import ALWAYS_OPEN, Centre
from router.sandbox.lifecycle import Particulars
from router.sandbox.transfer import MadeTransfer, TransferRequest


class World(Centre):
    """Queues, flows and users are named by name, id or ARN; an unknown one is a ``KeyError``. Contacts are named by id.

    Every method first lets happen all that was due until now, by the clock. Safe to use from several threads.
    """

    def __init__(
        self, identity: Identity, *, clock: Callable[[], datetime], behaviours: Behaviours, seed: int = 1
    ) -> None:
        super().__init__(identity, clock=clock, behaviours=behaviours, seed=seed)
        self.add_hours(ALWAYS_OPEN, description="Around the clock")

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
        """A new contact that waits in the queue since ``waited`` ago; its id.

        ``age``: since when its chain exists (default: as long as it has waited). ``chain``: how many contacts the chain
        has with this one; those before it were transferred at even times. The rest are ``Particulars``.
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
        """A new contact that goes into the queue only then; its id."""
        with self.present() as state:
            target = find(state.register.queues, queue)
            scheduled_at = state.now + start_in
            contact = self.lifecycle.create(Particulars(channel=channel, scheduled_at=scheduled_at, **particulars))
            state.agenda.at(scheduled_at, lambda: self._start(contact.id, target))
            return contact.id

    def accept(self, contact_id: str, agent: str) -> SandboxContact:
        """The agent is connected to a contact that waits, in whatever queue; ``ValueError`` where it does not wait."""
        with self.present() as state:
            return self.routing.accept(state.contact(contact_id), find(state.register.users, agent))

    def finish(self, contact_id: str, *, reason: str = "AGENT_COMPLETED") -> SandboxContact:
        """Ends the contact, whoever has it."""
        with self.present() as state:
            return self.routing.finish(state.contact(contact_id), reason)

    def put_back(self, contact_id: str, *, queue: str | None = None) -> str:
        """The agent gives the contact back, to the queue it came from or another; the id of what waits now."""
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
        """Other attributes, tags, name or priority for a contact; whatever ``SandboxContact`` has."""
        with self.present() as state:
            return state.change(state.contact(contact_id), **changes)

    def transfer(self, contact_id: str, *, flow: str, queue: str | None = None, agent: str | None = None) -> str:
        """What somebody else's TransferContact would do; the id of what waits now. Raises ``Refusal``."""
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

    # What there is to see

    def contact(self, contact_id: str) -> SandboxContact:
        with self.present() as state:
            return state.contact(contact_id)

    def chain(self, contact_id: str) -> tuple[SandboxContact, ...]:
        """All contacts of its chain, first to last."""
        with self.present() as state:
            return tuple(state.contacts.chain(state.contact(contact_id).chain.root))

    def latest(self, contact_id: str) -> SandboxContact:
        """The last contact of its chain."""
        return self.chain(contact_id)[-1]

    def waiting(self, queue: str) -> tuple[SandboxContact, ...]:
        """In the order in which agents would take them."""
        with self.present() as state:
            return tuple(self.routing.in_order(find(state.register.queues, queue).id))

    def open(self) -> tuple[SandboxContact, ...]:
        """Every contact that has not ended."""
        with self.present() as state:
            return tuple(state.contacts.open())

    def queue_of(self, contact_id: str) -> str | None:
        """The name of the queue in which the contact truly waits (an agent's own: the username); ``None``: in none."""
        with self.present() as state:
            contact = state.contact(contact_id)
            return state.register.queues[contact.queue_id].name if contact.queued and contact.queue_id else None

    @property
    def transfers(self) -> tuple[MadeTransfer, ...]:
        """Every transfer that took effect, whoever asked for it, oldest first."""
        with self.lock:
            return tuple(self._transfers.done)

    @property
    def taken_from_agents(self) -> tuple[MadeTransfer, ...]:
        """The transfers that took a contact from an agent who was connected to it: Connect does not prevent it."""
        with self.lock:
            return tuple(self._transfers.taken_from_agents)

    def perform_transfer(self, request: TransferRequest) -> str:
        """TransferContact itself."""
        return self._transfers.perform(request)

    def run_when_scheduled(self, contact: SandboxContact, flow: SandboxFlow) -> None:
        """Gives a scheduled contact to its flow when its time comes."""
        assert contact.life.scheduled_at is not None
        self.state.agenda.at(contact.life.scheduled_at, lambda: self._run(contact.id, flow))

    def _run(self, contact_id: str, flow: SandboxFlow) -> None:
        contact = self.state.contact(contact_id)
        if not contact.ended:
            self.lifecycle.run(self.state.change(contact, started=True), flow, None)

    def _start(self, contact_id: str, queue: SandboxQueue) -> None:
        contact = self.state.contact(contact_id)
        if not contact.ended:
            self.routing.enqueue(self.state.change(contact, started=True), queue)
