"""What is known of a queue's load, with what was sent there lately taken into account."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from router.decide.look import Look
from router.durations import format_duration
from router.model import EMPTY_QUEUE, Channel, QueueId, QueueMetrics
from router.rules.rule import MetricLimit


def known_metrics(queue_id: QueueId, channel: Channel, look: Look, sent: int) -> QueueMetrics | None:
    """The queue's metrics for a channel, less the contacts ``sent`` there that they do not show; ``None`` where not
    known.

    In a complete answer a queue without a row is empty and unstaffed, unless contacts of that channel were seen there
    or no queue had a row for the channel: then Connect may be silent about it, and silence is not zero.
    """
    live = look.metrics
    if queue_id not in live.asked or queue_id in live.failed:
        return None
    row = live.rows.get((queue_id, channel))
    if row is None:
        silent = channel not in live.channels or (queue_id, channel) in look.occupied
        row = QueueMetrics() if silent else EMPTY_QUEUE
    return _less(row, sent) if sent else row


def beyond(limit: MetricLimit, metrics: QueueMetrics) -> str | None:
    """Why the metrics are not within the limit, for people; ``None`` where they are."""
    value: int | timedelta | None = getattr(metrics, limit.metric)
    if value is None:
        return f"{limit.metric} is not known"
    if limit.min is not None and value < limit.min:  # type: ignore[operator]
        return f"{limit.metric} is {_shown(value)}, below {_shown(limit.min)}"
    if limit.max is not None and value > limit.max:  # type: ignore[operator]
        return f"{limit.metric} is {_shown(value)}, above {_shown(limit.max)}"
    return None


def no_shorter_wait(metrics: QueueMetrics, waited: timedelta) -> str | None:
    """Why the queue's oldest contact does not wait less than ``waited``, for people; ``None`` where it does."""
    oldest = metrics.oldest_contact_age
    if oldest is None:
        return "oldest_contact_age is not known"
    if oldest < waited:
        return None
    return f"its oldest contact waits {_shown(oldest)}, not less than this case ({_shown(waited)})"


def _less(row: QueueMetrics, sent: int) -> QueueMetrics:
    return replace(
        row,
        slots_available=_minus(row.slots_available, sent),
        agents_available=_minus(row.agents_available, sent),
        contacts_in_queue=None if row.contacts_in_queue is None else row.contacts_in_queue + sent,
    )


def _minus(value: int | None, sent: int) -> int | None:
    return None if value is None else max(value - sent, 0)


def _shown(value: int | timedelta) -> str:
    return format_duration(value) if isinstance(value, timedelta) else str(value)
