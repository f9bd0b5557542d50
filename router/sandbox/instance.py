"""Defines the parts of an instance: queues, flows, hours of operation, routing profiles, users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

from router.sandbox.flow_blocks import FlowBlocks
from router.sandbox.flow_outcome import FlowOutcome, blocks_of

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
"""Start and end; the end is excluded. An end of 00:00 is midnight at the end of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Describes what each resource of the instance has. The name of a user is the username."""

    id: str
    arn: str
    name: str
    modified_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxQueue(Resource):
    type: QueueType = "STANDARD"
    user_id: str | None = None
    hours_id: str | None = None
    enabled: bool = True
    capacity: int | None = None
    """The most contacts that may wait; ``None``: no limit."""
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFlow(Resource):
    type: FlowType
    state: FlowState = "ACTIVE"
    status: FlowStatus = "PUBLISHED"
    outcome: FlowOutcome = field(default_factory=FlowOutcome)
    content: FlowBlocks | None = None
    """Replaces the outcome."""
    description: str | None = None

    @property
    def blocks(self) -> FlowBlocks:
        return self.content or blocks_of(self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Replaces the hours on the days from ``first`` to ``last``. Without windows these days are closed."""

    name: str
    first: date
    last: date
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxHours(Resource):
    zone: str = "UTC"
    week: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileQueue:
    queue_id: str
    channel: str
    priority: int = 1
    delay_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Resource):
    """Describes a routing profile: the queues its agents serve, and their slots by channel."""

    queues: tuple[ProfileQueue, ...]
    slots: Mapping[str, int]

    def serves(self, queue_id: str, channel: str) -> bool:
        return any(each.queue_id == queue_id and each.channel == channel for each in self.queues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """Describes an agent who takes contacts without a request.

    Each contact takes ``handling`` on average (an exponential distribution). The share ``put_back`` (0 to 1) of them
    returns to its queue instead of ending."""

    handling: timedelta
    put_back: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Resource):
    profile_id: str
    queue_id: str
    """The agent's own queue."""
    status: str = AVAILABLE
    status_since: datetime
    first_name: str = ""
    last_name: str = ""
    working: Working | None = None
    """``None``: takes contacts only on request."""

    @property
    def routable(self) -> bool:
        return self.status == AVAILABLE
