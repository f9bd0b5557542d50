"""Measures lags: how long after an event an answer shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles

from router.acceptance.lab import Lab
from router.acceptance.probe import SeenValue, Unsettled


@dataclass(frozen=True, slots=True)
class Span:
    """Bounds a lag, in seconds: at ``least`` the event did not show yet, at ``most`` it did."""

    least: float
    most: float


def lag_of(spans: Sequence[Span], *, less: float = 0.0) -> SeenValue:
    """Returns the lag that all spans show together, or the median if they have nothing in common.

    ``less`` is a known part of it that does not count."""
    if not spans:
        raise Unsettled("nothing was measured")
    least, most = max(span.least for span in spans), min(span.most for span in spans)
    middles = [max((max(span.least, 0.0) + span.most) / 2 - less, 0.0) for span in spans]
    common = max((max(least, 0.0) + most) / 2 - less, 0.0)
    seconds = common if least <= most else median(middles)
    never_unseen = least <= 0
    figures = {
        "p50": round(median(middles), 1),
        "p95": round(quantiles(middles, n=20)[-1] if len(middles) > 1 else middles[0], 1),
        "samples": float(len(middles)),
    }
    remark = f"it shows within {most - less:.1f} s, at the first look" if never_unseen and least <= most else ""
    value = timedelta(0) if never_unseen and least <= most else timedelta(seconds=round(seconds))
    return SeenValue(value=value, remark=remark, figures=figures)


def count_in_queue(lab: Lab, queue_id: str, channel: str = "TASK") -> tuple[float, datetime | None]:
    """Returns how many contacts of the channel wait there by the metrics, and the time of these metrics."""
    body = lab.need(
        "GetCurrentMetricData",
        Filters={"Queues": [queue_id], "Channels": [channel]},
        CurrentMetrics=[{"Name": "CONTACTS_IN_QUEUE", "Unit": "COUNT"}],
        Groupings=["QUEUE", "CHANNEL"],
    )
    values = [one.get("Value") or 0.0 for row in body.get("MetricResults") or () for one in row["Collections"]]
    return sum(values), body.get("DataSnapshotTime")
