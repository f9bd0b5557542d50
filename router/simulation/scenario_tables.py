"""Defines the tables of a simulation scenario, reads them, and finds every mistake at once, each with its place.

Tables and keys that the sandbox's scenarios have too mean the same here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from router.durations import Duration
from router.problems import Problems
from router.sandbox.instance_setup import ALWAYS_OPEN
from router.sandbox.scenario_file import (
    ScenarioPlace,
    mistaken_hours,
    names_used_twice,
    unknown_name,
    unknown_zone,
)
from router.sandbox.scenario_tables import (
    BacklogTable,
    Channel,
    ContactTable,
    Day,
    HoursTable,
    HoursWindow,
    Instant,
    ScenarioTable,
    ShortText,
    Span,
)
from router.settings.field_types import Positive
from router.settings.sections import GuardSettings
from router.toml_source import TomlSource, located, with_key

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
"""When a scenario without ``start`` begins."""
Rate = Annotated[float, Field(ge=0, le=10_000)]
DAY = timedelta(days=1)
MOST_DAYS = 3_660


class SimulationTable(BaseModel):
    model_config = ScenarioTable.model_config


class PromisingQueueTable(SimulationTable):
    name: ShortText
    hours: str = ALWAYS_OPEN
    promise: Positive | None = None
    description: ShortText | None = None


class TeamTable(SimulationTable):
    username: Annotated[str, Field(min_length=1, max_length=100)]
    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    queues: list[str] = []
    priorities: dict[str, Annotated[int, Field(ge=1, le=99)]] = {}
    slots: dict[Channel, Annotated[int, Field(ge=0, le=10)]] = {"TASK": 1, "EMAIL": 1}
    hours: str = ALWAYS_OPEN
    handling: Positive | None = None
    put_back: Annotated[float, Field(ge=0, lt=1)] = 0.0


class HandlingTable(SimulationTable):
    queue: str
    channel: Channel | None = None
    shape: Literal["exponential", "lognormal", "fixed"] = "exponential"
    mean: Positive
    deviation: Positive | None = None


class PeriodTable(SimulationTable):
    days: list[Day] = []
    between: HoursWindow | None = None
    per_minute: Rate


class RatedArrivalsTable(ContactTable):
    per_minute: Rate = 0.0
    period: Annotated[list[PeriodTable], Field(default_factory=list)]
    zone: str = "UTC"
    patience: Positive | None = None


class SimulationDocument(SimulationTable):
    """Holds a whole scenario."""

    seed: int = 1
    start: Instant = MONDAY
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 5
    warm_up: Duration = timedelta()
    landing: Span = (timedelta(seconds=5), timedelta(seconds=5))
    keep_place: bool = True
    poll_every: Positive = timedelta(seconds=15)
    guard: GuardSettings = GuardSettings()
    hours: list[HoursTable] = []
    queue: list[PromisingQueueTable] = []
    agent: list[TeamTable] = []
    handling: list[HandlingTable] = []
    backlog: list[BacklogTable] = []
    arrivals: list[RatedArrivalsTable] = []


def parse_simulation(file: str, data: bytes) -> SimulationDocument:
    """Returns the tables of the file. Raises ``Problems``: no TOML, unknown keys, wrong values, unknown names."""
    source = TomlSource.parse(file, data)
    try:
        document = SimulationDocument.model_validate(source.data)
    except ValidationError as error:
        raise Problems(located(error, source, SimulationDocument, name_keys=True)) from error
    found = [source.problem(place, with_key(place, message)) for place, message in _mistakes(document)]
    if found:
        raise Problems(found)
    return document


def _mistakes(document: SimulationDocument) -> Iterator[tuple[ScenarioPlace, str]]:
    """Finds the mistakes that no type excludes."""
    yield from names_used_twice(
        (("hours", "name", document.hours), ("queue", "name", document.queue), ("agent", "username", document.agent))
    )
    queues = [each.name for each in document.queue]
    for table in ("handling", "backlog", "arrivals"):
        for index, each in enumerate(getattr(document, table)):
            yield from unknown_name(each.queue, queues, (table, index, "queue"), "queue")
    hours = [ALWAYS_OPEN, *(each.name for each in document.hours)]
    for table in ("queue", "agent"):
        for index, each in enumerate(getattr(document, table)):
            yield from unknown_name(each.hours, hours, (table, index, "hours"), "hours of operation")
    for index, agent in enumerate(document.agent):
        for number, name in enumerate(agent.queues):
            yield from unknown_name(name, queues, ("agent", index, "queues", number), "queue")
        for name in agent.priorities:
            yield from unknown_name(name, agent.queues, ("agent", index, "priorities", name), "queue of this agent")
    yield from mistaken_hours(document.hours)
    for index, arrivals in enumerate(document.arrivals):
        yield from unknown_zone(arrivals.zone, ("arrivals", index, "zone"))
    yield from _values(document)


def _values(document: SimulationDocument) -> Iterator[tuple[ScenarioPlace, str]]:
    if not document.arrivals and not document.backlog:
        yield (), "nothing arrives: give [[arrivals]] or [[backlog]]"
    if document.warm_up >= document.days * DAY:
        yield ("warm_up",), "must be shorter than `days`, because contacts are counted after it only"
    for index, each in enumerate(document.handling):
        if (each.shape == "lognormal") is (each.deviation is None):
            yield ("handling", index, "deviation"), 'is given if `shape` is "lognormal", and only then'
        same = (
            other for other in document.handling[:index] if (other.queue, other.channel) == (each.queue, each.channel)
        )
        if next(same, None) is not None:
            yield ("handling", index, "queue"), f"the handle times of {each.queue!r} are given twice"
    for index, arrivals in enumerate(document.arrivals):
        if not arrivals.per_minute and not arrivals.period:
            yield ("arrivals", index), "give `per_minute`, or a `period` with it"
