"""What only adds up: cycles, and what came of moves, since the process began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from router.decide.decision import Transfer
from router.execute.result import Outcome, Result
from router.rules.rule import Mode
from router.telemetry.cycle_report import CycleReport

REACTION_S = (1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Upper bounds in seconds, inclusive; around the default poll of 15 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReading:
    """``transfers`` by rule and outcome: a ``Outcome``'s value, ``observed`` for what was only told. ``reactions`` are
    counts by bound of ``REACTION_S``, the last one without a bound; ``reaction_sum`` is in seconds."""

    cycles: Mapping[bool, int]
    transfers: Mapping[tuple[str, str], int]
    reactions: tuple[int, ...]
    reaction_sum: float


@dataclass(slots=True)
class Counters:
    """Thread-safe."""

    _cycles: Counter[bool] = field(default_factory=Counter)
    _transfers: Counter[tuple[str, str]] = field(default_factory=Counter)
    _reactions: list[int] = field(default_factory=lambda: [0] * (len(REACTION_S) + 1))
    _reaction_sum: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def count(self, report: CycleReport, results: Iterable[Result]) -> None:
        """One cycle. A reaction is from the instant at which the step fell due to that of Connect's answer."""
        with self._lock:
            self._cycles[report.complete] += 1
            for result in results:
                if isinstance(result.decision, Transfer):
                    self._transfer(result)

    def read(self) -> CounterReading:
        with self._lock:
            return CounterReading(
                cycles=dict(self._cycles),
                transfers=dict(self._transfers),
                reactions=tuple(self._reactions),
                reaction_sum=self._reaction_sum,
            )

    def _transfer(self, result: Result) -> None:
        observed = result.decision.mode is Mode.OBSERVE
        self._transfers[result.decision.rule, "observed" if observed else result.outcome.value] += 1
        settled_at = result.action.settled_at if result.action is not None else None
        if observed or result.outcome is not Outcome.DONE or settled_at is None:
            return
        took = max(settled_at - result.decision.due_at, timedelta()).total_seconds()
        bucket = next((number for number, bound in enumerate(REACTION_S) if took <= bound), len(REACTION_S))
        self._reactions[bucket] += 1
        self._reaction_sum += took
