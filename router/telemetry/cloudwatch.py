"""CloudWatch's Embedded Metric Format on ``cycle.finished``: CloudWatch Logs takes metrics out of the line by itself.

AWS's specification ("Specification: Embedded metric format", CloudWatch user guide): ``_aws`` names members at the top
of the line; those of metrics are numbers, those of dimensions texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from structlog.typing import EventDict, Processor, WrappedLogger

EVENT = "cycle.finished"
NAMESPACE = "ConnectRouter"
DIMENSION = "instance"

UNITS: Mapping[str, str] = {
    "waiting": "Count",
    "ungoverned": "Count",
    "due": "Count",
    "transferred": "Count",
    "would_transfer": "Count",
    "reprioritized": "Count",
    "warned": "Count",
    "failed": "Count",
    "not_sent": "Count",
    "holds": "Count",
    "oldest_breach_s": "Seconds",
    "seconds": "Seconds",
    "api_calls": "Count",
    "incomplete": "Count",
}
"""The metrics by their members, most of which ``cycle.finished`` has anyway."""


def embedding(instance: str) -> Processor:
    """A tap for ``logs.configure``. ``instance`` is the Connect instance's id."""

    def embed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**event, **_embedded(event, instance)} if event.get("event") == EVENT else event

    return embed


def _embedded(event: Mapping[str, Any], instance: str) -> dict[str, Any]:
    figures = {**_sums(event), DIMENSION: instance}
    return {**figures, "_aws": _metadata({**event, **figures})}


def _sums(event: Mapping[str, Any]) -> dict[str, Any]:
    """Of what the line has in a form that is no number."""
    return {
        "holds": sum(event["held"].values()),
        "api_calls": sum(event["calls"].values()),
        "incomplete": 0 if event["complete"] else 1,
    }


def _metadata(event: Mapping[str, Any]) -> dict[str, Any]:
    """A member that is null is no metric: nothing is late, and there is no number to tell."""
    told = [{"Name": name, "Unit": unit} for name, unit in UNITS.items() if event[name] is not None]
    at = datetime.fromisoformat(event["timestamp"])
    return {
        "Timestamp": round(at.timestamp() * 1000),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": told}],
    }
