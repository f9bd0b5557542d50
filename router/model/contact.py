"""Defines the contact as it was last seen: one segment of the life of a task or an e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from router.model.ids import AgentId, ContactId, QueueId
from router.model.wait_key import same_instant


class Channel(StrEnum):
    """Names the channels of Connect; the API can transfer tasks and e-mails only (API_TransferContact)."""

    TASK = "TASK"
    EMAIL = "EMAIL"
    VOICE = "VOICE"
    CHAT = "CHAT"
    OTHER = "OTHER"

    @property
    def movable(self) -> bool:
        return self in (Channel.TASK, Channel.EMAIL)


class Standing(StrEnum):
    """Names what state a contact is in; only ``WAITING`` may be moved."""

    WAITING = "waiting"
    NOT_MOVABLE = "not_movable"
    DISCONNECTED = "disconnected"
    WITH_AGENT = "with_agent"
    PAUSED = "paused"
    SCHEDULED = "scheduled"
    NOT_QUEUED = "not_queued"


DEFAULT_PRIORITY = 5
"""The priority of a contact for which nobody set one (Amazon Connect administrator guide, "Set routing priority
and age")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingData:
    """Holds a contact's place among those that wait.

    ``priority`` is 1 (highest) to 10, ``age`` the time that is added to its waiting. ``None``: not known, or not
    requested.
    """

    priority: int | None = None
    age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Holds the values that DescribeContact returns and SearchContacts does not (botocore service model).

    ``priority`` is 1 (highest) to 10, ``queue_time_adjustment`` the time that was added to the routing age; ``None`` if
    the response had no value.
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
    def has_paused(self) -> bool:
        """Returns whether the contact is or was paused, as far as this response shows."""
        return bool(self.paused_at or self.paused_for or self.pauses)

    @property
    def routing(self) -> RoutingData:
        return RoutingData(priority=self.priority, age=self.queue_time_adjustment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Holds one segment; ``details`` is ``None`` in rows of a search, which are candidates only.

    ``partial``: only a contact event has shown it. Events have no name and no segment attributes, and may be wrong.
    """

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
    partial: bool = False

    @property
    def chain_id(self) -> ContactId:
        return self.initial_id or self.id

    @property
    def ids(self) -> tuple[ContactId, ...]:
        """Returns every id of the chain that it names: its own, the one it came from, the first."""
        return tuple(key for key in (self.id, self.previous_id, self.initial_id) if key is not None)

    @property
    def began_at(self) -> datetime | None:
        """Returns when it was initiated, or was scheduled for, if later; ``None`` if neither is known."""
        initiated, scheduled = self.initiated_at, self.scheduled_at
        return max(initiated, scheduled) if initiated and scheduled else initiated or scheduled

    @property
    def paused(self) -> bool:
        """Returns whether it is paused now; never true for a row of a search, which has no pauses."""
        if self.details is None or self.details.paused_at is None:
            return False
        resumed_at = self.details.resumed_at
        return resumed_at is None or self.details.paused_at > resumed_at

    @property
    def with_agent(self) -> bool:
        """Returns whether an agent has accepted it or is connected, as far as this response shows."""
        accepted = self.details is not None and self.details.accepted_at is not None
        return accepted or self.connected_at is not None or self.agent_id is not None

    def standing(self, now: datetime) -> Standing:
        """Returns the first state that holds, from those that end all moves to those that may pass."""
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

    def is_in_place(self, queue_id: QueueId | None, enqueued_at: datetime | None) -> bool:
        """Returns whether it shows this very wait in a queue: the same queue, since the same instant."""
        return self.queue_id == queue_id and same_instant(self.enqueued_at, enqueued_at)

    def waited(self, now: datetime) -> timedelta:
        """Returns the time in its queue; zero if it is in none, never negative, because the clocks of two
        machines differ."""
        return max(now - self.enqueued_at, timedelta()) if self.enqueued_at else timedelta()


def transfers_behind(contact_id: ContactId, chain: tuple[Contact, ...]) -> int:
    """Returns how many transfers a contact has behind it, counted along ``PreviousContactId`` in the contacts of its
    chain.

    A tree of linked tasks is wider than a chain, therefore this walk is the first choice. If it ends before the chain's
    first contact, every other contact initiated before counts, because too many is better than a twelfth transfer. That
    happens if a link is missing from the list, or if a contact names its first contact only; AWS does not document
    which ids a transfer passes on.
    """
    by_id = {contact.id: contact for contact in chain}
    contact = by_id.get(contact_id)
    if contact is None:
        return len(chain)
    seen, at = {contact_id}, contact
    while at.previous_id in by_id and at.previous_id not in seen:
        at = by_id[at.previous_id]
        seen.add(at.id)
    behind = len(seen) - 1
    is_first = at.previous_id is None and at.initial_id in (None, at.id)
    return behind if is_first else max(behind + 1, _initiated_before(contact, chain))


def _initiated_before(contact: Contact, chain: tuple[Contact, ...]) -> int:
    began = contact.initiated_at
    return sum(
        1
        for one in chain
        if one.id != contact.id and (began is None or one.initiated_at is None or one.initiated_at <= began)
    )
