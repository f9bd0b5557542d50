"""Corrects the live metrics of a queue by the contacts just sent there, and compares them with a destination's
conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from router.decide.snapshot import Snapshot
from router.decide.waiting_contact import lazy_value
from router.durations import format_duration
from router.model import EMPTY_QUEUE, METRICS, Channel, Metric, QueueId, QueueMetrics, RoutingProfile
from router.rules.rule import MetricLimit


@dataclass(frozen=True, slots=True)
class Sent:
    """Counts contacts sent to a queue that its metrics do not show: of the contact's channel, of an unknown one, and
    others that count. It is not known of the ``unsure`` ones among these whether they take slots of the channel."""

    own: int = 0
    unknown: int = 0
    other: int = 0
    unsure: int = 0

    @property
    def without_unsure(self) -> Sent:
        return replace(self, other=self.other - self.unsure, unsure=0)

    def count_for(self, metric: Metric) -> int:
        """Returns how many of them change the metric."""
        return self.own + self.unknown + (self.other if metric.by_any_channel else 0)


NONE_SENT = Sent()


@dataclass(frozen=True)
class QueueFigures:
    """Holds the metrics of a queue for a channel as Connect returned them, and the contacts sent there since."""

    row: QueueMetrics
    sent: Sent

    @lazy_value
    def metrics(self) -> QueueMetrics:
        """Returns the metrics with the effect of the contacts just sent."""
        if self.sent == NONE_SENT:
            return self.row
        changed: dict[str, Any] = {}
        for metric in METRICS:
            value = getattr(self.row, metric.name)
            if metric.by_a_move is not None and value is not None:
                changed[metric.name] = max(value + self.sent.count_for(metric) * metric.by_a_move, 0)
        return replace(self.row, **changed)

    def broken_limit(self, limit: MetricLimit) -> str | None:
        """Returns why the metrics are not within the limit, for people; ``None`` if they are."""
        value: int | timedelta | None = getattr(self.metrics, limit.metric)
        if value is None:
            return f"{limit.metric} is not known"
        if limit.min is not None and value < limit.min:  # type: ignore[operator]
            return f"{limit.metric} is {_shown(value)}, below {_shown(limit.min)}{self._origin(limit.metric)}"
        if limit.max is not None and value > limit.max:  # type: ignore[operator]
            return f"{limit.metric} is {_shown(value)}, above {_shown(limit.max)}{self._origin(limit.metric)}"
        return None

    def _origin(self, name: str) -> str:
        """Returns how the figure came about, if contacts were just sent; empty if none was."""
        metric = next(one for one in METRICS if one.name == name)
        live, value = getattr(self.row, name), getattr(self.metrics, name)
        if metric.by_a_move is None or not self.sent.count_for(metric):
            return ""
        own, other = self.sent.own + self.sent.unknown, self.sent.other
        if metric.by_a_move > 0:
            return f" ({live} waiting, and {own} just sent there = {value})"
        exact = live >= self.sent.count_for(metric)  # more may have been sent than are free: then nothing is left
        parts = [f"{own} just sent there"] if own else []
        parts += [f"{other} of another channel just sent there"] if other else []
        less = "".join(f", {'less' if exact else 'and'} {part}" for part in parts)
        less += ", perhaps from the same slots" if self.sent.unsure else ""
        return f" ({live} free{less}{f' = {value}' if exact else ''})"


def takes_slots(
    other: Channel, channel: Channel, queue_id: QueueId, profiles: Iterable[RoutingProfile] | None
) -> bool | None:
    """Returns whether a contact of the ``other`` channel leaves the queue's agents fewer slots for ``channel``.

    The routing profiles that serve the queue decide; ``None`` means that they are not known, or differ.
    """
    found = {one.takes_slots(other, channel) for one in profiles or () if queue_id in one.queue_ids}
    return found.pop() if len(found) == 1 else None


def known_figures(queue_id: QueueId, channel: Channel, snapshot: Snapshot, sent: Sent) -> QueueFigures | None:
    """Returns a queue's metrics for a channel, with the ``sent`` contacts that they do not show; ``None`` if not known.

    If all metrics were read, a queue without a row is empty and unstaffed, except if contacts of that channel were seen
    there or no queue had a row for the channel: then Connect may leave it out, and a missing row is not zero.
    """
    live = snapshot.read.metrics
    if queue_id not in live.queues_read or queue_id in live.queues_failed:
        return None
    row = live.rows.get((queue_id, channel))
    if row is None:
        silent = channel not in live.channels or (queue_id, channel) in snapshot.occupied
        row = QueueMetrics() if silent else EMPTY_QUEUE
    return QueueFigures(row, sent)


def no_shorter_wait(metrics: QueueMetrics, waited: timedelta) -> str | None:
    """Returns why the queue's oldest contact does not wait less than ``waited``, for people; ``None`` if it does."""
    oldest = metrics.oldest_contact_age
    if oldest is None:
        return "oldest_contact_age is not known"
    if oldest < waited:
        return None
    return f"its oldest contact waits {_shown(oldest)}, not less than this wait ({_shown(waited)})"


def _shown(value: int | timedelta) -> str:
    return format_duration(value) if isinstance(value, timedelta) else str(value)
