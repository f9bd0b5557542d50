"""Distributes waiting contacts to agents, and ends them or puts them back."""

from __future__ import annotations

from datetime import datetime, timedelta

from router.sandbox.chains import add_successor, has_room, transferred_reason
from router.sandbox.contacts import SandboxContact
from router.sandbox.instance import SandboxQueue, User
from router.sandbox.state import State


class Distribution:
    """Gives waiting contacts to agents.

    An agent with ``working`` takes the next contact as soon as a slot is free for it. Other agents take and put back
    contacts only on request. No agent takes a contact again that the same agent has put back."""

    def __init__(self, state: State) -> None:
        self._state = state

    def enqueue(self, contact: SandboxContact, queue: SandboxQueue, *, at: datetime | None = None) -> SandboxContact:
        """Puts the contact into the queue, even a full one, as of now or of ``at``."""
        contact = self._state.change(
            contact,
            queue_id=queue.id,
            enqueued_at=at or self._state.now,
            queued=True,
            agent_id=None,
            connected_at=None,
            dequeued_by_pause=False,
        )
        self.offer(queue.id)
        return self._state.contact(contact.id)

    def has_room(self, queue: SandboxQueue) -> bool:
        waiting = len(self._state.contacts.waiting(queue.id))
        return queue.enabled and (queue.capacity is None or waiting < queue.capacity)

    def staffed(self, queue: SandboxQueue, channel: str) -> bool:
        """Returns whether an available agent serves the queue."""
        register = self._state.register
        if queue.user_id is not None:
            return register.users[queue.user_id].routable
        return any(
            user.routable and register.profile_of(user).serves(queue.id, channel) for user in register.users.values()
        )

    def free_slots(self, user: User, channel: str) -> int:
        slots = self._state.register.profile_of(user).slots.get(channel, 0)
        held = self._state.contacts.held(user.id)
        if self._state.behaviours.cross_channel == "current" and any(one.channel != channel for one in held):
            return 0
        used = sum(contact.channel == channel for contact in held)
        return max(slots - used, 0)

    def accept(self, contact: SandboxContact, user: User) -> SandboxContact:
        """Connects the agent to the contact. Raises ``ValueError`` if the contact does not wait."""
        if not contact.queued or contact.ended:
            raise ValueError(f"contact {contact.id} does not wait in a queue")
        now = self._state.now
        contact = self._state.change(contact, queued=False, agent_id=user.id, connected_at=now, put_back_by=None)
        if user.working is not None:
            mean = user.working.handling.total_seconds()
            done = now + timedelta(seconds=self._state.random.expovariate(1 / mean) if mean else 0)
            self._state.agenda.at(done, lambda: self._done(contact.id, user.id, now))
        return contact

    def finish(self, contact: SandboxContact, reason: str = "AGENT_COMPLETED") -> SandboxContact:
        """Ends the contact wherever it is. Its agent, if it has one, is free for another."""
        user = self._state.holder(contact)
        contact = self._state.change(
            contact, queued=False, disconnected_at=self._state.now, disconnect_reason=reason, paused=False
        )
        if user is not None:
            self.work(user)
        return contact

    def offer(self, queue_id: str) -> None:
        """Offers the queue's contacts to every agent with ``working`` who serves it."""
        register = self._state.register
        idle = [user for user in register.users.values() if user.working is not None and user.routable]
        idle.sort(key=lambda user: (len(self._state.contacts.held(user.id)), user.name))
        for user in idle:
            if user.queue_id == queue_id or any(q.queue_id == queue_id for q in register.profile_of(user).queues):
                self.work(user)

    def work(self, user: User) -> None:
        """Lets the agent take contacts until no slot is free or no contact fits."""
        user = self._state.register.users[user.id]
        while user.working is not None and user.routable:
            contact = self._next(user)
            if contact is None:
                return
            self.accept(contact, user)

    def in_order(self, queue_id: str) -> list[SandboxContact]:
        return sorted(self._state.contacts.waiting(queue_id), key=SandboxContact.order)

    def _next(self, user: User) -> SandboxContact | None:
        """Returns the agent's next contact: from the own queue first, then by the routing profile's priorities."""
        free = {channel for channel in self._state.register.profile_of(user).slots if self.free_slots(user, channel)}
        if not free:
            return None
        own = [contact for contact in self._state.contacts.waiting(user.queue_id) if contact.channel in free]
        if own:
            return min(own, key=SandboxContact.order)
        found = [
            (served.priority, contact.order(), contact)
            for served in self._state.register.profile_of(user).queues
            if served.channel in free
            for contact in self._state.contacts.waiting(served.queue_id)
            if contact.channel == served.channel
            and contact.put_back_by != user.id
            and self._due(contact, served.delay_s)
        ]
        return min(found, key=lambda each: each[:2])[2] if found else None

    def _due(self, contact: SandboxContact, delay_s: int) -> bool:
        assert contact.enqueued_at is not None
        return not delay_s or self._state.now >= contact.enqueued_at + timedelta(seconds=delay_s)

    def _done(self, contact_id: str, user_id: str, since: datetime) -> None:
        """Ends or puts back a contact that has been handled. Does nothing if the agent lost it meanwhile."""
        contact = self._state.contact(contact_id)
        user = self._state.register.users[user_id]
        if contact.agent_id != user_id or contact.connected_at != since or contact.ended or user.working is None:
            return
        if self._state.random.random() < user.working.put_back and contact.queue_id is not None:
            self.put_back(contact)
        else:
            self.finish(contact)

    def put_back(self, contact: SandboxContact, queue: SandboxQueue | None = None) -> SandboxContact:
        """Puts the contact from its agent into a queue, by default the one it came from.

        A new segment (InitiationMethod TRANSFER) waits there if the behaviours demand it and the chain has room.
        Otherwise the same contact is queued again. Raises ``ValueError`` if no agent has the contact."""
        user = self._state.holder(contact)
        if user is None or contact.queue_id is None:
            raise ValueError(f"no agent has contact {contact.id}")
        target = queue or self._state.register.queues[contact.queue_id]
        if self._state.behaviours.put_back == "new_segment" and has_room(self._state, contact):
            after = add_successor(self._state, contact, initiation_method="TRANSFER")
            self._state.change(contact, disconnected_at=self._state.now, disconnect_reason=transferred_reason(contact))
        else:
            after = self._state.change(contact, agent_id=None, connected_at=None)
        after = self._state.change(after, put_back_by=user.id)
        after = self.enqueue(after, target)
        self.work(user)
        return after
