"""Builds rows over several axes in which every two values of any two axes occur together at least once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

Pair = frozenset[tuple[str, int]]


def all_pairs(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Returns rows that together contain every pair, by a greedy and deterministic search.

    Each row begins with the first pair that no row has yet. For every other axis, longest first, it takes the value
    that adds most pairs. The result is about half as long again as the shortest possible one.
    """
    order = sorted(axes, key=lambda axis: -len(axes[axis]))
    left = dict.fromkeys(pairs(axes))
    rows = []
    while left:
        chosen = dict(sorted(next(iter(left))))
        for axis in order:
            if axis not in chosen:
                chosen[axis] = max(range(len(axes[axis])), key=lambda value: (_gain(chosen, axis, value, left), -value))
        for pair in combinations(chosen.items(), 2):
            left.pop(frozenset(pair), None)
        rows.append({axis: axes[axis][chosen[axis]] for axis in axes})
    return rows


def pairs(axes: Mapping[str, Sequence[Any]]) -> list[Pair]:
    """Returns every two values of any two axes, by the values' numbers."""
    return [
        frozenset({(one, at_one), (other, at_other)})
        for one, other in combinations(axes, 2)
        for at_one in range(len(axes[one]))
        for at_other in range(len(axes[other]))
    ]


def _gain(chosen: Mapping[str, int], axis: str, value: int, left: Mapping[Pair, None]) -> int:
    return sum(frozenset({(axis, value), each}) in left for each in chosen.items())
