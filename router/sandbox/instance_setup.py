"""Changes the parts of the simulated instance: queues, flows, hours, users, routing profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any, Literal

from router.sandbox.directory import DAYS, find, name_of
from router.sandbox.instance import (
    AVAILABLE,
    FlowOutcome,
    FlowState,
    FlowStatus,
    FlowType,
    Override,
    Profile,
    SandboxFlow,
    SandboxHours,
    SandboxQueue,
    User,
    Window,
    Working,
)
from router.sandbox.moment import Present

ALWAYS_OPEN = "Always open"
MIDNIGHT = time(0, 0)

OutcomeWord = Literal["queue", "never", "disconnect", "elsewhere"]


class Centre(Present):
    """Changes the instance. A name, an id or an ARN names each part; an unknown one raises ``KeyError``."""

    def add_hours(
        self,
        name: str,
        *,
        zone: str = "UTC",
        week: Mapping[str, Sequence[Window]] | None = None,
        overrides: Sequence[Override] = (),
        description: str | None = None,
    ) -> SandboxHours:
        """Adds hours of operation. ``week`` has the windows of each day ("MONDAY", …); ``None``: always open."""
        days = week if week is not None else dict.fromkeys(DAYS, ((MIDNIGHT, MIDNIGHT),))
        with self.present() as state:
            return state.register.add_hours(
                name, at=state.now, zone=zone, week=days, overrides=overrides, description=description
            )

    def set_hours(self, name: str, /, **changes: Any) -> SandboxHours:
        """Changes ``zone``, ``week`` or ``overrides`` of existing hours. Their id stays the same."""
        with self.present() as state:
            hours = find(state.register.hours, name)
            state.register.hours[hours.id] = replace(hours, modified_at=state.now, **changes)
            return state.register.hours[hours.id]

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
        outcome: FlowOutcome | OutcomeWord = "queue",
        elsewhere: str | None = None,
        description: str | None = None,
    ) -> SandboxFlow:
        """Adds a flow, or replaces the flow of that name, whose id stays the same.

        ``elsewhere`` names the queue of the outcome "elsewhere"."""
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
        outcome: FlowOutcome | OutcomeWord | None = None,
        elsewhere: str | None = None,
        state: FlowState | None = None,
        status: FlowStatus | None = None,
    ) -> SandboxFlow:
        """Changes the outcome, state or status of an existing flow."""
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

    def set_queue(self, name: str, /, **changes: Any) -> SandboxQueue:
        """Changes ``name``, ``enabled`` or ``capacity`` of an existing queue. Its id stays the same."""
        with self.present() as state:
            queue = find(state.register.queues, name)
            state.register.queues[queue.id] = replace(queue, modified_at=state.now, **changes)
            return state.register.queues[queue.id]

    def remove(self, name: str) -> None:
        """Removes a queue, a flow, or a user with the own queue, from the directory, as the console does.

        Raises ``ValueError`` for a queue or a user that still has contacts."""
        with self.present() as state:
            register = state.register
            for things in (register.users, register.queues, register.flows):
                found = [each.id for each in things.values() if name in (each.id, each.arn, name_of(each))]
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
        """Sets the agent's status. Any other than "Available" and "Offline" means present, but takes no contact."""
        with self.present() as state:
            user = state.register.set_status(find(state.register.users, username), status, state.now)
            self.routing.work(user)
            return user

    def _profile_for(self, queues: Sequence[str], slots: Mapping[str, int]) -> Profile:
        name = f"{', '.join(queues) or 'No queue'} ({', '.join(f'{n} {channel}' for channel, n in slots.items())})"
        existing = [each for each in self.state.register.profiles.values() if each.name == name[:127]]
        return existing[0] if existing else self.add_profile(name[:127], queues=queues, slots=slots)


def _outcome(outcome: FlowOutcome | OutcomeWord, elsewhere: str | None) -> FlowOutcome:
    if isinstance(outcome, FlowOutcome):
        return outcome
    if (outcome == "elsewhere") != (elsewhere is not None):
        raise ValueError("the outcome 'elsewhere' and the name of that queue go together")
    return FlowOutcome(queue=elsewhere) if outcome == "elsewhere" else FlowOutcome(then=outcome)
