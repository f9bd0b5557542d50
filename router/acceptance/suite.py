"""Runs the suite: safeguards, marker, sweep, set-up, every probe, the main job, and the sweep at the end."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import GeneratorType

from router.acceptance.lab import Lab
from router.acceptance.marker import Marker, take
from router.acceptance.names import find_named
from router.acceptance.probe import Probe, ProbeResult, SeenValue, Unsettled, Wait, shortened_evidence, understood
from router.acceptance.probes import probes
from router.acceptance.safeguards import SuiteRefused, check_cleaning, check_instance
from router.acceptance.setup import make_resources
from router.acceptance.sweeper import ANY_RUN, sweep

INDEXED_AFTER = 30.0
"""Seconds after which a sweep looks again."""

HALF_REMOVED = "the removal was interrupted: the next run removes the rest"
"""Holds until everything is removed, because a second Ctrl-C ends the removal."""

Report = Callable[[str], object]


@dataclass(kw_only=True)
class Run:
    """Holds what a run found out. ``left`` has a line for each thing that could not be removed."""

    arn: str = ""
    results: list[ProbeResult] = field(default_factory=list)
    main_job: list[ProofStep] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.left and all(step.problem is None for step in self.main_job)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStep:
    """Holds one step of the proof that the main job works. ``problem`` ``None``: it does."""

    name: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingProbe:
    """Holds a probe that continues at a later time, with its evidence up to now."""

    probe: Probe
    rest: Wait
    evidence: list[str]


def run_suite(lab: Lab, run: Run, *, report: Report, prove: Callable[[Lab], list[ProofStep]] | None = None) -> None:
    """Fills ``run``. Whatever ends it, everything that was made is removed first.

    ``prove`` runs the main job. Raises ``SuiteRefused`` if the suite must not run here, and ``SuiteStopped``."""
    run.arn = check_instance(lab)
    check_cleaning(lab)
    try:
        with understood():
            find_named(lab)
            marker = take(lab, report)
    except Unsettled as failure:
        raise SuiteRefused(str(failure)) from None
    plain, pass_time = lab.calls, lab.sleep
    try:
        report("looking for what earlier runs have left")
        swept = sweep(lab)
        if swept.unsearched:
            raise SuiteRefused(f"the run could not clean up, and has made nothing: {swept.unsearched[0]}")
        if swept.removed:
            report(f"removed of earlier runs: {', '.join(swept.removed)}")
        lab.calls, lab.sleep = marker, marker.sleep
        _perform(lab, run, report, prove)
        marker.check()
    finally:
        lab.calls, lab.sleep = plain, pass_time
        _finish(lab, run, report, marker)


def _perform(lab: Lab, run: Run, report: Report, prove: Callable[[Lab], list[ProofStep]] | None) -> None:
    if lab.options.setup:
        try:
            with understood():
                lab.resources = make_resources(lab)
        except Unsettled as failure:
            raise SuiteRefused(str(failure)) from None
    _Schedule(lab, run, report).run_all()
    if prove is not None:
        report("running the main job: five late tasks, one rule")
        run.main_job = prove(lab)


def _finish(lab: Lab, run: Run, report: Report, marker: Marker) -> None:
    """Removes everything that was made, and the marker. Without the marker, only this run's own."""
    report("removing the test contacts and resources of this run")
    run.left = [HALF_REMOVED]
    run_id = ANY_RUN if marker.kept else lab.run_id
    swept = sweep(lab, run_id)
    if lab.uncertain:  # a contact may be there that only the search index shows
        lab.sleep(INDEXED_AFTER)
        swept = sweep(lab, run_id)
    run.left = swept.left + swept.unsearched + list(marker.release())


class _Schedule:
    """Runs the probes one after the other. Those that wait go on when their time has come."""

    def __init__(self, lab: Lab, run: Run, report: Report) -> None:
        self._lab, self._run, self._report = lab, run, report
        self._waiting: list[tuple[float, int, WaitingProbe]] = []
        self._order = itertools.count()
        self._all = probes()

    def run_all(self) -> None:
        for one in self._all:
            self._begin(one)
            while self._waiting and self._waiting[0][0] <= self._lab.clock.monotonic():
                self._go_on(heapq.heappop(self._waiting)[2])
        while self._waiting:
            due, _, waiting = heapq.heappop(self._waiting)
            seconds = due - self._lab.clock.monotonic()
            if seconds > 0:
                self._report(f"{waiting.probe.name}: waiting {seconds:.0f} s")
                self._lab.sleep(seconds)
            self._go_on(waiting)

    def _begin(self, one: Probe) -> None:
        with self._lab.recording() as evidence:
            try:
                with understood():
                    found = one.find(self._lab)
            except Unsettled as failure:
                self._settle(one, failure, evidence)
                return
        if isinstance(found, GeneratorType):
            self._go_on(WaitingProbe(one, found, evidence))
        else:
            assert isinstance(found, SeenValue)
            self._settle(one, found, evidence)

    def _go_on(self, waiting: WaitingProbe) -> None:
        with self._lab.recording() as evidence:
            try:
                with understood():
                    span: timedelta = next(waiting.rest)
            except StopIteration as ended:
                self._settle(waiting.probe, ended.value, waiting.evidence + evidence)
                return
            except Unsettled as failure:
                self._settle(waiting.probe, failure, waiting.evidence + evidence)
                return
        due = self._lab.clock.monotonic() + span.total_seconds()
        heapq.heappush(self._waiting, (due, next(self._order), replace(waiting, evidence=waiting.evidence + evidence)))

    def _settle(self, one: Probe, outcome: SeenValue | Unsettled, evidence: list[str]) -> None:
        seen = outcome if isinstance(outcome, SeenValue) else SeenValue(value=None)
        result = ProbeResult(
            name=one.name,
            question=one.question,
            value=seen.value,
            unsettled=None if isinstance(outcome, SeenValue) else str(outcome),
            remark=seen.remark,
            figures=seen.figures,
            evidence=shortened_evidence(evidence),
        )
        self._run.results.append(result)
        self._report(f"[{len(self._run.results)}/{len(self._all)}] {line_of(result)}")


def line_of(result: ProbeResult) -> str:
    """Returns the result in one line."""
    if result.unsettled is not None:
        return f"{result.name}: unsettled, because {result.unsettled}"
    figures = ", ".join(f"{key} {value:g}" for key, value in result.figures.items())
    value = f"{result.value.total_seconds():g}s" if isinstance(result.value, timedelta) else result.value
    shown = " ".join(
        part for part in (None if value is None else str(value), f"({figures})" if figures else None) if part
    )
    return f"{result.name}: {shown}"
