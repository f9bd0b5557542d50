"""Reads a rule file as it is written, into pydantic models of its tables. ``compile`` makes rules of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from router.durations import PATTERN, Duration, parse_duration
from router.problems import as_written
from router.rules.clock import EXAMPLE, At
from router.rules.file.destination_table import NamedList, To
from router.rules.file.example_table import ExampleTable
from router.rules.file.expansion import SHARE
from router.rules.file.field_types import (
    AtLeastOne,
    DoubleBrackets,
    LongerThanNothing,
    Moment,
    Priority,
    Reference,
    RuleName,
    Text,
    TomlTable,
    complaint,
)
from router.rules.file.match_table import MatchTable
from router.rules.file.promise_table import PromiseTable
from router.rules.placeholders import WarnText
from router.toml_source import at_key

PickName = Literal["first", "most-slots", "shortest-wait", "fewest-waiting", "round-robin", "weighted"]
ModeName = Literal["enforce", "observe", "off"]
OnHoldName = Literal["wait", "next"]


def _at(text: object) -> str:
    if not isinstance(text, str):
        raise complaint("bad_time", "expected {example}, got {got}", example=EXAMPLE, got=as_written(text))
    try:
        At.parse(text)
    except ValueError as error:
        raise complaint("bad_time", "{why}", why=str(error)) from None
    return text


def _later(text: str) -> str:
    """Returns time to add to the routing age, written with a plus, because nothing may make a contact wait longer."""
    if not text.startswith("+"):
        raise complaint("bad_age", 'expected time to add, such as "+10m"')
    try:
        added = parse_duration(text[1:])
    except ValueError:
        added = None
    if not added:
        raise complaint("bad_age", 'expected time to add, such as "+10m"')
    return text


AtText = Annotated[
    str,
    BeforeValidator(_at),
    Field(description="a place on the rule's clock", examples=["15m", "80%", "breach", "breach - 30m", "breach + 1h"]),
]
SlaTarget = Annotated[
    LongerThanNothing,
    WithJsonSchema({"type": "string", "pattern": f"{PATTERN}|^{SHARE.pattern}$", "examples": ["4h", "50% of refunds"]}),
]
"""A share of another rule's target is a duration already when the table is read."""
AddedTime = Annotated[str, AfterValidator(_later), Field(examples=["+10m"])]


class RoutingTable(TomlTable):
    """Holds a new priority, or time added to the routing age; not both (Connect takes one of them)."""

    priority: Priority | None = None
    age: AddedTime | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.priority is None) == (self.age is None):
            raise complaint("one_routing", "needs exactly one of priority and age")
        return self


class StepTable(TomlTable):
    """Holds one of ``to``, ``routing`` and ``warn``; the first two may have a ``warn`` as well."""

    synonyms = ("step",)
    at: AtText
    to: To | None = None
    pick: PickName | None = None
    routing: RoutingTable | None = None
    warn: WarnText | None = None

    @model_validator(mode="after")
    def _one_act(self) -> Self:
        if self.to is None and self.routing is None and self.warn is None:
            raise complaint("no_act", "a step needs one of to, routing and warn")
        if self.to is not None and self.routing is not None:
            raise at_key("routing", "a step has to or routing, not both (make it two steps)")
        if self.pick is not None and self.to is None:
            raise at_key("pick", "pick chooses among destinations, and this step has no to")
        return self


class SlaTable(TomlTable):
    synonyms = ("sla",)
    target: SlaTarget | None = None
    clock: Literal["queue", "chain"] | None = None
    hours: Reference | None = None


class GuardTable(TomlTable):
    """Limits on the moves of a rule."""

    max_transfers: Annotated[int, Field(ge=1, le=11)] | None = None
    cooldown: Duration | None = None
    per_cycle: AtLeastOne | None = None
    per_hour: AtLeastOne | None = None
    percent_of_queue: Annotated[int, Field(ge=1, le=100)] | None = None
    enqueued_after: Moment | None = None


def _match_or_extends(schema: dict[str, Any]) -> None:
    """Lets editors accept a rule that takes its match from another rule."""
    schema["required"] = ["name"]
    schema["anyOf"] = [{"required": ["match"]}, {"required": ["extends"]}]


class RuleTable(TomlTable):
    """Holds a rule, after it has taken over the tables of the rule that it extends."""

    model_config = ConfigDict(json_schema_extra=_match_or_extends)
    synonyms = ("rule",)
    name: RuleName
    extends: RuleName | None = None
    description: Text | None = None
    mode: ModeName | None = None
    on_hold: OnHoldName | None = None
    from_: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None
    match: MatchTable
    sla: SlaTable | None = None
    step: Annotated[list[StepTable], DoubleBrackets] = Field(default_factory=list)
    guard: GuardTable | None = None

    @model_validator(mode="after")
    def _times(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise at_key("until", "until is not after from: the rule would never be in force")
        return self


class DefaultSla(TomlTable):
    hours: Reference | None = None


class Defaults(TomlTable):
    """Holds the values for all that the rules of this file leave out."""

    flow: Reference | None = None
    agent_flow: Reference | None = None
    pick: PickName | None = None
    mode: ModeName | None = None
    sla: DefaultSla | None = None
    guard: GuardTable | None = None


VarName = Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]*$")]


class RuleFile(TomlTable):
    synonyms = ("file",)
    takes_vars = False
    vars: dict[VarName, Any] = Field(default_factory=dict)
    defaults: Defaults = Field(default_factory=Defaults)
    lists: dict[Text, NamedList] = Field(default_factory=dict)
    rule: Annotated[list[RuleTable], DoubleBrackets] = Field(default_factory=list)
    example: Annotated[list[ExampleTable], DoubleBrackets] = Field(default_factory=list)
    promise: Annotated[list[PromiseTable], DoubleBrackets] = Field(default_factory=list)
