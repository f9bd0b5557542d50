"""Scales tests to the run and to the machine: examples by the profile of Hypothesis, time limits by the load."""

from __future__ import annotations

import os

from hypothesis import settings

WHOLE = 100
"""Examples of a property test in a profile that makes all that a test names."""


def scaled(count: int) -> int:
    """Returns how many examples the profile in force wants, of the ``count`` that a test names; at least one."""
    return max(1, count * settings().max_examples // WHOLE)


def patience(seconds: float) -> float:
    """Returns the limit for a span that takes up to ``seconds`` on an idle machine, on this one, as busy as it is."""
    waiting_for_a_core = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, 2 * waiting_for_a_core)
