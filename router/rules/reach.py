"""Which queues' contacts a condition could match, whatever else they are: never too few."""

from __future__ import annotations

from router.rules.condition import AllOf, AnyOf, Condition, Test

Names = tuple[str, ...]
"""A queue as a subject shows it: its name and id, or what is known of them."""

ELSEWHERE: Names = ("\N{WHITE SQUARE} a queue made later", "00000000-no-such-queue")
"""Stands for the queues that the instance may be given later; a condition that could match it narrows nothing."""


def could_match(condition: Condition, queue: Names, channel: str | None = None) -> bool:
    """Whether some contact of the queue (and of the channel, where one is given) could match: a test of anything else
    may come out either way."""
    return _possible(condition, queue, channel)[0]


def must_match(condition: Condition, queue: Names, channel: str) -> bool:
    """Whether every contact of the queue and channel matches, whatever else it is."""
    return not _possible(condition, queue, channel)[1]


def _possible(condition: Condition, queue: Names, channel: str | None = None) -> tuple[bool, bool]:
    """Whether the condition could hold, and whether it could fail."""
    if isinstance(condition, Test):
        value = {"queue": queue, "channel": channel}.get(condition.key)
        if value is None:
            return True, True
        fits = condition.fits(value)
        return fits, not fits
    outcomes = [_possible(child, queue, channel) for child in condition.children]
    if isinstance(condition, AllOf):
        return all(holds for holds, _ in outcomes), any(fails for _, fails in outcomes)
    some, none = any(holds for holds, _ in outcomes), all(fails for _, fails in outcomes)
    return (some, none) if isinstance(condition, AnyOf) else (none, some)
