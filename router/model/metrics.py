"""Defines the live metrics of a queue's channel, the state of an agent, and opening hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from router.model.contact import Channel
from router.model.ids import ProfileId, QueueId

TimeSlice = tuple[int, int]
"""Start and end in minutes after midnight, each 0 to 1439. An end that is not after the start is on the next day: from
0 to 0 is a whole day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """Holds hours of operation: a week in a time zone, and single dates with hours of their own.

    ``weekly`` is by weekday, Monday is 0; a missing day is closed. ``dated`` has the effective hours of single dates,
    with overrides and holidays applied; an empty tuple is a closed day. ``zone`` is an IANA name.
    """

    zone: str
    weekly: Mapping[int, tuple[TimeSlice, ...]]
    dated: Mapping[date, tuple[TimeSlice, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMetrics:
    """Holds the real-time metrics of one queue and channel; ``None`` if Connect gave no value, never a guessed zero.

    Names and meanings are GetCurrentMetricData's (botocore service model). Ages come from grouped responses, because
    only those are in seconds. ``METRICS`` has a row for each field.
    """

    slots_available: int | None = None
    agents_available: int | None = None
    agents_staffed: int | None = None
    agents_online: int | None = None
    contacts_in_queue: int | None = None
    oldest_contact_age: timedelta | None = None
    estimated_wait_time: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """Describes one field of ``QueueMetrics``.

    ``by_a_move`` is what one contact that was just sent to the queue adds to the figure; ``None`` if that cannot be
    known. ``by_any_channel``: so does a contact of another channel, because the agents are the same.
    """

    name: str
    is_time: bool = False
    by_a_move: int | None = None
    by_any_channel: bool = False

    @property
    def connect_name(self) -> str:
        """Returns the name in GetCurrentMetricData."""
        return self.name.upper()


METRICS = (
    Metric("slots_available", by_a_move=-1, by_any_channel=True),
    Metric("agents_available", by_a_move=-1, by_any_channel=True),
    Metric("agents_staffed"),
    Metric("agents_online"),
    Metric("contacts_in_queue", by_a_move=+1),
    Metric("oldest_contact_age", is_time=True),
    Metric("estimated_wait_time", is_time=True),
)
"""Every metric that rules can name. A new one needs a field and a row here, its type in ``destination_table.py``
and ``example_table.py`` of ``rules/file``, and a row in docs/rules.md."""

EMPTY_QUEUE = QueueMetrics(**{metric.name: timedelta() if metric.is_time else 0 for metric in METRICS})  # type: ignore[arg-type]
"""The metrics of a queue without contacts and agents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingProfile:
    """Holds the queues of a routing profile, and how its agents work the channels.

    ``alone`` has each channel that they work: whether an agent with a contact of it is offered contacts of this channel
    only (CrossChannelBehavior). ``None`` means that Connect does not return it, or returns it by workload type.
    """

    queue_ids: frozenset[QueueId]
    alone: Mapping[Channel, bool | None]

    def takes_slots(self, other: Channel, channel: Channel) -> bool | None:
        """Returns whether a contact of the ``other`` channel leaves its agent fewer slots for ``channel``."""
        return self.alone[other] if {other, channel} <= self.alone.keys() else False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """Holds the state of an agent from GetCurrentUserData.

    ``routable`` is a status in which Connect routes contacts to the agent. ``slots_available`` is by channel
    (``"TASK"`` → free slots). ``profile_id`` is the routing profile, ``None`` if it is not known.
    """

    routable: bool
    slots_available: dict[str, int]
    profile_id: ProfileId | None = None
