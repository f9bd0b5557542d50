"""Computes quantiles of Student's t distribution."""

from __future__ import annotations

from functools import lru_cache
from math import atan, cos, gamma, pi, sqrt
from statistics import NormalDist

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
