"""Names what a decision lacks: one value for each kind of reading that ``router.lookup`` can make."""

from __future__ import annotations

from dataclasses import dataclass

from router.model import (
    AgentId,
    ContactId,
    HoursId,
    ProfileId,
    QueueId,
)


@dataclass(frozen=True, slots=True)
class NeedTransfers:
    """How many transfers the chain has behind this contact."""

    contact_id: ContactId

@dataclass(frozen=True, slots=True)
class NeedDetails:
    """What only DescribeContact tells of a contact."""

    contact_id: ContactId

@dataclass(frozen=True, slots=True)
class NeedMetrics:
    queue_id: QueueId

@dataclass(frozen=True, slots=True)
class NeedAgent:
    agent_id: AgentId

@dataclass(frozen=True, slots=True)
class NeedProfile:
    """Which queues a routing profile serves."""

    profile_id: ProfileId

@dataclass(frozen=True, slots=True)
class NeedHours:
    """When hours of operation are open."""

    hours_id: HoursId

@dataclass(frozen=True, slots=True)
class NeedOrigin:
    """When the chain of a contact began; ``first_id`` is its first contact, as far as the ids tell."""

    contact_id: ContactId
    first_id: ContactId

@dataclass(frozen=True, slots=True)
class NeedPauses:
    """When a task was paused. As long as nobody asks for its other details too, an older reading will do: right before
    it acts the service sees whether there was a pause since."""

    contact_id: ContactId

@dataclass(frozen=True, slots=True)
class NeedPast:
    """The contacts that a contact came from."""

    contact_id: ContactId

Need = (
    NeedTransfers
    | NeedDetails
    | NeedOrigin
    | NeedPauses
    | NeedPast
    | NeedMetrics
    | NeedAgent
    | NeedProfile
    | NeedHours
)
