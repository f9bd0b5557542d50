"""Computes what a change of the rules does to each queue, how sure that is, and whether it does harm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt
from types import MappingProxyType

from router.model import QueueId
from router.simulation.intervals import (
    CONFIDENCE,
    Estimate,
    Pair,
    jackknife,
    largest_probability,
    student_quantile,
    summed,
)
from router.simulation.tally import ByUnit, QueueTally, of_queue

DAYS_IN_SUCCESSION = 0.97
"""The confidence that gives at least 90 of 100 histories an interval with the true effect: days are not independent."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Describes one figure of a queue. ``kind`` is ``share``, ``time`` (seconds) or ``number``. ``rises``: more is
    better.

    ``units`` is from how many days or replications on the interval contains the true effect as often as it promises:
    with fewer, the rare days that make long waits are missing too often (``make simulation`` counts). ``None``: never.
    """

    name: str
    title: str
    kind: str
    of: Callable[[QueueTally], float | None]
    units: int | None
    rises: bool = False


def _ratio(part: str, whole: str) -> Callable[[QueueTally], float | None]:
    return lambda tally: getattr(tally, part) / getattr(tally, whole) if getattr(tally, whole) > 0 else None


FEW, MANY = 4, 20
"""Days or replications that suffice for shares and counts, and for mean times."""
IN_TIME = Measure("in_time", "in time", "share", _ratio("in_time", "promised"), FEW, rises=True)
MEASURES = (
    IN_TIME,
    Measure("late_by", "late by, mean", "time", _ratio("late_s", "promised"), MANY),
    Measure("wait", "wait, mean", "time", _ratio("waited_s", "waits"), MANY),
    Measure("p95", "wait, P95", "time", lambda tally: tally.quantile(0.95), 28),
    Measure("p99", "wait, P99", "time", lambda tally: tally.quantile(0.99), None),
    Measure("moves", "moves per contact", "number", _ratio("moves", "waits"), FEW),
    Measure("returns", "returns per contact", "number", _ratio("returns", "waits"), FEW),
    Measure("expired", "ended unanswered", "share", _ratio("expired", "waits"), FEW),
)


RECEIVED = Measure("received", "contacts received", "number", lambda tally: float(tally.received), FEW)
"""The measure of a queue in which no wait began: the mean of the units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEffect:
    """Holds one measure of one queue under rules A and B; B's side is ``None`` if only A was simulated.

    ``error`` is by how much the simulation of A misses what was observed; ``None`` without a history. An effect that
    is not ``stated`` is smaller than that. ``units`` are the days or replications in which anything waited,
    and ``least`` those that an interval needs; ``None``: there is none.
    """

    queue_id: QueueId
    measure: Measure
    a: Estimate | None
    b: Estimate | None = None
    difference: Estimate | None = None
    error: float | None = None
    units: int = 0
    least: int | None = None

    @property
    def stated(self) -> bool:
        return self.difference is not None and (self.error is None or abs(self.difference.value) >= self.error)


def effects_of(
    a: ByUnit,
    b: ByUnit | None,
    queues: Iterable[QueueId],
    errors: Mapping[tuple[QueueId, str], float] = MappingProxyType({}),
    *,
    by_day: bool = False,
) -> list[QueueEffect]:
    """Returns every measure of every queue, for the queues in which anything waited or to which anything was moved.

    ``by_day``: the units are the days of one history. A queue is carried over from day to day, and a few contacts that
    wait until the next day decide on the mean times. Most histories have too few of them: times have no interval.
    """
    found = []
    for queue_id in queues:
        units = _pairs(a, b, queue_id)
        pairs = [(one, other) for one, other in units if one.waits or other.waits]
        if not pairs:
            if any(one.received or other.received for one, other in units):
                found.append(_received(queue_id, units, compared=b is not None))
            continue
        for measure in MEASURES:
            effect = _effect(queue_id, measure, pairs, by_day=by_day, compared=b is not None)
            if effect is not None:
                found.append(replace(effect, error=errors.get((queue_id, measure.name))))
    return found


def _received(queue_id: QueueId, pairs: Sequence[Pair], *, compared: bool) -> QueueEffect:
    before, after = [one.received for one, _ in pairs], [other.received for _, other in pairs]
    if not compared:
        return QueueEffect(queue_id=queue_id, measure=RECEIVED, a=_mean(before))
    change = _mean([later - sooner for sooner, later in zip(before, after, strict=True)])
    return QueueEffect(queue_id=queue_id, measure=RECEIVED, a=_mean(before), b=_mean(after), difference=change)


def _mean(values: Sequence[int]) -> Estimate:
    n, middle = len(values), sum(values) / len(values)
    if n < 2:
        return Estimate(middle)
    error = sqrt(sum((one - middle) ** 2 for one in values) / (n - 1) / n)
    half = student_quantile(1 - (1 - CONFIDENCE) / 2, n - 1) * error
    return Estimate(middle, middle - half, middle + half)


def _pairs(a: ByUnit, b: ByUnit | None, queue_id: QueueId) -> list[Pair]:
    others = dict(of_queue(b, queue_id)) if b is not None else {}
    return [(tally, others.get(unit, QueueTally())) for unit, tally in of_queue(a, queue_id)]


