"""Destinations as a file writes them: in ``to`` and under ``[lists]``."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, Tag, model_validator

from router.model import METRICS
from router.problems import as_written
from router.rules.file.field_types import (
    AtLeastOne,
    CountRange,
    Reference,
    SpanRange,
    Text,
    TomlTable,
    complaint,
    no_control_characters,
    one_of,
    only_a_table,
    shape,
)
from router.toml_source import at_key

QUEUE_ONLY = (*(metric.name for metric in METRICS), "open", "shorter_wait", "revisit")


def _attribute(text: str) -> str:
    head, _, key = no_control_characters(text).partition(".")
    if head != "attributes" or not key:
        raise complaint("agent_from", 'names a contact attribute, such as "attributes.last_agent"')
    return text


CountLimit = Annotated[Annotated[CountRange, Tag("table")], only_a_table("{ min = 1 }")]
SpanLimit = Annotated[Annotated[SpanRange, Tag("table")], only_a_table('{ max = "1h" }')]


class DestinationTable(TomlTable):
    """A queue or an agent, with the flow that does the move; all conditions must hold."""

    synonyms = ("destination",)
    queue: Reference | None = None
    agent: Reference | None = None
    agent_from: Annotated[str, AfterValidator(_attribute)] | None = None
    flow: Reference | None = None
    slots_available: CountLimit | None = None
    agents_available: CountLimit | None = None
    agents_staffed: CountLimit | None = None
    agents_online: CountLimit | None = None
    contacts_in_queue: CountLimit | None = None
    oldest_contact_age: SpanLimit | None = None
    estimated_wait_time: SpanLimit | None = None
    open: bool | None = None
    shorter_wait: bool | None = None
    require_available: bool | None = None
    revisit: bool | None = None
    weight: AtLeastOne | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(value is not None for value in (self.queue, self.agent, self.agent_from)) != 1:
            raise complaint("one_destination", "needs exactly one of queue, agent and agent_from")
        if self.queue is not None and self.require_available is not None:
            raise at_key("require_available", "require_available is about agents, and this destination is a queue")
        wrong = [name for name in QUEUE_ONLY if self.queue is None and getattr(self, name) is not None]
        if wrong:
            raise at_key(wrong[0], f"{wrong[0]} is about queues, and this destination is an agent")
        return self


def _no_text(value: object) -> object:
    if isinstance(value, str):
        raise complaint(
            "text_destination",
            "a destination is a table, such as { queue = {name} }; the name of a list has no brackets: to = {name}",
            name=as_written(value),
        )
    return value


Destination = Annotated[DestinationTable, BeforeValidator(_no_text)]
Tier = Annotated[list[Destination], Field(min_length=1)]


def _to_shape(value: object) -> str | None:
    """Returns ``list`` for a plain list of destinations, ``tiers`` for a list of lists."""
    if not isinstance(value, list):
        return "name" if isinstance(value, str) else None
    lists = sum(isinstance(entry, list) for entry in value)
    if lists in (0, len(value)):
        return "tiers" if lists else "list"
    return "mixed"


def _not_mixed(value: list[object]) -> list[object]:
    raise complaint("mixed_tiers", "either every entry is a list (a tier) or none is")


ListName = Annotated[Text, Field(description="the name of a list of [lists]")]
Mixed = Annotated[list[object], AfterValidator(_not_mixed), Field(json_schema_extra={"maxItems": 0, "minItems": 1})]
Tiers = Annotated[list[Tier], Field(min_length=1)]
To = Annotated[
    Annotated[ListName, Tag("name")]
    | Annotated[Tier, Tag("list")]
    | Annotated[Tiers, Tag("tiers")]
    | Annotated[Mixed, Tag("mixed")],
    one_of('expected a list of destinations such as [{ queue = "Overflow" }], or the name of a list', _to_shape),
]


def _no_name(value: object) -> str | None:
    return None if isinstance(value, str) or shape(value) != "list" else _to_shape(value)


NamedList = Annotated[
    Annotated[Tier, Tag("list")] | Annotated[Tiers, Tag("tiers")] | Annotated[Mixed, Tag("mixed")],
    one_of('expected a list of destinations such as [{ queue = "Overflow" }]', _no_name),
]
