"""Counts simulated waits: by queue, and by day or replication, in a form that can be added up and taken apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from math import exp, log1p

from router.model import QueueId
from router.simulation.centre import Seconds
from router.simulation.wait_record import Ending, SimulatedWait

WIDTH = 0.01
"""The relative width of the classes that waits are counted in: a quantile is right to about one percent."""
DAY: Seconds = 86_400.0


@dataclass(slots=True, kw_only=True)
class QueueTally:
    """Counts the waits that began in one queue.

    ``late_s`` are the seconds past the promises, of the late waits. ``returns`` are waits of contacts that agents had
    put back. ``received`` are contacts that the router moved into the queue, which began to wait elsewhere.
    ``classes`` counts the waits by their length.
    """

    waits: int = 0
    waited_s: float = 0.0
    promised: int = 0
    in_time: int = 0
    late_s: float = 0.0
    moves: int = 0
    returns: int = 0
    expired: int = 0
    open: int = 0
    received: int = 0
    classes: Counter[int] = field(default_factory=Counter)

    def add(self, wait: SimulatedWait) -> None:
        self.waits += 1
        self.waited_s += wait.waited
        self.moves += len(wait.moves)
        self.returns += wait.turn > 0
        self.expired += wait.ending is Ending.EXPIRED
        self.open += wait.ending is Ending.OPEN
        self.classes[class_of(wait.waited)] += 1
        if wait.late is not None:
            self.promised += 1
            self.in_time += wait.late <= 0 and wait.ending is not Ending.OPEN
            self.late_s += max(wait.late, 0.0)

    def quantile(self, share: float) -> Seconds | None:
        """Returns the wait that this share of the waits does not exceed; ``None`` if there are none."""
        left = share * self.waits
        for number, many in sorted(self.classes.items()):
            if many and left <= many:
                low, high = bounds_of(number)
                return low + (high - low) * left / many
            left -= many
        return None

    def plus(self, other: QueueTally, sign: int = 1) -> QueueTally:
        """Returns both together, or with ``sign=-1`` this one without the other."""
        same = {one.name: getattr(self, one.name) + sign * getattr(other, one.name) for one in _NUMBERS}
        classes = Counter(self.classes)
        for number, many in other.classes.items():
            classes[number] += sign * many
        return QueueTally(**same, classes=classes)


_NUMBERS = [one for one in fields(QueueTally) if one.name != "classes"]


def class_of(seconds: Seconds) -> int:
    return int(log1p(max(seconds, 0.0)) / WIDTH)


def bounds_of(number: int) -> tuple[Seconds, Seconds]:
    """Returns the shortest and the longest wait of a class."""
    return exp(number * WIDTH) - 1, exp((number + 1) * WIDTH) - 1


Tallies = dict[QueueId, QueueTally]
ByUnit = dict[int, Tallies]


def count(waits: Iterable[SimulatedWait], measured_from: Seconds, unit: int | None) -> ByUnit:
    """Counts waits by unit and queue. ``unit``: that of all of them; ``None``: each has the one of its arrival."""
    found: ByUnit = {}
    for wait in waits:
        if wait.arrival.at < measured_from:
            continue
        of_unit = found.setdefault(wait.arrival.unit if unit is None else unit, {})
        of_unit.setdefault(wait.queue_id, QueueTally()).add(wait)
        for _, queue_id in wait.moves:
            of_unit.setdefault(queue_id, QueueTally()).received += 1
    return found


def add_up(parts: Iterable[ByUnit]) -> ByUnit:
    """Returns the tallies of several runs, unit by unit."""
    found: ByUnit = {}
    for part in parts:
        for unit, tallies in part.items():
            of_unit = found.setdefault(unit, {})
            for queue_id, tally in tallies.items():
                of_unit[queue_id] = of_unit[queue_id].plus(tally) if queue_id in of_unit else tally
    return found


def of_queue(by_unit: ByUnit, queue_id: QueueId) -> Iterator[tuple[int, QueueTally]]:
    """Yields each unit with the tally of the queue, an empty one if nothing happened there."""
    for unit in sorted(by_unit):
        yield unit, by_unit[unit].get(queue_id, QueueTally())