def _effect(
    queue_id: QueueId, measure: Measure, pairs: Sequence[Pair], *, by_day: bool, compared: bool
) -> QueueEffect | None:
    def difference(one: QueueTally, other: QueueTally) -> float | None:
        before, after = measure.of(one), measure.of(other)
        return None if before is None or after is None else after - before

    confidence = DAYS_IN_SUCCESSION if by_day else CONFIDENCE
    least = None if measure.kind == "time" and by_day else measure.units
    before = jackknife(pairs, lambda one, _: measure.of(one), least, confidence)
    if before is None:
        return None
    effect = QueueEffect(queue_id=queue_id, measure=measure, a=before, units=len(pairs), least=least)
    if not compared:
        return effect
    after = jackknife(pairs, lambda _, other: measure.of(other), least, confidence)
    found = jackknife(pairs, difference, least, confidence)
    changed = sum(measure.of(one) != measure.of(other) for one, other in pairs)
    if found is not None and found.bounded and changed < 2 and (by_day or changed == 1):
        found = _rare(found.value, changed, pairs, measure, confidence)
    return replace(effect, b=after, difference=found)


def _rare(value: float, changed: int, pairs: Sequence[Pair], measure: Measure, confidence: float) -> Estimate:
    """Returns the interval of a difference that one unit shows, or none, although others may show it.

    Only a share of contacts has one. It assumes that on a day with a difference, each contact that the rules moved into
    the queue or out of it changes the result of one contact.
    """
    a, b = summed(pairs)
    moved = a.moves + a.received + b.moves + b.received
    if not moved and not changed:
        return Estimate(value, value, value)
    if not moved or measure.kind != "share":
        return Estimate(value)
    most = largest_probability(changed, len(pairs), (1 - confidence) / 2) * moved / max(a.waits, 1)
    return Estimate(value, min(value, -most), max(value, most))


class HarmFinding(StrEnum):
    """Names the verdicts on a change of the rules."""

    NO_HARM = "no harm"
    HARM = "harm"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class EffectVerdict:
    """Holds the verdict, the reason of it for people, and the queues because of which it is not ``no harm``."""

    finding: HarmFinding
    why: str
    queues: frozenset[QueueId] = frozenset()


def verdict_of(
    effects: Iterable[QueueEffect], *, harm: float, precision: float | None, names: Callable[[QueueId], str]
) -> EffectVerdict:
    """Judges the share of contacts in time, queue by queue: each may fall by ``harm`` at most.

    A queue is harmed if its whole interval is below that, and unharmed if none of it is. The error of the simulation
    widens the interval. ``precision`` is the largest half-width that is good enough.
    """
    judged = [one for one in effects if one.measure is IN_TIME and one.difference is not None]
    if not judged:
        return EffectVerdict(HarmFinding.UNDECIDED, "no queue has a promise")
    found = [(one.queue_id, *_finding(one, harm=harm, precision=precision, name=names(one.queue_id))) for one in judged]
    for finding in (HarmFinding.HARM, HarmFinding.UNDECIDED):
        of_kind = [(queue_id, why) for queue_id, one, why in found if one is finding]
        if of_kind:
            reasons = "; ".join(why for _, why in of_kind)
            return EffectVerdict(finding, reasons, frozenset(queue_id for queue_id, _ in of_kind))
    return EffectVerdict(HarmFinding.NO_HARM, f"in no queue does the share in time fall by more than {_points(harm)}")


def _finding(effect: QueueEffect, *, harm: float, precision: float | None, name: str) -> tuple[HarmFinding, str]:
    found, error = effect.difference, effect.error or 0.0
    assert found is not None, "only differences are judged"
    if not found.bounded:
        return HarmFinding.UNDECIDED, f'in "{name}" {effect.units} days or replications are too few for an interval'
    if found.high + error < -harm:
        return HarmFinding.HARM, f'in "{name}" {_points(-found.value)} fewer contacts are answered in time'
    if found.low - error < -harm:
        most = _points(error - found.low)
        return HarmFinding.UNDECIDED, f'in "{name}" up to {most} fewer contacts may be answered in time'
    if precision is not None and max(found.high - found.value, found.value - found.low) > precision:
        return HarmFinding.UNDECIDED, f'in "{name}" the interval is wider than {_points(precision)} on each side'
    return HarmFinding.NO_HARM, ""


def roles_of(a: ByUnit, b: ByUnit | None) -> dict[QueueId, str]:
    """Returns what the moves do to each queue: contacts leave it, it receives some, or both."""
    moved: set[QueueId] = set()
    received: set[QueueId] = set()
    for by_unit in (a, b or {}):
        for tallies in by_unit.values():
            moved.update(queue_id for queue_id, tally in tallies.items() if tally.moves)
            received.update(queue_id for queue_id, tally in tallies.items() if tally.received)
    both = dict.fromkeys(moved & received, "gives and receives")
    return dict.fromkeys(moved, "gives") | dict.fromkeys(received, "receives") | both


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
