"""What an instance is made of: queues, flows, hours of operation, routing profiles, users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

QueueType = Literal["STANDARD", "AGENT"]
FlowType = Literal[
    "CONTACT_FLOW",
    "CUSTOMER_QUEUE",
    "CUSTOMER_HOLD",
    "CUSTOMER_WHISPER",
    "AGENT_HOLD",
    "AGENT_WHISPER",
    "OUTBOUND_WHISPER",
    "AGENT_TRANSFER",
    "QUEUE_TRANSFER",
    "CAMPAIGN",
]
FlowState = Literal["ACTIVE", "ARCHIVED"]
FlowStatus = Literal["PUBLISHED", "SAVED"]

TRANSFER_FLOWS: tuple[FlowType, ...] = ("CONTACT_FLOW", "QUEUE_TRANSFER", "AGENT_TRANSFER")
"""Inbound, transfer to queue, transfer to agent (API_TransferContact)."""

AGENT_QUEUE_CAPACITY = 10
"""AWS's quota "Maximum contacts in an agent queue per instance"."""

AVAILABLE = "Available"
OFFLINE = "Offline"

Window = tuple[time, time]
"""From, up to and not including; an end of 00:00 is midnight at the end of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxQueue:
    id: str
    arn: str
    name: str
    type: QueueType = "STANDARD"
    user_id: str | None = None
    hours_id: str | None = None
    enabled: bool = True
    capacity: int | None = None
    """The most contacts that may wait; ``None``: no limit."""
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowOutcome:
    """What a flow does with a contact that it is given.

    ``then``: puts it into the queue that the transfer names, never puts it into any, or disconnects it; ``after`` that
    long. ``queue`` names another queue than the one asked for; ``queue_from`` an attribute that holds the name of
    the queue. ``priority`` and ``age`` are what its "Change routing priority / age" block sets. ``full`` is the branch
    for a queue that is full or disabled, ``unstaffed`` the one for a queue that no agent serves now.
    """

    then: Literal["queue", "never", "disconnect"] = "queue"
    after: timedelta = timedelta(0)
    queue: str | None = None
    queue_from: str | None = None
    priority: int | None = None
    age: timedelta | None = None
    full: Literal["never", "disconnect"] = "never"
    unstaffed: Literal["queue", "never", "disconnect"] = "queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFlow:
    id: str
    arn: str
    name: str
    type: FlowType
    state: FlowState = "ACTIVE"
    status: FlowStatus = "PUBLISHED"
    outcome: FlowOutcome = field(default_factory=FlowOutcome)
    description: str | None = None
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Other hours on the days from ``first`` to ``last``; no windows: closed."""

    name: str
    first: date
    last: date
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxHours:
    id: str
    arn: str
    name: str
    zone: str = "UTC"
    week: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    description: str | None = None
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileQueue:
    queue_id: str
    channel: str
    priority: int = 1
    delay_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A routing profile: which queues its agents serve, and how many contacts of each channel at once."""

    id: str
    arn: str
    name: str
    queues: tuple[ProfileQueue, ...]
    slots: Mapping[str, int]
    modified_at: datetime

    def serves(self, queue_id: str, channel: str) -> bool:
        return any(each.queue_id == queue_id and each.channel == channel for each in self.queues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """How an agent who works by themselves works: each contact takes ``handling`` on average (an exponential
    distribution), and ``put_back`` of them (0 to 1) go back to their queue instead of ending."""

    handling: timedelta
    put_back: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    id: str
    arn: str
    username: str
    profile_id: str
    queue_id: str
    """Their own queue."""
    status: str = AVAILABLE
    status_since: datetime
    first_name: str = ""
    last_name: str = ""
    working: Working | None = None
    """``None``: takes contacts only when a test says so."""
    modified_at: datetime

    @property
    def routable(self) -> bool:
        return self.status == AVAILABLE
