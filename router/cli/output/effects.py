"""Formats what a simulation found: a row for each figure of each queue, for people, for programs and for CI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from router.cli.output.fitting_table import Column, FittingTable
from router.cli.output.tables import table
from router.durations import span
from router.model import QueueId
from router.simulation.effects import IN_TIME, EffectVerdict, QueueEffect
from router.simulation.intervals import Estimate

Names = Callable[[QueueId], str]

COMPARED = (
    Column("queue"),
    Column("role", least=None, drop=4),
    Column("figure", least=None),
    Column("A", right=True, least=None, drop=2),
    Column("B", right=True, least=None, drop=3),
    Column("B - A", right=True, least=None),
    Column("95 % interval", right=True, least=None),
    Column("note", least=None, drop=1),
)
ALONE = (
    Column("queue"),
    Column("figure", least=None),
    Column("value", right=True, least=None),
    Column("95 % interval", right=True, least=None),
)


def effects_table(effects: Iterable[QueueEffect], roles: Mapping[QueueId, str], names: Names) -> FittingTable:
    """Returns the figures as a table for a terminal."""
    heading, *rows = table_rows(effects, roles, names)
    return table(COMPARED if len(heading) == len(COMPARED) else ALONE, rows)


def table_rows(effects: Iterable[QueueEffect], roles: Mapping[QueueId, str], names: Names) -> list[Sequence[object]]:
    """Returns the heading, and a row for each figure, or those of A if nothing is compared. Figures that are zero on
    both sides are left out."""
    shown = [one for one in effects if not _is_nothing(one)]
    if any(one.difference is not None for one in shown):
        return [[one.heading for one in COMPARED], *(_compared(one, roles, names) for one in shown)]
    return [[one.heading for one in ALONE], *(_alone(one, names) for one in shown)]


def _is_nothing(effect: QueueEffect) -> bool:
    values = [one.value for one in (effect.a, effect.b) if one is not None]
    return effect.measure.kind != "time" and effect.measure is not IN_TIME and not any(values)


def _compared(effect: QueueEffect, roles: Mapping[QueueId, str], names: Names) -> Sequence[object]:
    kind, found = effect.measure.kind, effect.difference
    assert found is not None, "two sides are compared"
    shown = effect.stated
    return (
        names(effect.queue_id),
        roles.get(effect.queue_id, ""),
        effect.measure.title,
        value(effect.a, kind),
        value(effect.b, kind),
        signed(found.value, kind) if shown else "",
        interval(found, kind, signed) if shown else "",
        _note(effect),
    )


def _note(effect: QueueEffect) -> str:
    """Returns why a figure has no difference, or no interval."""
    if not effect.stated:
        return f"smaller than the error of rebuilding ({plain(effect.error or 0.0, effect.measure.kind)})"
    if effect.difference is not None and not effect.difference.bounded:
        if effect.least is None:
            return "no interval"
        if effect.units < effect.least:
            return f"no interval from fewer than {effect.least} days or replications"
        return "one day differs: no interval"
    return ""


def _alone(effect: QueueEffect, names: Names) -> Sequence[object]:
    kind = effect.measure.kind
    assert effect.a is not None, "a figure has a value"
    return names(effect.queue_id), effect.measure.title, value(effect.a, kind), interval(effect.a, kind, plain)


def value(estimate: Estimate | None, kind: str) -> str:
    return "" if estimate is None else plain(estimate.value, kind)


def plain(number: float, kind: str) -> str:
    if kind == "share":
        return f"{100 * number:.1f} %"
    return seconds(number) if kind == "time" else f"{number:.3f}"


def signed(number: float, kind: str) -> str:
    if kind == "share":
        return f"{100 * number:+.1f} points"
    if kind == "time":
        return f"{'-' if number < 0 else '+'}{seconds(abs(number))}"
    return f"{number:+.3f}"


def seconds(number: float) -> str:
    return f"{number:.1f}s" if abs(number) < 60 else span(timedelta(seconds=number))


def interval(estimate: Estimate, kind: str, shown: Callable[[float, str], str]) -> str:
    """Returns both ends; empty if too few units are known."""
    if not estimate.bounded:
        return ""
    low, high = estimate.low, estimate.high
    if shown is plain:
        low, high = max(low, 0.0), min(high, 1.0) if kind == "share" else high
    return f"{shown(low, kind)} to {shown(high, kind)}"


def effects_as_json(effects: Iterable[QueueEffect], roles: Mapping[QueueId, str], names: Names) -> list[dict[str, Any]]:
    return [
        {
            "queue": names(one.queue_id),
            "role": roles.get(one.queue_id, ""),
            "figure": one.measure.name,
            "unit": {"time": "s"}.get(one.measure.kind, one.measure.kind),
            "a": _numbers(one.a),
            "b": _numbers(one.b),
            "difference": _numbers(one.difference) if one.stated else None,
            "error": one.error,
        }
        for one in effects
    ]


def _numbers(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    ends = (None, None) if not estimate.bounded else (round(estimate.low, 6), round(estimate.high, 6))
    return {"value": round(estimate.value, 6), "low": ends[0], "high": ends[1]}


def effect_cases(
    effects: Iterable[QueueEffect], verdict: EffectVerdict, names: Names
) -> Iterator[tuple[str, str, str | None]]:
    """Yields a test case for each queue with a promise; those that the verdict is about fail."""
    for one in effects:
        if one.measure is IN_TIME and one.difference is not None:
            failed = one.queue_id in verdict.queues
            yield "effects", names(one.queue_id), f"{verdict.finding}: {verdict.why}" if failed else None
