"""Adds CloudWatch's Embedded Metric Format to ``cycle.finished``: CloudWatch Logs extracts metrics from the line.

AWS's specification ("Specification: Embedded metric format", CloudWatch user guide): ``_aws`` names members at the top
of the line; those of metrics are numbers, those of dimensions texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from structlog.typing import EventDict, Processor, WrappedLogger

from router.telemetry.cycle_report import FIGURES

EVENT = "cycle.finished"
NAMESPACE = "ConnectRouter"
DIMENSION = "instance"

SUMS: Mapping[str, Callable[[Mapping[str, Any]], int]] = {
    "holds": lambda event: sum(event["held"].values()),
    "api_calls": lambda event: sum(event["calls"].values()),
    "incomplete": lambda event: 0 if event["complete"] else 1,
}
"""Metrics computed from members of the line that are no numbers."""
UNITS: Mapping[str, str] = {one.name: one.unit for one in FIGURES} | dict.fromkeys(SUMS, "Count")
"""The unit of every metric."""


def embedding(instance: str) -> Processor:
    """Returns a tap for ``logs.configure``. ``instance`` is the Connect instance's id."""

    def embed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**event, **_embedded(event, instance)} if event.get("event") == EVENT else event

    return embed


def _embedded(event: Mapping[str, Any], instance: str) -> dict[str, Any]:
    figures = {**{name: sum_up(event) for name, sum_up in SUMS.items()}, DIMENSION: instance}
    return {**figures, "_aws": _metadata({**event, **figures})}


def _metadata(event: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves out members that are null: if nothing is late, there is no number."""
    metrics = [{"Name": name, "Unit": unit} for name, unit in UNITS.items() if event[name] is not None]
    at = datetime.fromisoformat(event["timestamp"])
    return {
        "Timestamp": round(at.timestamp() * 1000),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}],
    }
