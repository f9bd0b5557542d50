"""Draws random numbers that depend only on a seed, a contact and a purpose, never on the order of the draws.

Two runs with different rules therefore give the same contact the same work and the same patience (common random
numbers), and what differs between the runs is the effect of the rules.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import exp, log, log1p, sqrt
from statistics import NormalDist
from typing import Protocol

_SCALE = float(2**64)
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class RandomStreams:
    """Holds the seed of one replication."""

    seed: str

    def uniform(self, contact_id: str, purpose: str) -> float:
        """Returns a number between 0 and 1, both excluded."""
        digest = blake2b(f"{self.seed}\0{purpose}\0{contact_id}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") + 0.5) / _SCALE


class Spread(Protocol):
    """Describes a distribution of times by its quantiles, in seconds."""

    def at(self, share: float) -> float: ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Is always the same time."""

    seconds: float

    def at(self, share: float) -> float:
        return self.seconds


@dataclass(frozen=True, slots=True)
class Exponential:
    mean: float

    def at(self, share: float) -> float:
        return -self.mean * log1p(-share)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Has a mean and a standard deviation in seconds, both of the times themselves and not of their logarithms."""

    mean: float
    deviation: float

    def at(self, share: float) -> float:
        spread = log1p((self.deviation / self.mean) ** 2)
        return exp(log(self.mean) - spread / 2 + sqrt(spread) * _NORMAL.inv_cdf(share))


@dataclass(frozen=True, slots=True)
class Between:
    """Is each time between two with the same probability."""

    least: float
    most: float

    def at(self, share: float) -> float:
        return self.least + (self.most - self.least) * share


@dataclass(frozen=True, slots=True)
class Observed:
    """Is one of the observed times, which are sorted."""

    times: Sequence[float]

    def at(self, share: float) -> float:
        return self.times[min(int(share * len(self.times)), len(self.times) - 1)]

    def share_of(self, seconds: float) -> float:
        """Returns the share of the times that are not longer: the middle of the step, so that ``at`` gives it back."""
        return (bisect_right(self.times, seconds) - 0.5) / len(self.times)
