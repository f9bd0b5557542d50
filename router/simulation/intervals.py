"""Computes how sure an estimate is that adds up independent days or replications."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import atan, cbrt, comb, cos, gamma, inf, pi, sqrt
from statistics import NormalDist

from router.simulation.tally import QueueTally

CONFIDENCE = 0.95

_STEPS = 400


@lru_cache(maxsize=64)
def student_quantile(share: float, freedom: int) -> float:
    """Returns the value that Student's t does not exceed with this probability, found by bisection of its integral."""
    if freedom > 300:
        return NormalDist().inv_cdf(share)
    low, high = 0.0, 1_000.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle, freedom) < share else (low, middle)
    return high


def _below(value: float, freedom: int) -> float:
    """Returns the probability of at most ``value``, not negative, by Simpson's rule over an angle."""
    top = atan(value / sqrt(freedom))
    scale = gamma((freedom + 1) / 2) / (gamma(freedom / 2) * sqrt(pi))
    width = top / _STEPS
    total = sum(
        (4 if n % 2 else 2 if 0 < n < _STEPS else 1) * cos(n * width) ** (freedom - 1) for n in range(_STEPS + 1)
    )
    return 0.5 + scale * total * width / 3


def largest_probability(seen: int, units: int, doubt: float) -> float:
    """Returns the upper bound of the probability of an event that ``seen`` of ``units`` show.

    At this bound, at most ``seen`` of them show it with a probability of ``doubt`` (C. Clopper and E. Pearson, 1934).
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        at_most_seen = sum(comb(units, n) * middle**n * (1 - middle) ** (units - n) for n in range(seen + 1))
        low, high = (middle, high) if at_most_seen > doubt else (low, middle)
    return high


@dataclass(frozen=True, slots=True)
class Estimate:
    """Holds a value and the ends of its interval, which are infinite if too few units are known."""

    value: float
    low: float = -inf
    high: float = inf

    @property
    def bounded(self) -> bool:
        return self.high - self.low < inf


Pair = tuple[QueueTally, QueueTally]


def jackknife(
    units: Sequence[Pair],
    value: Callable[[QueueTally, QueueTally], float | None],
    least: int | None = 2,
    confidence: float = CONFIDENCE,
) -> Estimate | None:
    """Returns a value of all units together, with its interval from leaving out each unit once.

    The units are independent days or replications (Tukey's jackknife, with Student's quantile). Days with long waits
    are rare, and a symmetric interval misses the truth too often: it is corrected for the skewness (P. Hall, On the
    removal of skewness by transformation, 1992). Fewer than ``least`` units have no interval; ``None``: none has.
    """
    whole = summed(units)
    estimate = value(*whole)
    if estimate is None:
        return None
    if least is None or len(units) < max(least, 2):
        return Estimate(estimate)
    without = [value(whole[0].plus(one, -1), whole[1].plus(other, -1)) for one, other in units]
    known = [one for one in without if one is not None]
    n = len(known)
    if n < 2:
        return Estimate(estimate)
    middle = sum(known) / n
    error = sqrt((n - 1) / n * sum((one - middle) ** 2 for one in known))
    if not error:
        return Estimate(estimate, estimate, estimate)
    skewness = _skewness([middle - one for one in known]) / sqrt(n)
    quantile = student_quantile(1 - (1 - confidence) / 2, n - 1)
    low, high = (estimate - error * _corrected(side, skewness) for side in (quantile, -quantile))
    return Estimate(estimate, low, high)


def _skewness(values: Sequence[float]) -> float:
    """Returns the skewness of values whose mean is zero."""
    n = len(values)
    if n < 3:
        return 0.0
    deviation = sqrt(sum(one**2 for one in values) / (n - 1))
    return sum(one**3 for one in values) * n / ((n - 1) * (n - 2)) / deviation**3


def _corrected(quantile: float, skewness: float) -> float:
    """Returns the quantile of a studentized mean of values with this skewness, over the root of their number."""
    if abs(skewness) < 1e-6:
        return quantile
    return (cbrt(1 + skewness * (quantile - skewness / 6)) - 1) / (skewness / 3)


def summed(units: Iterable[Pair]) -> Pair:
    a, b = QueueTally(), QueueTally()
    for one, other in units:
        a, b = a.plus(one), b.plus(other)
    return a, b
