"""Which queues' contacts a condition could match, whatever else they are: never too few."""

from __future__ import annotations

from collections.abc import Iterable

from router.rules.condition import AllOf, AnyOf, Condition, Test

Names = tuple[str, ...]
"""A queue as a subject shows it: its name and id, or what is known of them."""

ELSEWHERE: Names = ("\N{WHITE SQUARE} a queue made later", "00000000-no-such-queue")
"""Stands for the queues that the instance may be given later; a condition that could match it narrows nothing."""


def could_match(condition: Condition, queue: Names) -> bool:
    """Whether some contact of the queue could match: a test of anything but the queue may come out either way."""
    return _possible(condition, queue)[0]


def queues_of(condition: Condition, queues: Iterable[Names]) -> list[Names] | None:
    """Those of the queues whose contacts could match; ``None`` where a queue that is not among them could as well."""
    if could_match(condition, ELSEWHERE):
        return None
    return [queue for queue in queues if could_match(condition, queue)]


def _possible(condition: Condition, queue: Names) -> tuple[bool, bool]:
    """Whether the condition could hold, and whether it could fail."""
    if isinstance(condition, Test):
        if condition.key != "queue":
            return True, True
        fits = condition.fits(queue)
        return fits, not fits
    outcomes = [_possible(child, queue) for child in condition.children]
    if isinstance(condition, AllOf):
        return all(holds for holds, _ in outcomes), any(fails for _, fails in outcomes)
    some, none = any(holds for holds, _ in outcomes), all(fails for _, fails in outcomes)
    return (some, none) if isinstance(condition, AnyOf) else (none, some)
