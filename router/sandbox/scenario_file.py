"""Reads a scenario file, and finds every mistake at once, each with its place."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from router.problems import Problems, did_you_mean
from router.sandbox.instance_setup import ALWAYS_OPEN
from router.sandbox.operations import OPERATIONS
from router.sandbox.scenario_tables import OUTCOME_KEYS, FaultTable, HoursTable, ScenarioDocument
from router.sandbox.wire.answer import can_respond, errors_of
from router.toml_source import TomlSource, located, read_bytes, with_key

ScenarioPlace = tuple[str | int, ...]


def read_scenario(path: Path) -> bytes:
    """Returns the content of the file. Raises ``Problems`` if it cannot be read."""
    return read_bytes(path)


def parse_document(file: str, data: bytes) -> ScenarioDocument:
    """Returns the tables of the file. Raises ``Problems``: no TOML, unknown keys, wrong values, unknown names."""
    source = TomlSource.parse(file, data)
    try:
        document = ScenarioDocument.model_validate(source.data, context={"folder": Path(file).parent})
    except ValidationError as error:
        raise Problems(located(error, source, ScenarioDocument, name_keys=True)) from error
    found = [source.problem(place, with_key(place, message)) for place, message in _mistakes(document)]
    if found:
        raise Problems(found)
    return document


def _mistakes(document: ScenarioDocument) -> Iterator[tuple[ScenarioPlace, str]]:
    """Finds the mistakes that no type excludes: names used twice, and names of nothing."""
    kinds: tuple[tuple[str, str, list[Any]], ...] = (
        ("hours", "name", document.hours),
        ("queue", "name", document.queue),
        ("flow", "name", document.flow),
        ("agent", "username", document.agent),
    )
    yield from names_used_twice(kinds)
    queues = [each.name for each in document.queue]
    hours = [ALWAYS_OPEN, *(each.name for each in document.hours)]
    for index, queue in enumerate(document.queue):
        yield from unknown_name(queue.hours, hours, ("queue", index, "hours"), "hours of operation")
    for index, flow in enumerate(document.flow):
        if flow.queue is not None:
            yield from unknown_name(flow.queue, queues, ("flow", index, "queue"), "queue")
        replaced = flow.model_fields_set & OUTCOME_KEYS if flow.content is not None else ()
        for key in sorted(replaced):
            yield ("flow", index, key), "`content` defines what the flow does: remove this key"
    for index, agent in enumerate(document.agent):
        for number, name in enumerate(agent.queues):
            yield from unknown_name(name, queues, ("agent", index, "queues", number), "queue")
        if agent.put_back and agent.handling is None:
            yield ("agent", index, "put_back"), "an agent without `handling` takes nothing, and puts nothing back"
    for table in ("backlog", "arrivals"):
        for index, contact in enumerate(getattr(document, table)):
            yield from unknown_name(contact.queue, queues, (table, index, "queue"), "queue")
    yield from mistaken_hours(document.hours)
    yield from _operations(document)
    if document.latency_ms[0] > document.latency_ms[1]:
        yield ("latency_ms",), "the first of the two must not be the longer"


def names_used_twice(kinds: Iterable[tuple[str, str, Sequence[Any]]]) -> Iterator[tuple[ScenarioPlace, str]]:
    """Takes the name of each table, the key of its names, and its entries."""
    for table, key, things in kinds:
        seen = {ALWAYS_OPEN} if table == "hours" else set()
        for index, thing in enumerate(things):
            name = getattr(thing, key)
            if name in seen:
                yield (table, index, key), f"{table} {name!r} occurs twice"
            seen.add(name)


def mistaken_hours(tables: Sequence[HoursTable]) -> Iterator[tuple[ScenarioPlace, str]]:
    """Finds unknown time zones, and overrides that end before they begin."""
    for index, hours in enumerate(tables):
        yield from unknown_zone(hours.zone, ("hours", index, "zone"))
        for number, override in enumerate(hours.override):
            if override.last is not None and override.last < override.first:
                yield ("hours", index, "override", number, "last"), "`last` is before `first`"


def unknown_zone(zone: str, place: ScenarioPlace) -> Iterator[tuple[ScenarioPlace, str]]:
    try:
        zoneinfo.ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(zone, zoneinfo.available_timezones())
        yield place, f"{zone!r} is no time zone{hint}"


def _operations(document: ScenarioDocument) -> Iterator[tuple[ScenarioPlace, str]]:
    if not isinstance(document.quotas, str):
        for name in document.quotas:
            yield from unknown_name(name, OPERATIONS, ("quotas", name), "operation of the sandbox")
    for index, fault in enumerate(document.fault):
        if fault.operation is not None:
            place = ("fault", index, "operation")
            yield from unknown_name(fault.operation, OPERATIONS, place, "operation of the sandbox")
        if fault.operation in (None, *OPERATIONS):
            yield from _impossible_error(fault, ("fault", index, "code"))


def _impossible_error(fault: FaultTable, place: ScenarioPlace) -> Iterator[tuple[ScenarioPlace, str]]:
    """Yields a code that AWS cannot send for the operation: what a router makes of it would show nothing."""
    if "code" not in fault.model_fields_set:
        return
    operations = OPERATIONS if fault.operation is None else [fault.operation]
    cannot = [name for name in operations if not can_respond(name, fault.code)]
    if not cannot:
        return
    if fault.operation is not None:
        own = ", ".join(sorted(errors_of(fault.operation)))
        yield place, f"code: {fault.operation} cannot respond with {fault.code!r}; its own errors are {own}"
    else:
        some = "" if len(cannot) == len(operations) else ": name one that can, as `operation`"
        yield place, f"code: {cannot[0]} and others cannot respond with {fault.code!r}{some}"


def unknown_name(
    name: str, known: Iterable[str], place: ScenarioPlace, kind: str
) -> Iterator[tuple[ScenarioPlace, str]]:
    names = list(known)
    if name not in names:
        yield place, f"there is no {kind} {name!r}{did_you_mean(name, names)}"
