"""Tests how long the service counts as silent: by the machine's seconds, whatever time a sandbox shows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from router.search.progress import SearchProgress
from router.telemetry.cycle_report import CycleReport
from router.telemetry.health import Health


@dataclass
class FastClock:
    """Shows the time of a sandbox that is 20 times as fast as the machine."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 12, 1, tzinfo=UTC) + timedelta(seconds=self.seconds * 20)

    def monotonic(self) -> float:
        return self.seconds


def test_a_fast_sandbox_makes_nobody_silent():
    clock = FastClock()
    health = Health(clock)
    clock.seconds = 10.0
    health.ready()
    health.cycled(CycleReport(search=SearchProgress(begun=True)))
    clock.seconds = 15.0

    assert health.now.silent(clock.monotonic()) == timedelta(seconds=5)


def test_only_a_complete_search_is_a_sign_of_life():
    clock = FastClock()
    health = Health(clock)
    clock.seconds = 10.0
    health.cycled(CycleReport(search=SearchProgress(begun=False)))

    assert health.now.silent(clock.monotonic()) == timedelta(seconds=10)
