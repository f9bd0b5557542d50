"""What the live metrics told of a queue's channel and of an agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from router.model.ids import ProfileId

# Hours of operation as Connect tells them: a week in a time zone, and dates of which it told the hours one by one.

TimeSlice = tuple[int, int]
"""Start and end in minutes after midnight, each 0 to 1439. An end that is not after the start is on the next day: from
0 to 0 is a whole day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """``weekly`` is by weekday, Monday is 0, and a day that is missing is closed. ``dated`` has the effective hours of
    single dates, overrides and holidays applied; an empty tuple is a day that stays closed. ``zone`` is an IANA name.
    """

    zone: str
    weekly: Mapping[int, tuple[TimeSlice, ...]]
    dated: Mapping[date, tuple[TimeSlice, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMetrics:
    """Real-time metrics of one queue and channel; ``None`` where the answer had no value (never zero by guess).

    Names and meanings are GetCurrentMetricData's (botocore service model); ages are read from grouped answers, the
    only ones that are in seconds.
    """

    slots_available: int | None = None
    agents_available: int | None = None
    agents_staffed: int | None = None
    agents_online: int | None = None
    contacts_in_queue: int | None = None
    oldest_contact_age: timedelta | None = None
    estimated_wait_time: timedelta | None = None


EMPTY_QUEUE = QueueMetrics(
    slots_available=0,
    agents_available=0,
    agents_staffed=0,
    agents_online=0,
    contacts_in_queue=0,
    oldest_contact_age=timedelta(),
    estimated_wait_time=timedelta(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """An agent of GetCurrentUserData. ``routable`` is a status in which Connect hands out work; ``slots_available`` is
    by channel (``"TASK"`` → free slots); ``profile_id`` the routing profile, ``None`` where the answer did not say."""

    routable: bool
    slots_available: dict[str, int]
    profile_id: ProfileId | None = None
