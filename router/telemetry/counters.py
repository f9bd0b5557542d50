"""Counts for Prometheus what adds up from cycle to cycle; imported only if ``[metrics] listen`` is set."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from router.decide.decision import Transfer, Warn
from router.execute.result import Outcome, Result
from router.rules.rule import Mode, Rule
from router.telemetry.cycle_report import CycleReport

PREFIX = "connect_router"
SECONDS_S = (1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
HOURS_S = (3600.0, 7200.0, 14400.0, 28800.0, 86400.0)
REACTION_S = (*SECONDS_S, *HOURS_S)
"""Upper bounds in seconds, inclusive; around the default poll of 15 s, and up to the longest promises in use."""

OBSERVED = "observed"
SHOWN = (Outcome.DONE, Outcome.HELD, Outcome.REFUSED, Outcome.UNSETTLED, Outcome.NOT_SENT)
OUTCOMES = (OBSERVED, *(outcome.value for outcome in SHOWN))
"""The outcomes that docs/metrics.md lists."""

disable_created_metrics()  # type: ignore[no-untyped-call]


class CycleCounters:
    """Holds the counters and the histogram of one router, in a ``registry`` of its own. Thread-safe."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._cycles = Counter(
            f"{PREFIX}_cycles",
            "Cycles; complete: the search was read to its end.",
            labelnames=["complete"],
            registry=registry,
        )
        for complete in ("true", "false"):
            self._cycles.labels(complete)
        self._transfers = Counter(
            f"{PREFIX}_transfers",
            "Decisions to move a contact.",
            labelnames=["rule", "outcome"],
            registry=registry,
        )
        self._late = Counter(
            f"{PREFIX}_late",
            "Waits that a rule's promise was broken for, by rule.",
            labelnames=["rule"],
            registry=registry,
        )
        self._warnings = Counter(
            f"{PREFIX}_warnings",
            "Warnings given, by rule.",
            labelnames=["rule"],
            registry=registry,
        )
        self._reactions = Histogram(
            f"{PREFIX}_reaction_seconds",
            "Seconds from the instant a step fell due to Connect's yes to the transfer.",
            buckets=REACTION_S,
            registry=registry,
        )

    def begin_rules(self, rules: Iterable[Rule]) -> None:
        """Shows the counters of these rules from 0 on: `rate()` misses the first move of a counter that appears with
        it."""
        for rule in (rule for rule in rules if rule.mode is not Mode.OFF):
            if rule.sla.target is not None:
                self._late.labels(rule.name)
            if any(step.warn is not None for step in rule.steps):
                self._warnings.labels(rule.name)
            for outcome in OUTCOMES if rule.to_steps else ():
                self._transfers.labels(rule.name, outcome)

    def count(self, report: CycleReport, results: Iterable[Result]) -> None:
        """Adds one cycle."""
        self._cycles.labels(str(report.complete).lower()).inc()
        for rule, count in report.breached_by.items():
            self._late.labels(rule).inc(count)
        for result in results:
            if isinstance(result.decision, Transfer):
                self._count_transfer(result)
            elif isinstance(result.decision, Warn) and result.action is not None:
                self._warnings.labels(result.decision.rule).inc()

    def _count_transfer(self, result: Result) -> None:
        """Counts a transfer, and its reaction time: from when its step fell due to when Connect accepted it."""
        observed = result.decision.mode is Mode.OBSERVE
        self._transfers.labels(result.decision.rule, OBSERVED if observed else result.outcome.value).inc()
        settled_at = result.action.settled_at if result.action is not None else None
        if not observed and result.outcome is Outcome.DONE and settled_at is not None:
            took = max(settled_at - result.decision.due_at, timedelta())
            self._reactions.observe(took.total_seconds())
