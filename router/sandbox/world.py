"""The simulated instance, as tests and scenarios see it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal

from router.sandbox.agenda import Agenda
from router.sandbox.behaviours import Behaviours
from router.sandbox.contact_log import ContactLog
from router.sandbox.contacts import CHAIN_LIMIT, Contact
from router.sandbox.faults import Faults
from router.sandbox.identity import Identity
from router.sandbox.lifecycle import Lifecycle, Particulars
from router.sandbox.places import (
    AVAILABLE,
    Flow,
    FlowState,
    FlowStatus,
    FlowType,
    Hours,
    Outcome,
    Override,
    Profile,
    Queue,
    User,
    Window,
    Working,
)
from router.sandbox.register import DAYS, Register, find
from router.sandbox.routing import Routing
from router.sandbox.state import State
from router.sandbox.transfer import Request, Transfer, Transfers

ALWAYS_OPEN = "Always open"
MIDNIGHT = time(0, 0)

OutcomeWord = Literal["queue", "never", "disconnect", "elsewhere"]


class World:
    """Queues, flows and users are named by name, id or ARN; an unknown one is a ``KeyError``. Contacts are named by id.

    Every method first lets happen all that was due until now, by the clock. Safe to use from several threads.
    """

    def __init__(
        self, identity: Identity, *, clock: Callable[[], datetime], behaviours: Behaviours, seed: int = 1
    ) -> None:
        start = clock().astimezone(UTC)
        self.identity = identity
        self.behaviours = behaviours
        self.lock = threading.RLock()
        self.random = random.Random(seed)
        self._clock = clock
        self.state = State(
            identity=identity,
            behaviours=behaviours,
            random=self.random,
            agenda=Agenda(start),
            contacts=ContactLog(lag=max(behaviours.index_lag, behaviours.metrics_lag)),
            register=Register(identity, behaviours),
        )
        self.started_at = self.state.now
        self.routing = Routing(self.state)
        self.lifecycle = Lifecycle(self.state, self.routing)
        self._transfers = Transfers(self.state, self.routing, self.lifecycle)
        self.started_tasks: dict[str, str] = {}
        self.faults = Faults(random.Random(seed + 1))
        self.add_hours(ALWAYS_OPEN, description="Around the clock")

    # Time

    @property
    def now(self) -> datetime:
        """The instant up to which everything has happened."""
        with self.present():
            return self.state.now

    @contextmanager
    def present(self) -> Iterator[State]:
        """The state as of now, held until the block ends."""
        with self.lock:
            self.state.agenda.advance(self._clock().astimezone(UTC))
            yield self.state

    def advance(self) -> None:
        """Lets happen what is due; every other method does so too."""
        with self.present():
            return

    def at(self, instant: datetime, act: Callable[[], object]) -> None:
        """Does ``act`` when that instant comes, in order with everything else."""
        with self.present() as state:
            state.agenda.at(instant, act)

    # What the instance is made of

    def add_hours(
        self,
        name: str,
        *,
        zone: str = "UTC",
        week: Mapping[str, Sequence[Window]] | None = None,
        overrides: Sequence[Override] = (),
        description: str | None = None,
    ) -> Hours:
        """``week`` by day ("MONDAY", …), windows from, up to and not including; ``None``: around the clock."""
        days = week if week is not None else dict.fromkeys(DAYS, ((MIDNIGHT, MIDNIGHT),))
        with self.present() as state:
            return state.register.add_hours(
                name, at=state.now, zone=zone, week=days, overrides=overrides, description=description
            )

    def add_queue(
        self,
        name: str,
        *,
        hours: str = ALWAYS_OPEN,
        enabled: bool = True,
        capacity: int | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Queue:
        with self.present() as state:
            return state.register.add_queue(
                name,
                at=state.now,
                hours=hours,
                enabled=enabled,
                capacity=capacity,
                description=description,
                tags=tags,
            )

    def add_flow(
        self,
        name: str,
        *,
        type: FlowType = "QUEUE_TRANSFER",
        state: FlowState = "ACTIVE",
        status: FlowStatus = "PUBLISHED",
        outcome: Outcome | OutcomeWord = "queue",
        elsewhere: str | None = None,
        description: str | None = None,
    ) -> Flow:
        """Defines a flow; one of that name is replaced and keeps its id. ``elsewhere`` names the queue of the outcome
        "elsewhere"."""
        with self.present() as present:
            return present.register.add_flow(
                name,
                at=present.now,
                type=type,
                state=state,
                status=status,
                outcome=_outcome(outcome, elsewhere),
                description=description,
            )

    def set_flow(
        self,
        name: str,
        *,
        outcome: Outcome | OutcomeWord | None = None,
        elsewhere: str | None = None,
        state: FlowState | None = None,
        status: FlowStatus | None = None,
    ) -> Flow:
        """Another outcome, state or status for a flow that exists."""
        with self.present() as present:
            flow = find(present.register.flows, name)
            changed = replace(
                flow,
                outcome=flow.outcome if outcome is None else _outcome(outcome, elsewhere),
                state=state or flow.state,
                status=status or flow.status,
                modified_at=present.now,
            )
            present.register.flows[flow.id] = changed
            return changed

    def set_queue(self, name: str, **changes: Any) -> Queue:
        """Another ``name``, ``enabled`` or ``capacity`` for a queue that exists; its id stays."""
        with self.present() as state:
            queue = find(state.register.queues, name)
            state.register.queues[queue.id] = replace(queue, modified_at=state.now, **changes)
            return state.register.queues[queue.id]

    def remove(self, name: str) -> None:
        """Takes a queue, a flow or a user out of the directory, as deleting it in the console does. A queue that still
        has contacts cannot be removed: ``ValueError``."""
        with self.present() as state:
            register = state.register
            for things in (register.queues, register.flows, register.users):
                found = [each.id for each in things.values() if name in (each.id, each.arn, _name(each))]
                for thing_id in found:
                    if state.contacts.waiting(thing_id) or state.contacts.held(thing_id):
                        raise ValueError(f"{name!r} still has contacts")
                    del things[thing_id]
                if found:
                    return
            raise KeyError(name)

    def add_user(
        self,
        username: str,
        *,
        queues: Sequence[str] = (),
        slots: Mapping[str, int] | None = None,
        status: str = AVAILABLE,
        working: Working | None = None,
        profile: str | None = None,
        first_name: str = "",
        last_name: str = "",
    ) -> User:
        """A user with a queue of their own. ``slots``: contacts at once, by channel (default: one task, one e-mail).
        ``profile`` names a routing profile to share; without it there is one for the same queues and slots."""
        with self.present() as state:
            named = profile or self._profile_for(queues, {"TASK": 1, "EMAIL": 1} if slots is None else slots).name
            user = state.register.add_user(
                username,
                at=state.now,
                profile=named,
                status=status,
                working=working,
                first_name=first_name,
                last_name=last_name,
            )
            self.routing.work(user)
            return user

    def add_profile(
        self, name: str, *, queues: Sequence[str], slots: Mapping[str, int], delay: timedelta = timedelta(0)
    ) -> Profile:
        with self.present() as state:
            return state.register.add_profile(
                name, at=state.now, queues=queues, slots=slots, delay_s=int(delay.total_seconds())
            )

    def set_status(self, username: str, status: str) -> User:
        """ "Available", "Offline", or any other: there, but taking nothing."""
        with self.present() as state:
            user = state.register.set_status(find(state.register.users, username), status, state.now)
            self.routing.work(user)
            return user

    # Contacts

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
                contact = self._follow(contact, target, at)
            contact = state.contacts.put(
                replace(contact, queue_id=target.id, enqueued_at=enqueued_at, queued=True, updated_at=enqueued_at),
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

    def accept(self, contact_id: str, agent: str) -> Contact:
        """The agent is connected to a contact that waits, in whatever queue; ``ValueError`` where it does not wait."""
        with self.present() as state:
            return self.routing.accept(state.contact(contact_id), find(state.register.users, agent))

    def finish(self, contact_id: str, *, reason: str = "AGENT_COMPLETED") -> Contact:
        """Ends the contact, whoever has it."""
        with self.present() as state:
            return self.routing.finish(state.contact(contact_id), reason)

    def put_back(self, contact_id: str, *, queue: str | None = None) -> str:
        """The agent gives the contact back, to the queue it came from or another; the id of what waits now."""
        with self.present() as state:
            target = find(state.register.queues, queue) if queue is not None else None
            return self.routing.put_back(state.contact(contact_id), target).id

    def pause(self, contact_id: str) -> Contact:
        with self.present() as state:
            return self.lifecycle.pause(state.contact(contact_id))

    def resume(self, contact_id: str) -> Contact:
        with self.present() as state:
            return self.lifecycle.resume(state.contact(contact_id))

    def change(self, contact_id: str, **changes: Any) -> Contact:
        """Other attributes, tags, name or priority for a contact; whatever ``Contact`` has."""
        with self.present() as state:
            return state.change(state.contact(contact_id), **changes)

    def transfer(self, contact_id: str, *, flow: str, queue: str | None = None, agent: str | None = None) -> str:
        """What somebody else's TransferContact would do; the id of what waits now. Raises ``Refusal``."""
        with self.present() as state:
            register = state.register
            self._transfers.perform(
                Request(
                    contact_id=contact_id,
                    flow_id=find(register.flows, flow).id,
                    queue_id=find(register.queues, queue).id if queue else None,
                    user_id=find(register.users, agent).id if agent else None,
                )
            )
            return self._transfers.done[-1].new_contact_id

    # What there is to see

    def contact(self, contact_id: str) -> Contact:
        with self.present() as state:
            return state.contact(contact_id)

    def chain(self, contact_id: str) -> tuple[Contact, ...]:
        """All contacts of its chain, first to last."""
        with self.present() as state:
            return tuple(state.contacts.chain(state.contact(contact_id).root))

    def latest(self, contact_id: str) -> Contact:
        """The last contact of its chain."""
        return self.chain(contact_id)[-1]

    def waiting(self, queue: str) -> tuple[Contact, ...]:
        """In the order in which agents would take them."""
        with self.present() as state:
            return tuple(self.routing.in_order(find(state.register.queues, queue).id))

    def open(self) -> tuple[Contact, ...]:
        """Every contact that has not ended."""
        with self.present() as state:
            return tuple(state.contacts.open())

    def queue_of(self, contact_id: str) -> str | None:
        """The name of the queue in which the contact truly waits (an agent's own: the username); ``None``: in none."""
        with self.present() as state:
            contact = state.contact(contact_id)
            return state.register.queues[contact.queue_id].name if contact.queued and contact.queue_id else None

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """Every transfer that took effect, whoever asked for it, oldest first."""
        with self.lock:
            return tuple(self._transfers.done)

    @property
    def taken_from_agents(self) -> tuple[Transfer, ...]:
        """The transfers that took a contact from an agent who was connected to it: Connect does not prevent it."""
        with self.lock:
            return tuple(self._transfers.taken_from_agents)

    def perform_transfer(self, request: Request) -> str:
        """TransferContact itself."""
        return self._transfers.perform(request)

    def run_when_scheduled(self, contact: Contact, flow: Flow) -> None:
        """Gives a scheduled contact to its flow when its time comes."""
        assert contact.scheduled_at is not None
        self.state.agenda.at(contact.scheduled_at, lambda: self._run(contact.id, flow))

    # Inside

    def _run(self, contact_id: str, flow: Flow) -> None:
        contact = self.state.contact(contact_id)
        if not contact.ended:
            self.lifecycle.run(self.state.change(contact, started=True), flow, None)

    def _profile_for(self, queues: Sequence[str], slots: Mapping[str, int]) -> Profile:
        name = f"{', '.join(queues) or 'No queue'} ({', '.join(f'{n} {channel}' for channel, n in slots.items())})"
        existing = [each for each in self.state.register.profiles.values() if each.name == name[:127]]
        return existing[0] if existing else self.add_profile(name[:127], queues=queues, slots=slots)

    def _follow(self, contact: Contact, queue: Queue, at: datetime) -> Contact:
        """A contact of the past, transferred at that time."""
        register = self.state.contacts
        register.put(
            replace(
                contact,
                queue_id=queue.id,
                enqueued_at=contact.initiated_at,
                disconnected_at=at,
                disconnect_reason="TRANSFERRED" if contact.channel == "EMAIL" else "OTHER",
                updated_at=at,
            ),
            at,
        )
        return register.put(
            replace(
                contact,
                id=self.state.new_id(),
                position=contact.position + 1,
                initial_id=contact.root if self.behaviours.new_segment_initial_id == "kept" else None,
                previous_id=contact.id if self.behaviours.new_segment_previous_id == "kept" else None,
                initiated_at=at,
                connected_to_system_at=at,
                initiation_method=self.behaviours.transfer_initiation_method,
                updated_at=at,
            ),
            at,
        )

    def _start(self, contact_id: str, queue: Queue) -> None:
        contact = self.state.contact(contact_id)
        if not contact.ended:
            self.routing.enqueue(self.state.change(contact, started=True), queue)


def _name(thing: Queue | Flow | User) -> str:
    return thing.username if isinstance(thing, User) else thing.name


def _outcome(outcome: Outcome | OutcomeWord, elsewhere: str | None) -> Outcome:
    if isinstance(outcome, Outcome):
        return outcome
    if (outcome == "elsewhere") != (elsewhere is not None):
        raise ValueError("the outcome 'elsewhere' and the name of that queue go together")
    return Outcome(queue=elsewhere) if outcome == "elsewhere" else Outcome(then=outcome)
