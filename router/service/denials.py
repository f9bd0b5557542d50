"""A permission that is missing, or credentials that are refused: what stops then, and the line that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from router.connect.answers import Denied, Unauthenticated
from router.model import Directory, FlowId
from router.service import tell
from router.service.attempts import TRANSFER, UPDATE, Tried
from router.service.blocked import DENIED_PROBE, Blocked
from router.service.ports import Clock


@dataclass(frozen=True, kw_only=True)
class Denials:
    """What is denied is said, loudly, and again as long as it lasts: of the attempts one every five minutes is let
    through. Of several that were under way at once only the first is told."""

    blocked: Blocked
    clock: Clock
    directory: Callable[[], Directory]
    _told: dict[tuple[str | None, ...], datetime] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def met(self, tried: Tried, flow: FlowId) -> bool:
        """Whether the attempt ended in one; then it is said, and what it stops is stopped."""
        failure = tried.failure
        if not isinstance(failure, Denied | Unauthenticated):
            return False
        now = self.clock.now()
        fields: dict[str, str | None] = {"message": failure.message}
        if isinstance(failure, Unauthenticated):
            self.blocked.unauthenticated(now)
            fields |= {"stops": "calls"}
        elif failure is tried.answer:
            everything = self.blocked.denied(flow, now)
            stops = "transfers" if everything else "flow"
            fields |= {"operation": TRANSFER, "flow": self.directory().flow_name(flow), "stops": stops}
        else:
            self.blocked.unreadable(now)
            fields |= {"operation": "DescribeContact", "stops": "transfers"}
        self._tell({"error": failure.code, **fields}, now)
        return True

    def _tell(self, fields: dict[str, str | None], now: datetime) -> None:
        what = tuple(fields.get(name) for name in ("error", "operation", "flow", "stops"))
        with self._lock:
            told_at = self._told.get(what)
            if told_at is not None and timedelta() <= now - told_at < DENIED_PROBE:
                return
            self._told[what] = now
        tell.log.error("api.denied", **fields)

    def met_routing(self, tried: Tried) -> bool:
        """The same for a routing update: it stops routing updates, and nothing that moves."""
        failure = tried.failure
        if not isinstance(failure, Denied | Unauthenticated):
            return False
        self.routing_denied(failure, reading=failure is not tried.answer)
        return True

    def routing_denied(self, failure: Denied | Unauthenticated, *, reading: bool = False) -> None:
        now, operation = self.clock.now(), "DescribeContact" if reading else UPDATE
        if isinstance(failure, Unauthenticated):
            self.blocked.unauthenticated(now)
        else:
            self.blocked.routing_denied(now)
        stops = "calls" if isinstance(failure, Unauthenticated) else "routing"
        fields: dict[str, str | None] = {"error": failure.code, "message": failure.message}
        self._tell({**fields, "operation": operation, "stops": stops}, now)
