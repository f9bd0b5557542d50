"""Names a value that a decision lacks, and that ``lookup`` can read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from router.model.ids import ContactId


class NeedKind(Enum):
    """Lists the values that are read on demand, each with the kind of id that a need for it carries."""

    TRANSFERS = "transfers"
    """Contact: how many transfers its chain has behind it."""
    DETAILS = "details"
    """Contact: the values that only DescribeContact returns."""
    ORIGIN = "origin"
    """Contact: when its chain began."""
    PAUSES = "pauses"
    """Contact: when it was paused. Without a need for other details, an older reading is good enough, because
    the service checks for later pauses right before it acts."""
    PAST = "past"
    """Contact: the contacts that it came from."""
    METRICS = "metrics"
    """Queue: its live metrics."""
    AGENT = "agent"
    """Agent: status and free slots."""
    PROFILE = "profile"
    """Routing profile: the queues that it serves."""
    CHANNELS = "channels"
    """Queue: whether its agents work several channels at the same time."""
    HOURS = "hours"
    """Hours of operation: when they are open."""


@dataclass(frozen=True, slots=True)
class Need:
    """Names one value to read.

    ``first_id`` is the first contact of the chain as far as the ids show; only ``ORIGIN`` carries it.
    """

    kind: NeedKind
    id: str
    first_id: ContactId | None = None
