"""Holds the probes, one module for each group of related questions."""

from router.acceptance.probe import PROBES, Probe
from router.acceptance.probes import (
    agents,
    chain_limit,
    emails,
    expiry,
    flows,
    index,
    metrics,
    pauses,
    reading_calls,
    routing_data,
    searches,
    throttles,
    tokens,
    transfers,
)

ORDER = (
    reading_calls,
    throttles,
    metrics,
    expiry,
    index,
    pauses,
    searches,
    emails,
    transfers,
    tokens,
    routing_data,
    flows,
    chain_limit,
    agents,
)
"""Probes that need an empty queue run before those that leave tasks in it."""


def probes() -> list[Probe]:
    """Returns every probe in the order of the run."""
    places = {module.__name__: place for place, module in enumerate(ORDER)}
    return sorted(PROBES, key=lambda each: places[each.find.__module__])
