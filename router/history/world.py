"""Defines the events of a recorded contact centre: what every source of history is read into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from router.decide.decision import KINDS, Hold, RoutingUpdate, RuleDecision, Transfer
from router.decide.snapshot import Snapshot
from router.model import (
    AgentId,
    Channel,
    Contact,
    ContactId,
    Directory,
    HoursId,
    OpeningHours,
    ProfileId,
    QueueId,
    QueueMetrics,
)
from router.rules.calendar import Calendar


class HistoryUnusable(Exception):
    """Reports why files are no history that can be read; its text is one line."""


class Fidelity(StrEnum):
    """Names how much a history knows."""

    JOURNAL = "journal"
    """Everything that the router decided from."""
    RECONSTRUCTED = "reconstructed"
    """When ended contacts waited where, and nothing of priorities, single pauses and free slots."""
    COARSE = "coarse"
    """The same, with instants or queues that many rows lack."""


class Leaving(StrEnum):
    """Names how a contact left its queue."""

    ANSWERED = "answered"
    MOVED = "moved"
    """By the router."""
    ENDED = "ended"
    """Before an agent had it."""
    UNKNOWN = "unknown"
    """It was no longer seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """Holds what distinguishes one decision from another: what it does, by which step.

    ``kind`` is ``transfer``, ``routing``, ``warn`` or ``hold``. ``to`` is the id of a queue or agent, or the place that
    a routing update gives. ``reason`` is the hold reason.
    """

    kind: str
    contact_id: ContactId
    rule: str | None
    step: int | None
    to: str | None = None
    reason: str | None = None

    @property
    def acts(self) -> bool:
        return self.kind != "hold"

    @classmethod
    def of(cls, decision: RuleDecision | Hold) -> DecisionRecord:
        if isinstance(decision, Hold):
            return cls(
                kind="hold",
                contact_id=decision.contact.id,
                rule=decision.rule,
                step=decision.step,
                reason=decision.reason.value,
            )
        return cls(
            kind=KINDS[type(decision)].value,
            contact_id=decision.contact.id,
            rule=decision.rule,
            step=decision.step,
            to=_place_of(decision),
        )


def _place_of(decision: RuleDecision) -> str | None:
    if isinstance(decision, Transfer):
        return decision.target.queue_id or f"agent {decision.target.agent_id}"
    if isinstance(decision, RoutingUpdate):
        routing = decision.routing
        return f"priority {routing.priority}" if routing.age is None else f"{routing.age.total_seconds():g} s of age"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Shows a contact that is new, or has changed."""

    at: datetime
    contact: Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Records that a contact no longer waits. ``handle_time`` includes the work after the contact; ``None`` if it is
    not known, as in the router's own journal."""

    at: datetime
    contact_id: ContactId
    how: Leaving
    agent_id: AgentId | None = None
    connected_at: datetime | None = None
    handle_time: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Holds the metrics of queues that have changed."""

    at: datetime
    rows: Mapping[tuple[QueueId, Channel], QueueMetrics]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffed:
    """Shows an agent's slots: ``slots`` is how many contacts of a channel at a time, ``free`` how many more now.

    ``queues`` are those of the routing profile, ``None`` if the source does not know them.
    """

    at: datetime
    agent_id: AgentId
    profile_id: ProfileId | None = None
    slots: Mapping[Channel, int] = field(default_factory=dict)
    free: Mapping[Channel, int] | None = None
    queues: frozenset[QueueId] | None = None
    routable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryListed:
    """Holds the names of the instance, at the begin and after each change."""

    at: datetime
    directory: Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesRead:
    """Holds the rule files in force, at the begin and after each reload.

    ``keys`` are the match keys whose values the history has; ``None``: all of them. ``hashed``: its contact ids are not
    those of Connect.
    """

    at: datetime
    revision: str
    files: tuple[tuple[str, bytes], ...]
    keys: frozenset[str] | None = None
    hashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Holds hours of operation as they were read."""

    at: datetime
    hours_id: HoursId
    hours: OpeningHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Holds all that the router decided from at one instant, and its decisions."""

    at: datetime
    snapshot: Snapshot
    decisions: tuple[DecisionRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """Records what came of a decision; ``outcome`` is the name of the result, ``reason`` a hold's."""

    at: datetime
    decision: DecisionRecord
    outcome: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Names a time of which the history knows nothing, or a place where a file could not be read."""

    at: datetime
    until: datetime
    why: str
    file: str = ""
    offset: int = 0

    def __str__(self) -> str:
        place = f"{self.file}, byte {self.offset}: " if self.file else ""
        return f"{place}{self.at:%Y-%m-%d %H:%M:%SZ} to {self.until:%Y-%m-%d %H:%M:%SZ}: {self.why}"


Event = Seen | Left | Measured | Staffed | DirectoryListed | RulesRead | Opened | Looked | Acted | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Holds one contact's time in one queue. ``left_at`` is ``None`` if it still waits when the history ends."""

    contact: Contact
    enqueued_at: datetime
    left_at: datetime | None = None
    how: Leaving | None = None
    agent_id: AgentId | None = None
    connected_at: datetime | None = None
    handle_time: timedelta | None = None

    @property
    def previous(self) -> ContactId | None:
        """Returns the contact that it came from by a transfer."""
        return self.contact.previous_id


def stays(events: Iterable[Event]) -> Iterator[Stay]:
    """Yields each stay when it ends, and at the end those that last."""
    waiting: dict[ContactId, Stay] = {}
    for event in events:
        if isinstance(event, Seen) and event.contact.enqueued_at is not None and event.contact.queue_id is not None:
            contact, known = event.contact, waiting.get(event.contact.id)
            if known is not None and known.contact.is_in_place(contact.queue_id, contact.enqueued_at):
                continue
            if known is not None:
                yield _ended(known, Left(at=event.at, contact_id=contact.id, how=Leaving.UNKNOWN))
            waiting[contact.id] = Stay(contact=contact, enqueued_at=event.contact.enqueued_at)
        elif isinstance(event, Left) and (known := waiting.pop(event.contact_id, None)) is not None:
            yield _ended(known, event)
    yield from waiting.values()


def _ended(stay: Stay, left: Left) -> Stay:
    return Stay(
        contact=stay.contact,
        enqueued_at=stay.enqueued_at,
        left_at=left.at,
        how=left.how,
        agent_id=left.agent_id,
        connected_at=left.connected_at,
        handle_time=left.handle_time,
    )


def hours_of(calendar: Calendar) -> OpeningHours:
    """Returns the hours of operation that a calendar was made of, without dates that are as their weekday."""
    return OpeningHours(
        zone=calendar.zone.key,
        weekly={day: tuple((one.start, one.end) for one in windows) for day, windows in calendar.weekly.items()},
        dated={
            day: tuple((one.start, one.end) for one in windows)
            for day, windows in calendar.overrides.items()
            if windows != calendar.weekly.get(day.weekday(), ())
        },
    )
