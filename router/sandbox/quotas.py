"""Simulates Connect's throttling quotas: a token bucket per operation, for the whole account.

Source: Amazon Connect administrator guide, "Amazon Connect service quotas", API throttling quotas. The general quota is
2 requests per second with a burst of 5, per account and Region, not per user nor per instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CallRate:
    """Holds requests per second, and how many of them may arrive at once after a rest."""

    rate: float
    burst: float


GENERAL = CallRate(2, 5)

DOCUMENTED: Mapping[str, CallRate] = {
    "SearchContacts": CallRate(0.5, 1),
    "DescribeContact": CallRate(10, 15),
    "GetContactAttributes": CallRate(10, 15),
    "StopContact": CallRate(10, 15),
    "TagContact": CallRate(20, 25),
    "UpdateContactRoutingData": CallRate(20, 20),
    "GetCurrentMetricData": CallRate(5, 8),
}
"""The operations offered here whose quota is not the general one."""


class CallQuotas:
    """Limits the rate of calls. ``rates`` replace the documented ones. Without ``limited`` no others exist."""

    def __init__(self, rates: Mapping[str, CallRate] | None = None, *, limited: bool = True) -> None:
        self._rates = dict(rates or {})
        self._limited = limited
        self._buckets: dict[str, tuple[float, datetime]] = {}

    def rate(self, operation: str) -> CallRate | None:
        """Returns the rate of the operation, ``None`` if it is unlimited."""
        if operation in self._rates:
            return self._rates[operation]
        return DOCUMENTED.get(operation, GENERAL) if self._limited else None

    def take(self, operation: str, now: datetime) -> bool:
        """Takes a token. Returns ``False`` if the call is throttled; it then costs nothing."""
        rate = self.rate(operation)
        if rate is None:
            return True
        tokens, since = self._buckets.get(operation, (rate.burst, now))
        tokens = min(rate.burst, tokens + max((now - since).total_seconds(), 0.0) * rate.rate)
        taken = tokens >= 1 - 1e-9
        self._buckets[operation] = (tokens - 1 if taken else tokens, max(now, since))
        return taken
