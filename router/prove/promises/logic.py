"""Builds formulas for the solver. A value that is known already is a plain ``bool`` or ``int``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import z3

Formula = Any
"""A ``bool``, or a formula of the solver."""
Time = Any
"""Microseconds: an ``int``, or a term of the solver."""


def all_of(parts: Iterable[Formula]) -> Formula:
    found = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            found.append(part)
    return z3.And(found) if len(found) > 1 else found[0] if found else True


def any_of(parts: Iterable[Formula]) -> Formula:
    found = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            found.append(part)
    return z3.Or(found) if len(found) > 1 else found[0] if found else False


def negation(part: Formula) -> Formula:
    return not part if isinstance(part, bool) else z3.Not(part)


def micros(duration: timedelta) -> int:
    return duration // timedelta.resolution


def at_least(one: Time, other: Time) -> Formula:
    """Returns that ``one`` is not below ``other``."""
    return one >= other


def one_of(choices: list[Any]) -> list[Formula]:
    """Returns that exactly one of these variables holds."""
    if len(choices) == 1:
        return [choices[0]]
    return [z3.PbEq([(one, 1) for one in choices], 1)]
