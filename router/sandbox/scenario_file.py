"""From a scenario file to a scenario; every mistake in it located, all at once."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from router.problems import Problem, Problems, did_you_mean
from router.sandbox.behaviours import Behaviours
from router.sandbox.identity import Identity
from router.sandbox.instance_setup import ALWAYS_OPEN
from router.sandbox.operations import OPERATIONS
from router.sandbox.quotas import CallRate
from router.sandbox.scenario import Scenario
from router.sandbox.scenario_setup import settings_of
from router.sandbox.scenario_tables import ScenarioDocument
from router.toml_source import TomlSource, located

Place = tuple[str | int, ...]


def load_scenario(path: Path) -> Scenario:
    """Raises ``Problems``: an unreadable file, no TOML, unknown keys, wrong values, names that nothing has."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Problems([Problem(str(path), 1, 1, f"cannot be read: {error.strerror}")]) from error
    return parse_scenario(str(path), data)


def parse_scenario(file: str, data: bytes) -> Scenario:
    source = TomlSource.parse(file, data)
    try:
        document = ScenarioDocument.model_validate(source.data)
    except ValidationError as error:
        raise Problems(located(error, source, ScenarioDocument)) from error
    found = [source.problem(place, message) for place, message in _mistakes(document)]
    if found:
        raise Problems(found)
    return _scenario(document)


def _scenario(document: ScenarioDocument) -> Scenario:
    instance, quotas, latency = document.instance, document.quotas, document.latency_ms
    return Scenario(
        identity=Identity(
            instance_id=instance.id, account=instance.account, region=instance.region, alias=instance.alias
        ),
        seed=document.seed,
        behaviours=Behaviours(**dict(document.behaviours)),
        quotas=quotas
        if isinstance(quotas, str)
        else {operation: CallRate(each.rate, each.burst) for operation, each in quotas.items()},
        latency=(timedelta(milliseconds=latency[0]), timedelta(milliseconds=latency[1])),
        default_flows=document.default_flows,
        settings=settings_of(document),
    )


def _mistakes(document: ScenarioDocument) -> Iterator[tuple[Place, str]]:
    """What a type cannot say: names used twice, names that nothing has."""
    yield from _twice(document)
    queues = [each.name for each in document.queue]
    hours = [ALWAYS_OPEN, *(each.name for each in document.hours)]
    for index, queue in enumerate(document.queue):
        if queue.hours is not None:
            yield from _known(queue.hours, hours, ("queue", index, "hours"), "hours of operation")
    for index, flow in enumerate(document.flow):
        if flow.queue is not None:
            yield from _known(flow.queue, queues, ("flow", index, "queue"), "queue")
    for index, agent in enumerate(document.agent):
        for number, name in enumerate(agent.queues):
            yield from _known(name, queues, ("agent", index, "queues", number), "queue")
        if agent.put_back and agent.handling is None:
            yield ("agent", index, "put_back"), "an agent without `handling` takes nothing, and puts nothing back"
    for table in ("backlog", "arrivals"):
        for index, contact in enumerate(getattr(document, table)):
            yield from _known(contact.queue, queues, (table, index, "queue"), "queue")
    yield from _zones(document)
    yield from _operations(document)
    if document.latency_ms[0] > document.latency_ms[1]:
        yield ("latency_ms",), "the first of the two must not be the longer"


def _twice(document: ScenarioDocument) -> Iterator[tuple[Place, str]]:
    kinds: tuple[tuple[str, str, list[Any]], ...] = (
        ("hours", "name", document.hours),
        ("queue", "name", document.queue),
        ("flow", "name", document.flow),
        ("agent", "username", document.agent),
    )
    for table, key, things in kinds:
        seen = {ALWAYS_OPEN} if table == "hours" else set()
        for index, thing in enumerate(things):
            name = getattr(thing, key)
            if name in seen:
                yield (table, index, key), f"{table} {name!r} occurs twice"
            seen.add(name)


def _zones(document: ScenarioDocument) -> Iterator[tuple[Place, str]]:
    for index, hours in enumerate(document.hours):
        try:
            zoneinfo.ZoneInfo(hours.zone)
        except (KeyError, ValueError, OSError):
            hint = did_you_mean(hours.zone, zoneinfo.available_timezones())
            yield ("hours", index, "zone"), f"{hours.zone!r} is no time zone{hint}"
        for number, override in enumerate(hours.override):
            if override.last is not None and override.last < override.first:
                yield ("hours", index, "override", number, "last"), "`last` is before `first`"


def _operations(document: ScenarioDocument) -> Iterator[tuple[Place, str]]:
    if not isinstance(document.quotas, str):
        for name in document.quotas:
            yield from _known(name, OPERATIONS, ("quotas", name), "operation of the sandbox")
    for index, fault in enumerate(document.fault):
        if fault.operation is not None:
            yield from _known(fault.operation, OPERATIONS, ("fault", index, "operation"), "operation of the sandbox")


def _known(name: str, known: Iterable[str], place: Place, kind: str) -> Iterator[tuple[Place, str]]:
    names = list(known)
    if name not in names:
        yield place, f"there is no {kind} {name!r}{did_you_mean(name, names)}"
