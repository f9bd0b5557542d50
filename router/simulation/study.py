"""Simulates both sets of rules again and again, each time with the same contacts, on several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Protocol

from router.rules.bind import bind
from router.rules.bound import BoundRuleSet
from router.rules.load import Sources, parse_rules
from router.rules.rule import RuleSet
from router.simulation.centre import Arrival, SimulatedCentre
from router.simulation.engine import Engine
from router.simulation.first_looks import FirstLooks
from router.simulation.randomness import RandomStreams
from router.simulation.tally import ByUnit, add_up, count
from router.simulation.trace import Trace
from router.simulation.wait_record import SimulatedWait

SAMPLES = 300
"""The points of a chart of a queue over time."""


class ContactSource(Protocol):
    """Describes where a centre and its arrivals are from: a scenario or a history. It can be pickled."""

    @property
    def by_day(self) -> bool:
        """Returns whether the days of one history are the units of the estimate, and not the replications."""
        ...

    def centre(self, *rulesets: RuleSet | None) -> SimulatedCentre: ...
    def arrivals(self, streams: RandomStreams) -> Sequence[Arrival]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Describes what to simulate. It is given to each process as it is.

    ``rules`` and ``against`` are the files of rules A and B; ``rules=None``: A moves nothing; ``against=None``: only A
    is simulated.
    """

    source: ContactSource
    rules: Sources | None
    against: Sources | None
    seed: int = 1

    def open(self) -> OpenStudy:
        return OpenStudy(self)


@dataclass(slots=True, kw_only=True)
class Replication:
    """Holds what came of one replication; ``b`` is ``None`` if only A was simulated."""

    number: int
    a: ByUnit
    b: ByUnit | None


@dataclass(slots=True, kw_only=True)
class SampleRun:
    """Holds one run of each side in full, for charts and tables."""

    waits: tuple[list[SimulatedWait], list[SimulatedWait]]
    traces: tuple[Trace, Trace]


class OpenStudy:
    """Holds the centre and the bound rules of a study, in one process."""

    def __init__(self, study: Study) -> None:
        self.study = study
        a, b = (parse_rules(files) if files is not None else None for files in (study.rules, study.against))
        self.centre = study.source.centre(a, b)
        self.sides = tuple(self._bound(rules) for rules in ((a, b) if b is not None else (a,)))
        self._promising = self.sides[0] if self.sides[0] is not None else self.sides[-1]
        self.looks = FirstLooks(self.centre, self._promising)

    def _bound(self, rules: RuleSet | None) -> BoundRuleSet | None:
        return bind(rules, self.centre.directory, agents_known=True) if rules is not None else None

    def unresolved(self) -> Iterator[str]:
        """Yields a line for each name in the rules that the centre does not have. Binding calls it an instance."""
        found = (str(one) for side in self.sides if side is not None for rule in side.rules for one in rule.unresolved)
        yield from dict.fromkeys(one.replace(" in the instance", " in the scenario") for one in found)

    def replicate(self, number: int) -> Replication:
        by_day = self.study.source.by_day
        counted = [
            count(waits, self.centre.measured_from, None if by_day else number) for waits in self._runs(number, None)
        ]
        return Replication(number=number, a=counted[0], b=counted[1] if len(counted) > 1 else None)

    def sample(self, number: int = 1) -> SampleRun:
        """Runs one replication again, and retains its waits, the lengths of the queues, and the moves."""
        streams = self._streams(number)
        last = max((one.at for one in self._drawn(streams)), default=0.0)
        every = max(last / SAMPLES, 1.0)
        traces = [Trace(every), Trace(every)]
        waits = self._runs(number, traces)
        return SampleRun(waits=(waits[0], waits[-1]), traces=(traces[0], traces[len(waits) - 1]))

    def _streams(self, number: int) -> RandomStreams:
        return RandomStreams(f"{self.study.seed} {number}")

    def _drawn(self, streams: RandomStreams) -> Sequence[Arrival]:
        return self.study.source.arrivals(streams)

    def _runs(self, number: int, traces: Sequence[Trace] | None) -> list[list[SimulatedWait]]:
        """Simulates each side with the same contacts. The first decisions on recorded contacts are made once."""
        streams = self._streams(number)
        arrivals = self._drawn(streams)
        if not self.study.source.by_day:
            self.looks = FirstLooks(self.centre, self._promising)
        return [
            Engine(
                self.centre, arrivals, side, streams, looks=self.looks, trace=traces[n] if traces is not None else None
            ).run()
            for n, side in enumerate(self.sides)
        ]


@dataclass(slots=True, kw_only=True)
class StudyResult:
    """Adds up the replications of a study."""

    a: ByUnit = field(default_factory=dict)
    b: ByUnit | None = None
    replications: int = 0

    @classmethod
    def of(cls, found: Sequence[Replication]) -> StudyResult:
        after = [one.b for one in found if one.b is not None]
        return cls(a=add_up(one.a for one in found), b=add_up(after) if after else None, replications=len(found))


_open: OpenStudy | None = None
"""The study of this process."""


def _open_here(study: Study) -> None:
    global _open
    _open = study.open()


def _replicate(number: int) -> Replication:
    assert _open is not None, "each process opens the study first"
    return _open.replicate(number)


def run_study(
    study: Study, replications: int, *, workers: int, progress: Callable[[int], None] = lambda done: None
) -> StudyResult:
    """Runs the replications, numbered from 1. The result does not depend on the number of ``workers``."""
    numbers = range(1, replications + 1)
    found: list[Replication] = []
    if workers <= 1 or replications == 1:
        opened = study.open()
        for number in numbers:
            found.append(opened.replicate(number))
            progress(len(found))
        return StudyResult.of(found)
    with ProcessPoolExecutor(
        min(workers, replications), mp_context=get_context("spawn"), initializer=_open_here, initargs=(study,)
    ) as pool:
        for done in as_completed([pool.submit(_replicate, number) for number in numbers]):
            found.append(done.result())
            progress(len(found))
    return StudyResult.of(sorted(found, key=lambda one: one.number))
