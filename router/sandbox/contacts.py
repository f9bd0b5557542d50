"""A contact: one segment of the life of a task, an e-mail, a chat or a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

DEFAULT_PRIORITY = 5
"""UpdateContactRoutingData: "the default priority for new contacts is 5"; 1 is the highest."""

CHAIN_LIMIT = 12
"""Contacts in a chain (AWS admin guide, "transfer-to-queue"): 11 transfers."""

TRANSFERABLE = ("TASK", "EMAIL")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxContact:
    """As it is now, or was at one time: never changed, always replaced."""

    id: str
    channel: str
    root: str
    """The chain's first contact, whatever the ids that Connect shows say."""
    position: int = 1
    """In the chain, from 1; counts transfers where a transfer makes no new segment."""
    initiated_at: datetime
    updated_at: datetime
    initiation_method: str = "API"
    initial_id: str | None = None
    previous_id: str | None = None
    related_id: str | None = None
    name: str | None = None
    description: str | None = None
    queue_id: str | None = None
    enqueued_at: datetime | None = None
    queued: bool = False
    """Truly in the queue: agents may take it, and metrics count it. QueueInfo alone does not tell."""
    scheduled_at: datetime | None = None
    started: bool = True
    """``False`` for a scheduled contact until its time comes."""
    connected_to_system_at: datetime | None = None
    agent_id: str | None = None
    connected_at: datetime | None = None
    put_back_by: str | None = None
    disconnected_at: datetime | None = None
    disconnect_reason: str | None = None
    paused: bool = False
    paused_at: datetime | None = None
    resumed_at: datetime | None = None
    pauses: int = 0
    paused_for: timedelta = timedelta(0)
    dequeued_by_pause: bool = False
    priority: int = DEFAULT_PRIORITY
    adjustment: timedelta = timedelta(0)
    """What routing data adds to the time it has waited; position in the queue only."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    segment_attributes: Mapping[str, str | int] = field(default_factory=dict)
    from_address: str | None = None
    to_address: str | None = None
    task_template: str | None = None
    expires_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.disconnected_at is not None

    @property
    def with_agent(self) -> bool:
        return self.agent_id is not None and not self.ended

    def order(self) -> tuple[int, float, str]:
        """First come, first served, by priority: the smallest is next."""
        assert self.enqueued_at is not None
        return self.priority, (self.enqueued_at - self.adjustment).timestamp(), self.id
