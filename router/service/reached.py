"""Says when more is due than quotas and limits let through, and how long that will take."""

from __future__ import annotations

from router.model import HoldReason
from router.service import tell
from router.service.report import LIMITS, CycleReport

QUOTA = "quota"
"""What was not sent before the next poll."""


class LimitsReached:
    """Told when another limit begins to bind, not in each cycle."""

    def __init__(self) -> None:
        self._told: frozenset[str] = frozenset()

    def tell(self, report: CycleReport, *, period_s: float) -> None:
        """``period_s`` is the time from this cycle's beginning to the next one's."""
        waiting = {reason.value: report.held.get(reason.value, 0) for reason in LIMITS} | {QUOTA: report.not_sent}
        reached = {guard: count for guard, count in waiting.items() if count}
        for guard, count in reached.items():
            if guard not in self._told:
                tell.log.warning(
                    "guard.reached",
                    cycle=report.cycle,
                    guard=guard,
                    waiting=count,
                    transferred=report.transferred,
                    drain_s=self._drain_s(guard, report, sum(reached.values()), period_s),
                    order="most overdue first",
                )
        self._told = frozenset(reached)

    def _drain_s(self, guard: str, report: CycleReport, left: int, period_s: float) -> float | None:
        """Contacts that a flow has eaten do not drain by themselves."""
        return None if guard == HoldReason.FLOW_SUSPENDED.value else drain_s(report, left, period_s)


def drain_s(report: CycleReport, left: int, period_s: float) -> float | None:
    """How long what is left takes at this cycle's pace; ``None`` where nothing was moved to tell it by."""
    if not report.transferred:
        return None
    return round(left * period_s / report.transferred, 1)
