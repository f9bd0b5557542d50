"""Holds the instance's directory: everything that has a name, found by name, id or ARN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from router.sandbox.behaviours import Behaviours
from router.sandbox.identity import AGENT_QUEUE, FLOW, HOURS, PROFILE, QUEUE, USER, Identity, bare
from router.sandbox.instance import (
    AGENT_QUEUE_CAPACITY,
    FlowOutcome,
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

CHANNELS = ("VOICE", "CHAT", "TASK", "EMAIL")
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

_Thing = TypeVar("_Thing", SandboxQueue, SandboxFlow, SandboxHours, Profile, User)


class Register:
    """Holds a dictionary by id for each kind of thing.

    Adding a name a second time raises ``ValueError``, except that a flow is replaced. Looking up an unknown name raises
    ``KeyError``."""

    def __init__(self, identity: Identity, behaviours: Behaviours) -> None:
        self.identity = identity
        self._behaviours = behaviours
        self.queues: dict[str, SandboxQueue] = {}
        self.flows: dict[str, SandboxFlow] = {}
        self.hours: dict[str, SandboxHours] = {}
        self.profiles: dict[str, Profile] = {}
        self.users: dict[str, User] = {}

    def add_hours(
        self,
        name: str,
        *,
        at: datetime,
        zone: str,
        week: Mapping[str, Sequence[Window]],
        overrides: Sequence[Override] = (),
        description: str | None = None,
    ) -> SandboxHours:
        hours_id = self.identity.id_of(HOURS, name)
        hours = SandboxHours(
            id=hours_id,
            arn=self.identity.arn_of(HOURS, hours_id),
            name=name,
            zone=zone,
            week={day: tuple(windows) for day, windows in week.items()},
            overrides=tuple(overrides),
            description=description,
            modified_at=at,
        )
        return _add(self.hours, hours, "hours of operation", name)

    def add_queue(
        self,
        name: str,
        *,
        at: datetime,
        hours: str,
        enabled: bool = True,
        capacity: int | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> SandboxQueue:
        queue_id = self.identity.id_of(QUEUE, name)
        queue = SandboxQueue(
            id=queue_id,
            arn=self.identity.arn_of(QUEUE, queue_id),
            name=name,
            hours_id=find(self.hours, hours).id,
            enabled=enabled,
            capacity=capacity,
            description=description,
            tags=dict(tags or {}),
            modified_at=at,
        )
        return _add(self.queues, queue, "queue", name)

    def add_flow(
        self,
        name: str,
        *,
        at: datetime,
        type: FlowType,
        state: FlowState,
        status: FlowStatus,
        outcome: FlowOutcome,
        description: str | None = None,
    ) -> SandboxFlow:
        flow_id = self.identity.id_of(FLOW, name)
        flow = SandboxFlow(
            id=flow_id,
            arn=self.identity.arn_of(FLOW, flow_id),
            name=name,
            type=type,
            state=state,
            status=status,
            outcome=outcome,
            description=description,
            modified_at=at,
        )
        self.flows[flow_id] = flow
        return flow

    def add_profile(
        self, name: str, *, at: datetime, queues: Sequence[str], slots: Mapping[str, int], delay_s: int = 0
    ) -> Profile:
        profile_id = self.identity.id_of(PROFILE, name)
        served = [
            ProfileQueue(queue_id=find(self.queues, queue).id, channel=channel, delay_s=delay_s)
            for queue in queues
            for channel in slots
        ]
        profile = Profile(
            id=profile_id,
            arn=self.identity.arn_of(PROFILE, profile_id),
            name=name,
            queues=tuple(served),
            slots=dict(slots),
            modified_at=at,
        )
        return _add(self.profiles, profile, "routing profile", name)

    def add_user(
        self,
        username: str,
        *,
        at: datetime,
        profile: str,
        status: str,
        working: Working | None = None,
        first_name: str = "",
        last_name: str = "",
    ) -> User:
        user_id = self.identity.id_of(USER, username)
        queue = self._agent_queue(user_id, username, at)
        user = User(
            id=user_id,
            arn=self.identity.arn_of(USER, user_id),
            username=username,
            profile_id=find(self.profiles, profile).id,
            queue_id=queue.id,
            status=status,
            status_since=at,
            working=working,
            first_name=first_name,
            last_name=last_name,
            modified_at=at,
        )
        _add(self.users, user, "user", username)
        self.queues[queue.id] = queue
        return user

    def set_status(self, user: User, status: str, at: datetime) -> User:
        self.users[user.id] = replace(user, status=status, status_since=at)
        return self.users[user.id]

    def profile_of(self, user: User) -> Profile:
        return self.profiles[user.profile_id]

    def _agent_queue(self, user_id: str, username: str, at: datetime) -> SandboxQueue:
        own = self._behaviours.agent_queue_id == "own_id"
        queue_id = self.identity.id_of(AGENT_QUEUE, username) if own else user_id
        return SandboxQueue(
            id=queue_id,
            arn=self.identity.arn_of(AGENT_QUEUE, queue_id),
            name=username,
            type="AGENT",
            user_id=user_id,
            capacity=AGENT_QUEUE_CAPACITY,
            modified_at=at,
        )


def find(things: Mapping[str, _Thing], reference: str) -> _Thing:
    """Finds a thing by id, ARN or name. Raises ``KeyError`` if there is none."""
    by_id = things.get(reference) or things.get(bare(reference))
    if by_id is not None:
        return by_id
    for thing in things.values():
        if name_of(thing) == reference:
            return thing
    raise KeyError(reference)


def look_up(things: Mapping[str, _Thing], reference: str) -> _Thing:
    """Finds a thing by id or ARN, as the API does. Raises ``KeyError`` if this instance has none."""
    thing = things[bare(reference)]
    if reference not in (thing.id, thing.arn):
        raise KeyError(reference)
    return thing


def name_of(thing: SandboxQueue | SandboxFlow | SandboxHours | Profile | User) -> str:
    return thing.username if isinstance(thing, User) else thing.name


def _add(things: dict[str, _Thing], thing: _Thing, kind: str, name: str) -> _Thing:
    if thing.id in things:
        raise ValueError(f"the {kind} {name!r} exists already")
    things[thing.id] = thing
    return thing
