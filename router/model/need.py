"""Names a value that a decision lacks, and that ``lookup`` can read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from router.model.ids import ContactId


class NeedKind(Enum):
    """Lists the values that are read on demand, each with the kind of id that a need for it carries."""

    TRANSFERS = "contact: how many transfers its chain has behind it"
    DETAILS = "contact: the values that only DescribeContact returns"
    ORIGIN = "contact: when its chain began"
    PAUSES = "contact: when the task was paused"
    PAST = "contact: the contacts that it came from"
    METRICS = "queue: its live metrics"
    AGENT = "agent: status and free slots"
    PROFILE = "routing profile: the queues that it serves"
    HOURS = "hours of operation: when they are open"


@dataclass(frozen=True, slots=True)
class Need:
    """Names one value to read.

    ``first_id`` is the first contact of the chain as far as the ids show; only ``ORIGIN`` carries it.
    """

    kind: NeedKind
    id: str
    first_id: ContactId | None = None
