"""Holds the instance's directory: everything that has a name, found by name, id or ARN.

Ids and ARNs are derived from names. They are stable; therefore configuration files can quote them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from router.sandbox.instance import Profile, Resource, SandboxFlow, SandboxHours, SandboxQueue, User

DEFAULT_INSTANCE = "11111111-2222-3333-4444-555555555555"
DEFAULT_ACCOUNT = "111122223333"
DEFAULT_REGION = "us-east-1"

QUEUE = "queue"
AGENT_QUEUE = "queue/agent"
FLOW = "contact-flow"
CONTACT = "contact"
USER = "agent"
PROFILE = "routing-profile"
HOURS = "operating-hours"
STATUS = "agent-state"
TASK_TEMPLATE = "task-template"
EMAIL_ADDRESS = "email-address"

CHANNELS = ("VOICE", "CHAT", "TASK", "EMAIL")
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

Thing = TypeVar("Thing", bound=Resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Names the instance, and gives everything in it an id and an ARN."""

    instance_id: str = DEFAULT_INSTANCE
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    alias: str = "sandbox"
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    email_addresses: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        return f"arn:aws:connect:{self.region}:{self.account}:instance/{self.instance_id}"

    def arn_of(self, kind: str, resource_id: str) -> str:
        return f"{self.arn}/{kind}/{resource_id}"

    def id_of(self, kind: str, name: str) -> str:
        """Returns the id of a name, the same in every run."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.instance_id}/{kind}/{name}"))

    def is_this(self, reference: str) -> bool:
        return reference in (self.instance_id, self.arn)


@dataclass(frozen=True, slots=True)
class Register:
    """Holds a dictionary by id for each kind of thing."""

    queues: dict[str, SandboxQueue] = field(default_factory=dict)
    flows: dict[str, SandboxFlow] = field(default_factory=dict)
    hours: dict[str, SandboxHours] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def profile_of(self, user: User) -> Profile:
        return self.profiles[user.profile_id]


def bare(reference: str) -> str:
    """Returns the id, given an id or an ARN."""
    return reference.rsplit("/", 1)[-1]


def find(things: Mapping[str, Thing], reference: str) -> Thing:
    """Finds a thing by id, ARN or name. Raises ``KeyError`` if there is none."""
    by_id = things.get(reference) or things.get(bare(reference))
    if by_id is not None:
        return by_id
    for thing in things.values():
        if thing.name == reference:
            return thing
    raise KeyError(reference)


def look_up(things: Mapping[str, Thing], reference: str) -> Thing:
    """Finds a thing by id or ARN, as the API does. Raises ``KeyError`` if this instance has none."""
    thing = things[bare(reference)]
    if reference not in (thing.id, thing.arn):
        raise KeyError(reference)
    return thing


def add(things: dict[str, Thing], thing: Thing, kind: str) -> Thing:
    """Adds a thing. Raises ``ValueError`` if there is one of the name."""
    if thing.id in things:
        raise ValueError(f"the {kind} {thing.name!r} exists already")
    things[thing.id] = thing
    return thing


def change(things: dict[str, Thing], reference: str, **changes: Any) -> Thing:
    """Replaces fields of a thing, whose id stays the same. Raises ``KeyError`` if there is none."""
    changed = replace(find(things, reference), **changes)
    things[changed.id] = changed
    return changed
