"""Defines the tables of a scenario file."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, time, timedelta
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    create_model,
)
from pydantic_core import PydanticCustomError

from router.durations import Duration
from router.problems import as_written
from router.sandbox.behaviours import Behaviours
from router.sandbox.directory import DEFAULT_ACCOUNT, DEFAULT_INSTANCE, DEFAULT_REGION
from router.sandbox.faults import Kind
from router.sandbox.flow_blocks import FlowBlocks
from router.sandbox.flow_outcome import FlowOutcome
from router.sandbox.instance import AVAILABLE, FlowState, FlowStatus, FlowType, Window
from router.sandbox.instance_setup import ALWAYS_OPEN
from router.toml_source import require_ordinary

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
        text = value
        if not value.lstrip().startswith("{"):
            path = (info.context or {})["folder"] / value
            require_ordinary(path)
            text = path.read_text(encoding="utf-8")
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
    tags: dict[str, str] = {}
    email_addresses: list[Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")]] = []


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


class EventsTable(ScenarioTable):
    """Holds ``[events]``: contact events are published, with these defects."""

    lost: Annotated[float, Field(ge=0, le=1)] = 0.0
    doubled: Annotated[float, Field(ge=0, le=1)] = 0.0
    delay: Duration = timedelta(0)
    enqueue_time: Literal["given", "missing", "1970"] = "given"
    names: Literal["camel", "pascal"] = "camel"


class ScenarioDocument(ScenarioTable):
    seed: int = 1
    start: Instant | None = None
    speed: Annotated[float, Field(gt=0, le=3_600)] = 1.0
    default_flows: bool = True
    quotas: Literal["aws", "none"] | dict[str, RateTable] = "aws"
    latency_ms: Milliseconds = (0, 0)
    instance: InstanceTable = InstanceTable()
    behaviours: BehavioursTable = BehavioursTable()
    events: EventsTable | None = None
    hours: list[HoursTable] = []
    queue: list[QueueTable] = []
    flow: list[FlowTable] = []
    agent: list[AgentTable] = []
    backlog: list[BacklogTable] = []
    arrivals: list[ArrivalsTable] = []
    fault: list[FaultTable] = []
