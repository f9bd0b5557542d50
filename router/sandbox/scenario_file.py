"""Defines the tables of a scenario file, reads them, and finds every mistake at once, each with its place."""

from __future__ import annotations

import dataclasses
import re
import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import UTC, date, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
)
from pydantic_core import PydanticCustomError

from router.durations import Duration
from router.problems import Problem, Problems, as_written, did_you_mean
from router.sandbox.behaviours import Behaviours
from router.sandbox.directory import DEFAULT_ACCOUNT, DEFAULT_INSTANCE, DEFAULT_REGION
from router.sandbox.faults import Kind
from router.sandbox.flow_blocks import FlowBlocks
from router.sandbox.flow_outcome import FlowOutcome
from router.sandbox.instance import AVAILABLE, FlowState, FlowStatus, FlowType, Window
from router.sandbox.instance_setup import ALWAYS_OPEN
from router.sandbox.operations import OPERATIONS
from router.toml_source import TomlSource, located

Place = tuple[str | int, ...]
Channel = Literal["VOICE", "CHAT", "TASK", "EMAIL"]
Day = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
ShortText = Annotated[str, Field(min_length=1, max_length=127)]

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class ScenarioTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _window(value: Any) -> Any:
    if isinstance(value, str) and (parts := _WINDOW.fullmatch(value)):
        from_hour, from_minute, to_hour, to_minute = map(int, parts.groups())
        if to_hour < 24 or to_minute == 0:
            return time(from_hour, from_minute), time(to_hour % 24, to_minute)
    raise PydanticCustomError(
        "window", "{message}", {"message": 'expected hours such as "09:00-17:30" or "00:00-24:00"'}
    )


def _in_order(span: tuple[timedelta, timedelta]) -> tuple[timedelta, timedelta]:
    if span[0] > span[1]:
        raise PydanticCustomError("span", "{message}", {"message": "the first of the two must not be the longer"})
    return span


def _pair(value: Any) -> Any:
    """Converts a list of two values to a tuple, which strict pydantic does not."""
    if isinstance(value, tuple) or (isinstance(value, list) and len(value) == 2):
        return tuple(value)
    one = value[0] if isinstance(value, list) and value else value
    example = as_written(one) if isinstance(one, str | int) else '"5m"'
    got = {"example": example, "got": as_written(value)}
    raise PydanticCustomError("pair", "expected the least and the most, such as [{example}, {example}], got {got}", got)


def _same(value: Any) -> Any:
    """Returns a single duration as both ends."""
    return (value, value) if isinstance(value, str) else value


Instant = Annotated[AwareDatetime, Field(strict=False), AfterValidator(lambda at: at.astimezone(UTC))]


def _flow_text(value: str, info: ValidationInfo) -> str:
    """Returns the JSON of a flow: the value, or the content of the file of that path from the scenario's folder."""
    try:
        inline = value.lstrip().startswith("{")
        text = value if inline else ((info.context or {})["folder"] / value).read_text(encoding="utf-8")
        FlowBlocks.parse(text)
    except (OSError, ValueError) as error:
        why = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise PydanticCustomError("content", "{message}", {"message": why}) from None
    return text


HoursWindow = Annotated[Window, BeforeValidator(_window)]
Span = Annotated[tuple[Duration, Duration], AfterValidator(_in_order), BeforeValidator(_pair), BeforeValidator(_same)]
Milliseconds = Annotated[
    tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0, le=60_000)]], BeforeValidator(_pair)
]


class InstanceTable(ScenarioTable):
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] = DEFAULT_INSTANCE
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] = DEFAULT_ACCOUNT
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] = DEFAULT_REGION
    alias: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=45)] = "sandbox"


class RateTable(ScenarioTable):
    rate: Annotated[float, Field(gt=0)]
    burst: Annotated[float, Field(ge=1)]


class OverrideTable(ScenarioTable):
    name: ShortText
    first: date
    last: date | None = None
    open: list[HoursWindow] = []


class HoursTable(ScenarioTable):
    name: ShortText
    zone: str = "UTC"
    week: dict[Day, list[HoursWindow]]
    override: list[OverrideTable] = []
    description: str | None = None


class QueueTable(ScenarioTable):
    name: ShortText
    hours: str = ALWAYS_OPEN
    enabled: bool = True
    capacity: Annotated[int, Field(ge=0)] | None = None
    description: ShortText | None = None
    tags: dict[str, str] = {}


