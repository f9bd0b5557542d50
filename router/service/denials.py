"""A permission that is missing, or credentials that are refused: what stops then, and the line that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from router.connect.answers import Denied, Unauthenticated
from router.model import Directory, FlowId
from router.service import tell
from router.service.attempts import TRANSFER, UPDATE, Tried
from router.service.blocked import Blocked
from router.service.ports import Clock


@dataclass(frozen=True, kw_only=True)
class Denials:
    """Each attempt that is denied is said, loudly: of those at most one every five minutes is let through."""

    blocked: Blocked
    clock: Clock
    directory: Callable[[], Directory]

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
        tell.log.error("api.denied", **{"error": failure.code, **fields})
        return True

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
        tell.log.error("api.denied", error=failure.code, message=failure.message, operation=operation, stops=stops)
