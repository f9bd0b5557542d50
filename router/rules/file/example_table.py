"""``[[example]]`` as a file writes it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Tag, model_validator

from router.durations import Duration
from router.model import HoldReason
from router.problems import did_you_mean
from router.rules.file.field_types import (
    AtLeastOne,
    Count,
    Moment,
    Priority,
    Reference,
    RuleName,
    Text,
    TomlTable,
    Yes,
    complaint,
    one_of,
)
from router.rules.file.match_table import AttributeName, ChannelName

HOLDS = [reason.value for reason in HoldReason]


def _hold(text: str) -> str:
    if text not in HOLDS:
        hint = did_you_mean(text, HOLDS)
        raise complaint("unknown_hold", 'no reason of a hold is called "{got}"{hint}', got=text, hint=hint)
    return text


Value = Annotated[str, Field(max_length=32_768)]
Values = dict[AttributeName, Value]


class ExampleContactTable(TomlTable):
    """Describes a waiting contact. Attributes not given are absent."""

    channel: ChannelName
    queue: Reference
    waited: Duration | None = None
    age: Duration | None = None
    initiation_method: Value | None = None
    name: Value | None = None
    subtype: Value | None = None
    segment_attributes: Values = Field(default_factory=dict)
    tags: Values = Field(default_factory=dict)
    attributes: Values = Field(default_factory=dict)
    priority: Priority | None = None
    task_template: Value | None = None
    to_address: Value | None = None
    from_address: Value | None = None
    transfers: Annotated[int, Field(ge=0, le=11)] | None = None
    clock: Duration | None = None
    progress: Duration | None = None
    visited: list[Reference] = Field(default_factory=list)


class ExampleQueueTable(TomlTable):
    """Describes the live metrics of a queue; those not given are 0."""

    slots_available: Count | None = None
    agents_available: Count | None = None
    agents_staffed: Count | None = None
    agents_online: Count | None = None
    contacts_in_queue: Count | None = None
    oldest_contact_age: Duration | None = None
    estimated_wait_time: Duration | None = None
    open: bool | None = None


class ExampleAgentTable(TomlTable):
    """Describes a routable agent with free slots for the contact's channel; agents not given are not routable."""

    slots_available: Count


Hold = Annotated[str, AfterValidator(_hold), Field(json_schema_extra={"enum": [*HOLDS]})]


class Expected(TomlTable):
    """Describes exactly one outcome: a queue, an agent, a routing update, a hold, the time until a step is due, or a
    warning.

    A warning may be expected in addition to a move, a routing update or a hold.
    """

    rule: RuleName
    step: AtLeastOne | None = None
    queue: Reference | None = None
    agent: Reference | None = None
    routing: Yes | None = None
    warn: Yes | None = None
    hold: Hold | None = None
    due: Duration | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        outcomes = [name for name in ("queue", "agent", "routing", "hold", "due") if getattr(self, name) is not None]
        if len(outcomes) > 1 or not (outcomes or self.warn):
            raise complaint("one_outcome", "needs exactly one of queue, agent, routing, warn, hold and due")
        if self.due is not None and (self.step is not None or self.warn):
            raise complaint("due_alone", "due is possible with rule only")
        if self.step is None and self.due is None and self.hold is None:
            raise complaint("no_step", "needs the number of the step that acts (step = 1)")
        return self


OUTCOMES = 'expected "nothing", or a table such as { rule = "…", step = 1, queue = "…" }'


def _outcome_shape(value: object) -> str | None:
    if isinstance(value, str):
        return "nothing"
    return "table" if isinstance(value, dict | Expected) else None


def _nothing(text: str) -> str:
    if text != "nothing":
        raise complaint("not_nothing", OUTCOMES)
    return text


Nothing = Annotated[str, AfterValidator(_nothing), Field(json_schema_extra={"const": "nothing"})]
Expectation = Annotated[
    Annotated[Nothing, Tag("nothing")] | Annotated[Expected, Tag("table")],
    one_of(OUTCOMES, _outcome_shape),
]


class ExampleTable(TomlTable):
    name: Text
    contact: ExampleContactTable
    queues: dict[Text, ExampleQueueTable] = Field(default_factory=dict)
    agents: dict[Text, ExampleAgentTable] = Field(default_factory=dict)
    hours: dict[Text, Literal["open", "closed"]] = Field(default_factory=dict)
    now: Moment | None = None
    moved: Annotated[int, Field(ge=0, le=10_000)] | None = None
    expect: Expectation
