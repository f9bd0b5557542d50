"""Scales the work of a property test by the profile of Hypothesis: ``make fast`` tries a tenth of it."""

from __future__ import annotations

from hypothesis import settings

SUITE = 100
"""Examples of a property test in the profile ``suite``."""


def scaled(count: int) -> int:
    """Returns how many examples the profile in force wants, if ``suite`` wants ``count`` of them; at least one."""
    return max(1, count * settings().max_examples // SUITE)
