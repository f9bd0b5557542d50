"""Computes with spans of time: pairs of the instants, in seconds, at which something begins and ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from router.simulation.centre import Seconds

Span = tuple[Seconds, Seconds]


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Returns the time that is in any of the spans, in order, without overlaps."""
    found: list[Span] = []
    for begins, ends in sorted(spans):
        if ends <= begins:
            continue
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return tuple(found)


def both(one: Iterable[Span], other: Iterable[Span]) -> Iterator[Span]:
    """Yields the time that is in both. The spans of each are in order and do not overlap."""
    left, right = iter(one), iter(other)
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        begins, ends = max(a[0], b[0]), min(a[1], b[1])
        if begins < ends:
            yield begins, ends
        if a[1] <= b[1]:
            a = next(left, None)
        else:
            b = next(right, None)


def overloaded(spans: Iterable[Span], most: int) -> Iterator[Span]:
    """Yields when more than ``most`` of the spans overlap."""
    changes = sorted(change for begins, ends in spans for change in ((begins, 1), (ends, -1)))
    now, since = 0, 0.0
    for at, change in changes:
        if now > most and now + change <= most and at > since:
            yield since, at
        now += change
        if now == most + 1 and change > 0:
            since = at
