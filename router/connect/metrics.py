"""Reads the live metrics of queues with GetCurrentMetricData."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from router.connect.answers import Failure, Rejected
from router.connect.fields import Row, part, text
from router.connect.missing_ids import MissingIds, read_batches
from router.connect.reads import BRIEF, Reads, RefusedLately, all_rows
from router.connect.search import MAX_QUEUES
from router.model import METRICS, Channel, Metric, QueueId, QueueMetrics, bare_id

Rows = dict[tuple[QueueId, Channel], QueueMetrics]

PAGE_SIZE = 100

_WANTED = [{"Name": metric.connect_name, "Unit": "SECONDS" if metric.is_time else "COUNT"} for metric in METRICS]


class Metrics:
    def __init__(self, reads: Reads, missing: MissingIds[QueueId]) -> None:
        self._reads = reads
        self._missing = missing
        self._email_refused = RefusedLately(lambda: reads.monotonic)

    def of_queues(
        self, queue_ids: Collection[QueueId], channels: Collection[Channel]
    ) -> Mapping[tuple[QueueId, Channel], QueueMetrics] | Failure:
        """Returns one row for each queue and channel that Connect returned; a value that is missing or null is
        ``None``.

        A channel that occurs in no key had no row in any queue. Connect may omit EMAIL (its documentation still names
        VOICE, CHAT and TASK only), or refuse it; then the call is repeated without it. Any call that fails fails it
        all, except that queues which the instance no longer has are left out. One call reads up to 100 queues.

        Rows are always grouped by queue and channel. Without groupings OLDEST_CONTACT_AGE is in milliseconds although
        its unit is seconds, and ESTIMATED_WAIT_TIME is refused (botocore service model).
        """
        found = read_batches(
            self._missing,
            self._missing.batches(queue_ids, MAX_QUEUES),
            lambda some: self._batch(some, frozenset(channels)),
            _parsed,
        )
        return self._reads.record_health("GetCurrentMetricData", found)

    def _batch(self, queue_ids: tuple[QueueId, ...], channels: frozenset[Channel]) -> list[Row] | Failure:
        requested = channels - {Channel.EMAIL} if self._email_refused else channels
        if not requested:
            return []
        answer = self._ask(queue_ids, requested)
        fewer = requested - {Channel.EMAIL}
        if not isinstance(answer, Rejected) or answer.status != 400 or fewer == requested:
            return answer
        if not fewer:
            return answer
        without = self._ask(queue_ids, fewer)
        if isinstance(without, list):
            self._email_refused.record()
        return without

    def _ask(self, queue_ids: tuple[QueueId, ...], channels: frozenset[Channel]) -> list[Row] | Failure:
        return all_rows(
            self._reads,
            "GetCurrentMetricData",
            "MetricResults",
            patience=BRIEF,
            Filters={"Queues": list(queue_ids), "Channels": sorted(channel.value for channel in channels)},
            Groupings=["QUEUE", "CHANNEL"],
            CurrentMetrics=_WANTED,
            MaxResults=PAGE_SIZE,
        )


def _parsed(rows: Iterable[Row]) -> Rows:
    parsed: Rows = {}
    for row in rows:
        dimensions = part(row, "Dimensions")
        queue = part(dimensions, "Queue")
        queue_id, channel = text(queue, "Id") or text(queue, "Arn"), text(dimensions, "Channel")
        if queue_id and channel is not None and channel in Channel.__members__:
            parsed[QueueId(bare_id(queue_id)), Channel(channel)] = _metrics(row.get("Collections") or ())
    return parsed


def _metrics(collections: Iterable[Row]) -> QueueMetrics:
    values = {text(part(one, "Metric"), "Name"): one.get("Value") for one in collections if one is not None}
    read: dict[str, Any] = {metric.name: _value(metric, values.get(metric.connect_name)) for metric in METRICS}
    return QueueMetrics(**read)


def _value(metric: Metric, value: float | None) -> int | timedelta | None:
    if value is None or not math.isfinite(value) or value < 0:
        return None
    return timedelta(seconds=value) if metric.is_time else int(value)