class FlowTable(ScenarioTable):
    name: ShortText
    type: FlowType
    state: FlowState = "ACTIVE"
    status: FlowStatus = "PUBLISHED"
    outcome: Literal["queue", "never", "disconnect"] = "queue"
    after: Duration = timedelta(0)
    queue: str | None = None
    queue_from: str | None = None
    priority: Annotated[int, Field(ge=1)] | None = None
    age: Duration | None = None
    full: Literal["never", "disconnect"] = "never"
    unstaffed: Literal["queue", "never", "disconnect"] = "queue"
    content: Annotated[str, AfterValidator(_flow_text)] | None = None
    description: str | None = None


OUTCOME_KEYS = {"outcome", *(each.name for each in dataclasses.fields(FlowOutcome))}


class AgentTable(ScenarioTable):
    username: Annotated[str, Field(min_length=1, max_length=100)]
    queues: list[str] = []
    slots: dict[Channel, Annotated[int, Field(ge=0, le=10)]] = {"TASK": 1, "EMAIL": 1}
    status: ShortText = AVAILABLE
    handling: Duration | None = None
    put_back: Annotated[float, Field(ge=0, le=1)] = 0.0
    first_name: str = ""
    last_name: str = ""


class ContactTable(ScenarioTable):
    channel: Channel = "TASK"
    queue: str
    name: Annotated[str, Field(max_length=1024)] | None = None
    names: list[Annotated[str, Field(max_length=1024)]] = []
    attributes: dict[str, str] = {}
    tags: Annotated[dict[str, str], Field(max_length=6)] = {}
    segment_attributes: dict[str, str | int] = {}
    priority: Annotated[int, Field(ge=1)] = 5
    from_address: str | None = None
    to_address: str | None = None
    task_template: ShortText | None = None


class BacklogTable(ContactTable):
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
    waited: Span = (timedelta(0), timedelta(0))
    chain: Annotated[int, Field(ge=1, le=12)] = 1


class ArrivalsTable(ContactTable):
    per_minute: Annotated[float, Field(gt=0, le=10_000)]


class FaultTable(ScenarioTable):
    kind: Kind
    operation: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    start: Duration | None = None
    end: Duration | None = None
    delay: Duration = timedelta(0)
    code: str = "InternalServiceException"
    message: str = "injected by the sandbox"


def _behaviour_fields() -> dict[str, Any]:
    """Returns the switches as keys of the file, with text for durations."""
    hints = get_type_hints(Behaviours)
    return {
        each.name: (Duration if hints[each.name] is timedelta else hints[each.name], each.default)
        for each in dataclasses.fields(Behaviours)
    }


BehavioursTable: type[ScenarioTable] = create_model("BehavioursTable", __base__=ScenarioTable, **_behaviour_fields())


class ScenarioDocument(ScenarioTable):
    seed: int = 1
    start: Instant | None = None
    speed: Annotated[float, Field(gt=0, le=3_600)] = 1.0
    default_flows: bool = True
    quotas: Literal["aws", "none"] | dict[str, RateTable] = "aws"
    latency_ms: Milliseconds = (0, 0)
    instance: InstanceTable = InstanceTable()
    behaviours: BehavioursTable = BehavioursTable()
    hours: list[HoursTable] = []
    queue: list[QueueTable] = []
    flow: list[FlowTable] = []
    agent: list[AgentTable] = []
    backlog: list[BacklogTable] = []
    arrivals: list[ArrivalsTable] = []
    fault: list[FaultTable] = []


def read_scenario(path: Path) -> bytes:
    """Returns the content of the file. Raises ``Problems`` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Problems([Problem(str(path), 1, 1, f"cannot be read: {error.strerror}")]) from error


def parse_document(file: str, data: bytes) -> ScenarioDocument:
    """Returns the tables of the file. Raises ``Problems``: no TOML, unknown keys, wrong values, unknown names."""
    source = TomlSource.parse(file, data)
    try:
        document = ScenarioDocument.model_validate(source.data, context={"folder": Path(file).parent})
    except ValidationError as error:
        raise Problems(located(error, source, ScenarioDocument)) from error
    found = [source.problem(place, message) for place, message in _mistakes(document)]
    if found:
        raise Problems(found)
    return document


def _mistakes(document: ScenarioDocument) -> Iterator[tuple[Place, str]]:
    """Finds the mistakes that no type excludes: names used twice, and names of nothing."""
    yield from _twice(document)
    queues = [each.name for each in document.queue]
    hours = [ALWAYS_OPEN, *(each.name for each in document.hours)]
    for index, queue in enumerate(document.queue):
        yield from _known(queue.hours, hours, ("queue", index, "hours"), "hours of operation")
    for index, flow in enumerate(document.flow):
        if flow.queue is not None:
            yield from _known(flow.queue, queues, ("flow", index, "queue"), "queue")
        replaced = flow.model_fields_set & OUTCOME_KEYS if flow.content is not None else ()
        for key in sorted(replaced):
            yield ("flow", index, key), "`content` defines what the flow does: remove this key"
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
