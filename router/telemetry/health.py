"""Records the health of the running service: when it began, what its last cycles came to, which rules were refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from router.ports import Clock
from router.telemetry.cycle_report import CycleReport

DEAD_AFTER = 4
"""Polls without a complete cycle after which the service counts as dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Describes a reload that was refused; ``errors`` are located lines."""

    at: datetime
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """``ready_at`` is ``None`` before the instance has answered; ``unread`` is then why it could not be read.

    ``report`` and ``finished_at`` are of the last cycle, complete or not; ``alive_at`` of the last whose search was
    read to its end, or is being read without a failure. Before the first it is when the service was ready, or began.
    For a standby router it is the last reading of the shared ledger. It is monotonic, in the machine's seconds like
    ``poll.every``: a sandbox may be faster. ``refused`` is ``None`` once a reload was accepted. ``from_last_good``:
    the rules in force are not those in the files.
    """

    started_at: datetime
    ready_at: datetime | None = None
    unread: str | None = None
    report: CycleReport | None = None
    finished_at: datetime | None = None
    alive_at: float = 0.0
    rules_at: datetime | None = None
    refused: Refused | None = None
    from_last_good: bool = False

    def silent(self, monotonic: float) -> timedelta:
        """Returns the time since the last complete cycle or, before one, since the service was ready or began."""
        return timedelta(seconds=monotonic - self.alive_at)


class Health:
    """Holds one report, which is replaced whole. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._vital = HealthReport(started_at=clock.now(), rules_at=clock.now(), alive_at=clock.monotonic())

    @property
    def now(self) -> HealthReport:
        return self._vital

    def ready(self) -> None:
        with self._lock:
            ready_at, alive_at = self._clock.now(), self._clock.monotonic()
            self._vital = replace(self._vital, ready_at=ready_at, alive_at=alive_at, unread=None)

    def unread(self, reason: str) -> None:
        """Records why the instance could not be read before the service was ready."""
        with self._lock:
            self._vital = replace(self._vital, unread=reason)

    def cycled(self, report: CycleReport) -> None:
        now, search = self._clock.now(), report.search
        well = search.complete or (search.going_on and search.failure is None)
        with self._lock:
            alive_at = self._clock.monotonic() if well else self._vital.alive_at
            self._vital = replace(self._vital, report=report, finished_at=now, alive_at=alive_at)

    def watched(self) -> None:
        """Records that a standby router has read the shared ledger."""
        with self._lock:
            self._vital = replace(self._vital, alive_at=self._clock.monotonic())

    def reloaded(self) -> None:
        with self._lock:
            self._vital = replace(self._vital, rules_at=self._clock.now(), refused=None, from_last_good=False)

    def refused(self, errors: tuple[str, ...], *, last_good: bool = False) -> None:
        """Records refused rules. ``last_good`` means that the service began with the last good rules because of these
        errors."""
        with self._lock:
            refused = Refused(at=self._clock.now(), errors=errors)
            self._vital = replace(self._vital, refused=refused, from_last_good=last_good or self._vital.from_last_good)
