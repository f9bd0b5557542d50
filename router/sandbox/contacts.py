"""Holds a contact: one segment of the life of a task, an e-mail, a chat or a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

DEFAULT_PRIORITY = 5
"""UpdateContactRoutingData: "the default priority for new contacts is 5"; 1 is the highest."""

CHAIN_LIMIT = 12
"""The most contacts in a chain, after 11 transfers (AWS admin guide, "transfer-to-queue")."""

TRANSFERABLE = ("TASK", "EMAIL")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPosition:
    """Holds a contact's position in its chain, and the ids that link it to others."""

    root: str
    """The id of the chain's first contact. It is true even if the ids that Connect shows are not."""
    position: int = 1
    """Counts from 1. It also counts transfers that make no new segment."""
    initial_id: str | None = None
    previous_id: str | None = None
    related_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactContent:
    """Holds what people and flows wrote on the contact."""

    name: str | None = None
    description: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    segment_attributes: Mapping[str, str | int] = field(default_factory=dict)
    from_address: str | None = None
    to_address: str | None = None
    task_template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLife:
    """Holds the times from the contact's start to its end."""

    initiated_at: datetime
    initiation_method: str = "API"
    connected_to_system_at: datetime | None = None
    scheduled_at: datetime | None = None
    started: bool = True
    """``False`` for a scheduled contact until its time."""
    updated_at: datetime
    expires_at: datetime | None = None
    disconnected_at: datetime | None = None
    disconnect_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPause:
    """Holds whether the contact is paused, and how often and how long it was."""

    paused: bool = False
    paused_at: datetime | None = None
    resumed_at: datetime | None = None
    pauses: int = 0
    paused_for: timedelta = timedelta(0)
    dequeued_by_pause: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxContact:
    """A contact as it is now, or was at one time. It is never changed, always replaced."""

    id: str
    channel: str
    chain: ChainPosition
    content: ContactContent
    life: ContactLife
    pause: ContactPause = field(default_factory=ContactPause)
    queue_id: str | None = None
    enqueued_at: datetime | None = None
    queued: bool = False
    """Whether agents may take it and metrics count it. QueueInfo alone does not show this."""
    priority: int = DEFAULT_PRIORITY
    adjustment: timedelta = timedelta(0)
    """The time that routing data adds to its wait. It changes only the position in the queue."""
    agent_id: str | None = None
    connected_at: datetime | None = None
    put_back_by: str | None = None

    @property
    def ended(self) -> bool:
        return self.life.disconnected_at is not None

    @property
    def with_agent(self) -> bool:
        return self.agent_id is not None and not self.ended

    def order(self) -> tuple[int, float, str]:
        """Returns the sort key of the queue: by priority, then first come, first served. The smallest is next."""
        assert self.enqueued_at is not None
        return self.priority, (self.enqueued_at - self.adjustment).timestamp(), self.id

    def changed(self, **changes: Any) -> SandboxContact:
        """Returns the contact with other values. A value is named by its field alone, without its group."""
        groups: dict[str, dict[str, Any]] = defaultdict(dict)
        for name, value in changes.items():
            groups[_GROUPS.get(name, "")][name] = value
        own = groups.pop("", {})
        return replace(self, **own, **{group: replace(getattr(self, group), **new) for group, new in groups.items()})


_GROUPS: Mapping[str, str] = {
    each.name: group
    for group, kind in (
        ("chain", ChainPosition),
        ("content", ContactContent),
        ("life", ContactLife),
        ("pause", ContactPause),
    )
    for each in fields(kind)
}
