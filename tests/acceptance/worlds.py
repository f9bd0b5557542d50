"""Draws worlds over the switches of the sandbox, and compares what the suite finds out with what they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from router.acceptance.instance_profile import table_of
from router.acceptance.probe import SWITCHES
from router.acceptance.suite import Run
from router.durations import parse_duration
from router.sandbox import Behaviours
from tests.acceptance.bench import open_bench
from tests.builders.all_pairs import all_pairs

World = dict[str, Any]
SECOND = timedelta(seconds=1)
DURATIONS = {
    "index_lag": (0, 30, 180),
    "old_segment_lag": (0, 45, 300),
    "metrics_lag": (0, 20, 120),
    "routing_delay": (0, 15, 90),
    "flow_start_delay": (0, 3, 20),
}
AXES: dict[str, tuple[Any, ...]] = {
    name: tuple(seconds * SECOND for seconds in DURATIONS[name]) if values is None else values
    for name, values in SWITCHES.items()
}

OF_SEGMENTS = frozenset(name for name in AXES if name.startswith("new_segment_")) | {
    "answer_id",
    "old_segment_lag",
    "transfer_initiation_method",
}
"""Switches without an effect if a transfer makes no new segment."""


def each_value() -> list[World]:
    """Returns as few worlds as have each value of each switch."""
    return [{name: values[number % len(values)] for name, values in AXES.items()} for number in range(3)]


def every_pair() -> list[World]:
    return all_pairs(AXES)


def random_worlds(count: int, seed: int) -> list[World]:
    chance = Random(seed)
    return [{name: chance.choice(values) for name, values in AXES.items()} for _ in range(count)]


def hidden(world: World) -> frozenset[str]:
    """Returns the switches whose value no call can show in this world."""
    found = {"put_back"}
    if world["transfer"] == "same_contact":
        found |= OF_SEGMENTS
    if world["repeated_token"] == "unknown":
        found.add("token_memory")
    if world["queue_info"] == "arn" and world["agent_queue_id"] != "own_id":
        found.add("agent_queue_id")
    return frozenset(found)


def explore(world: World) -> tuple[Run, list[str]]:
    """Runs the suite in the world. Returns the run, and what it has left behind."""
    with open_bench(Behaviours(**world)) as bench:
        run = bench.perform()
        return run, [*bench.remains(), *run.left, *bench.sandbox.problems]


def differences(world: World, run: Run) -> Iterator[str]:
    """Yields a line for each switch that the profile has wrong, and for each that it should, or should not, know."""
    results = {result.name: table_of(result) for result in run.results}
    for name, value in world.items():
        seen = results[name].value
        if name in hidden(world):
            if seen is not None:
                yield f"{name}: guessed {seen}"
        elif seen is None:
            yield f"{name}: unsettled, because {results[name].unsettled}"
        elif not _same(seen, value):
            yield f"{name}: {seen} instead of {value}"


def _same(seen: bool | str, value: Any) -> bool:
    """Compares values. A duration is measured with the pace of the calls: within two seconds or 5 %."""
    if not isinstance(value, timedelta):
        return bool(seen == value)
    apart = abs((parse_duration(str(seen)) - value).total_seconds())
    return apart <= max(2.0, 0.05 * value.total_seconds())
