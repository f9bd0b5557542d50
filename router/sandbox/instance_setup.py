"""Brings the simulated instance to the present, and changes its parts: queues, flows, hours, users, profiles."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

from router.sandbox.behaviours import Behaviours
from router.sandbox.contact_log import ContactLog
from router.sandbox.directory import (
    AGENT_QUEUE,
    DAYS,
    FLOW,
    HOURS,
    PROFILE,
    QUEUE,
    USER,
    Identity,
    Register,
    add,
    change,
    find,
)
from router.sandbox.distribution import Distribution
from router.sandbox.faults import Faults
from router.sandbox.flow_blocks import FlowBlocks
from router.sandbox.flow_outcome import FlowOutcome, OutcomeWord, outcome_of
from router.sandbox.instance import (
    AGENT_QUEUE_CAPACITY,
    AVAILABLE,
    FlowState,
    FlowStatus,
    FlowType,
    Override,
    Profile,
    ProfileQueue,
    SandboxFlow,
    SandboxHours,
    SandboxQueue,
    User,
    Window,
    Working,
)
from router.sandbox.lifecycle import Lifecycle
from router.sandbox.state import Agenda, State
from router.sandbox.transfer import Transfers

ALWAYS_OPEN = "Always open"
MIDNIGHT = time(0, 0)


class Centre:
    """Holds the state of the instance, and changes it. Every access first lets everything happen that is due.

    A name, an id or an ARN names each part; an unknown one raises ``KeyError``. Adding a name a second time raises
    ``ValueError``, except that a flow is replaced. It is safe to use from several threads."""

    def __init__(
        self, identity: Identity, *, clock: Callable[[], datetime], behaviours: Behaviours, seed: int = 1
    ) -> None:
        self.identity = identity
        self.behaviours = behaviours
        self.lock = threading.RLock()
        self._clock = clock
        self.state = State(
            identity=identity,
            behaviours=behaviours,
            random=random.Random(seed),
            agenda=Agenda(clock().astimezone(UTC)),
            contacts=ContactLog(lag=max(behaviours.index_lag + behaviours.old_segment_lag, behaviours.metrics_lag)),
            register=Register(),
        )
        self.started_at = self.state.now
        self.routing = Distribution(self.state)
        self.lifecycle = Lifecycle(self.state, self.routing)
        self._transfers = Transfers(self.state, self.routing, self.lifecycle)
        self.started_tasks: dict[str, str] = {}
        self.faults = Faults(random.Random(seed + 1))
        self.add_hours(ALWAYS_OPEN, description="Around the clock")

    @property
    def now(self) -> datetime:
        """Returns the instant up to which everything has happened."""
        with self.present() as state:
            return state.now

    @contextmanager
    def present(self) -> Iterator[State]:
        """Locks the state as of now until the block ends."""
        with self.lock:
            self.state.agenda.advance(self._clock().astimezone(UTC))
            yield self.state

    def advance(self) -> None:
        """Lets everything happen that is due. Every other method does this too."""
        with self.present():
            return

    def at(self, instant: datetime, act: Callable[[], object]) -> None:
        """Runs ``act`` at that instant, in order with everything else."""
        with self.present() as state:
            state.agenda.at(instant, act)

    def add_hours(
        self,
        name: str,
        *,
        zone: str = "UTC",
        week: Mapping[str, Sequence[Window]] | None = None,
        overrides: Sequence[Override] = (),
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> SandboxHours:
        """Adds hours of operation. ``week`` has the windows of each day ("MONDAY", …); ``None``: always open."""
        days = week if week is not None else dict.fromkeys(DAYS, ((MIDNIGHT, MIDNIGHT),))
        with self.present() as state:
            hours = SandboxHours(
                **self._identified(HOURS, name),
                name=name,
                zone=zone,
                week={day: tuple(windows) for day, windows in days.items()},
                overrides=tuple(overrides),
                description=description,
                tags=dict(tags or {}),
            )
            return add(state.register.hours, hours, "hours of operation")

    def set_hours(self, name: str, /, **changes: Any) -> SandboxHours:
        """Changes ``zone``, ``week`` or ``overrides`` of existing hours. Their id stays the same."""
        with self.present() as state:
            return change(state.register.hours, name, modified_at=state.now, **changes)

    def add_queue(
        self,
        name: str,
        *,
        hours: str = ALWAYS_OPEN,
        enabled: bool = True,
        capacity: int | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> SandboxQueue:
        with self.present() as state:
            queue = SandboxQueue(
                **self._identified(QUEUE, name),
                name=name,
                hours_id=find(state.register.hours, hours).id,
                enabled=enabled,
                capacity=capacity,
                description=description,
                tags=dict(tags or {}),
            )
            return add(state.register.queues, queue, "queue")

    def set_queue(self, name: str, /, **changes: Any) -> SandboxQueue:
        """Changes ``name``, ``enabled`` or ``capacity`` of an existing queue. Its id stays the same."""
        with self.present() as state:
            return change(state.register.queues, name, modified_at=state.now, **changes)

    def add_flow(
        self,
        name: str,
        *,
        type: FlowType = "QUEUE_TRANSFER",
        state: FlowState = "ACTIVE",
        status: FlowStatus = "PUBLISHED",
        outcome: FlowOutcome | OutcomeWord = "queue",
        elsewhere: str | None = None,
        content: FlowBlocks | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> SandboxFlow:
        """Adds a flow, or replaces the flow of that name, whose id stays the same.

        ``content`` replaces the outcome. ``elsewhere`` names the queue of the outcome "elsewhere"."""
        with self.present() as present:
            flow = SandboxFlow(
                **self._identified(FLOW, name),
                name=name,
                type=type,
                state=state,
                status=status,
                outcome=outcome_of(outcome, elsewhere),
                content=content,
                description=description,
                tags=dict(tags or {}),
            )
            present.register.flows[flow.id] = flow
            return flow

    def set_flow(
        self,
        name: str,
        *,
        outcome: FlowOutcome | OutcomeWord | None = None,
        elsewhere: str | None = None,
        **changes: Any,
    ) -> SandboxFlow:
        """Changes the outcome, the ``content``, ``state`` or ``status`` of an existing flow."""
        if outcome is not None:
            changes["outcome"] = outcome_of(outcome, elsewhere)
        with self.present() as present:
            return change(present.register.flows, name, modified_at=present.now, **changes)

    def remove(self, name: str) -> None:
        """Removes a queue, a flow, hours of operation, or a user with the own queue, from the directory, as
        the console does.

        Raises ``ValueError`` for a queue or a user that still has contacts."""
        with self.present() as state:
            register = state.register
            for things in (register.users, register.queues, register.flows, register.hours):
                found = [each.id for each in things.values() if name in (each.id, each.arn, each.name)]
                for thing_id in found:
                    if state.contacts.waiting(thing_id) or state.contacts.held(thing_id):
                        raise ValueError(f"{name!r} still has contacts")
                    own = getattr(things.pop(thing_id), "queue_id", None)
                    register.queues.pop(own or "", None)
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
        """Adds a user with an own queue.

        ``slots``: contacts at once, by channel (default: one task, one e-mail). ``profile`` names a shared routing
        profile; by default all users with the same queues and slots share one."""
        with self.present() as state:
            named = profile or self._profile_for(queues, {"TASK": 1, "EMAIL": 1} if slots is None else slots).name
            queue = self._agent_queue(username)
            user = User(
                **self._identified(USER, username),
                name=username,
                profile_id=find(state.register.profiles, named).id,
                queue_id=queue.id,
                status=status,
                status_since=state.now,
                working=working,
                first_name=first_name,
                last_name=last_name,
            )
            add(state.register.users, user, "user")
            state.register.queues[queue.id] = queue
            self.routing.work(user)
            return user

    def set_status(self, username: str, status: str) -> User:
        """Sets the agent's status. Any other than "Available" and "Offline" means present, but takes no contact."""
        with self.present() as state:
            user = change(state.register.users, username, status=status, status_since=state.now)
            self.routing.work(user)
            return user

    def add_profile(
        self, name: str, *, queues: Sequence[str], slots: Mapping[str, int], delay: timedelta = timedelta(0)
    ) -> Profile:
        with self.present() as state:
            queue_ids = [find(state.register.queues, queue).id for queue in queues]
            served = [
                ProfileQueue(queue_id=queue_id, channel=channel, delay_s=int(delay.total_seconds()))
                for queue_id in queue_ids
                for channel in slots
            ]
            profile = Profile(**self._identified(PROFILE, name), name=name, queues=tuple(served), slots=dict(slots))
            return add(state.register.profiles, profile, "routing profile")

    def _profile_for(self, queues: Sequence[str], slots: Mapping[str, int]) -> Profile:
        name = f"{', '.join(queues) or 'No queue'} ({', '.join(f'{n} {channel}' for channel, n in slots.items())})"
        existing = [each for each in self.state.register.profiles.values() if each.name == name[:127]]
        return existing[0] if existing else self.add_profile(name[:127], queues=queues, slots=slots)

    def _agent_queue(self, username: str) -> SandboxQueue:
        user_id = self.identity.id_of(USER, username)
        named = self._identified(AGENT_QUEUE, username)
        if self.behaviours.agent_queue_id != "own_id":
            named |= {"id": user_id, "arn": self.identity.arn_of(AGENT_QUEUE, user_id)}
        return SandboxQueue(**named, name=username, type="AGENT", user_id=user_id, capacity=AGENT_QUEUE_CAPACITY)

    def _identified(self, kind: str, name: str) -> dict[str, Any]:
        """Returns the fields that everything with a name has."""
        thing_id = self.identity.id_of(kind, name)
        return {"id": thing_id, "arn": self.identity.arn_of(kind, thing_id), "modified_at": self.state.now}
