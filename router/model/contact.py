"""A contact as it was last seen: one segment of the life of a task or an e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from router.model.action import RoutingData
from router.model.ids import AgentId, ContactId, QueueId


class Channel(StrEnum):
    """The channels of Connect; only tasks and e-mails can be transferred through the API (API_TransferContact)."""

    TASK = "TASK"
    EMAIL = "EMAIL"
    VOICE = "VOICE"
    CHAT = "CHAT"
    OTHER = "OTHER"

    @property
    def movable(self) -> bool:
        return self in (Channel.TASK, Channel.EMAIL)

    @property
    def pausable(self) -> bool:
        """PauseContact pauses "an ongoing task contact", and nothing else (API_PauseContact)."""
        return self is Channel.TASK


class Standing(StrEnum):
    """Where a contact stands; only ``WAITING`` may be moved."""

    WAITING = "waiting"
    NOT_MOVABLE = "not_movable"
    DISCONNECTED = "disconnected"
    WITH_AGENT = "with_agent"
    PAUSED = "paused"
    SCHEDULED = "scheduled"
    NOT_QUEUED = "not_queued"


DEFAULT_PRIORITY = 5
"""Of a contact for which nobody set one (Amazon Connect administrator guide, "Set routing priority and age")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What DescribeContact tells and SearchContacts does not (botocore service model).

    ``priority`` is 1 (highest) to 10, ``queue_time_adjustment`` what was added to the routing age; ``None`` where the
    answer did not say.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    queue_time_adjustment: timedelta | None = None
    task_template: str | None = None
    task_template_id: str | None = None
    to_address: str | None = None
    from_address: str | None = None
    paused_at: datetime | None = None
    resumed_at: datetime | None = None
    paused_for: timedelta | None = None
    pauses: int | None = None
    accepted_at: datetime | None = None

    @property
    def routing(self) -> RoutingData:
        return RoutingData(priority=self.priority, age=self.queue_time_adjustment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One segment. ``details`` is ``None`` where the contact comes from a search, whose rows are candidates only."""

    id: ContactId
    channel: Channel
    initial_id: ContactId | None = None
    previous_id: ContactId | None = None
    related_id: ContactId | None = None
    initiation_method: str | None = None
    queue_id: QueueId | None = None
    enqueued_at: datetime | None = None
    initiated_at: datetime | None = None
    scheduled_at: datetime | None = None
    agent_id: AgentId | None = None
    connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    name: str | None = None
    segment_attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    details: Details | None = None

    @property
    def chain_id(self) -> ContactId:
        return self.initial_id or self.id

    @property
    def began_at(self) -> datetime | None:
        """When it was initiated, or was scheduled for, if later; ``None`` where it was not told."""
        known = [at for at in (self.initiated_at, self.scheduled_at) if at is not None]
        return max(known, default=None)

    @property
    def paused(self) -> bool:
        """Paused now; never true of a search's row, which does not tell."""
        if self.details is None or self.details.paused_at is None:
            return False
        resumed_at = self.details.resumed_at
        return resumed_at is None or self.details.paused_at > resumed_at

    @property
    def with_agent(self) -> bool:
        """Accepted by or connected to an agent, as far as this sight of it tells."""
        accepted = self.details is not None and self.details.accepted_at is not None
        return accepted or self.connected_at is not None or self.agent_id is not None

    def standing(self, now: datetime) -> Standing:
        """Where the contact stands; the first that holds, from what rules a move out for good to what may pass."""
        if not self.channel.movable:
            return Standing.NOT_MOVABLE
        if self.disconnected_at is not None:
            return Standing.DISCONNECTED
        if self.with_agent:
            return Standing.WITH_AGENT
        if self.paused:
            return Standing.PAUSED
        if self.scheduled_at is not None and self.scheduled_at > now:
            return Standing.SCHEDULED
        if self.queue_id is None or self.enqueued_at is None:
            return Standing.NOT_QUEUED
        return Standing.WAITING

    def waited(self, now: datetime) -> timedelta:
        """Time in the queue it is in now; zero where it is in none, never negative (clocks of two machines differ)."""
        return max(now - self.enqueued_at, timedelta()) if self.enqueued_at else timedelta()
