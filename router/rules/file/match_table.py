"""Reads ``[rule.match]`` as it is in a file."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, Tag, model_validator

from router.problems import did_you_mean
from router.rules.file.field_types import (
    CountOrRange,
    Number,
    PriorityOrRange,
    SpanOrRange,
    Text,
    TomlTable,
    complaint,
    no_control_characters,
    one_of,
    shape,
    written_key,
)
from router.rules.value_test import PatternError, compile_glob, compile_regex

CHANNELS = ("TASK", "EMAIL")
UNMOVABLE = ("VOICE", "CHAT")


def _pattern(text: str) -> str:
    try:
        compile_glob(text)
    except PatternError as error:
        raise complaint("bad_glob", "{why}", why=str(error)) from None
    return text


def _regex(text: str) -> str:
    try:
        compile_regex(text)
    except PatternError as error:
        raise complaint("bad_regex", "not a regular expression of RE2: {why}", why=str(error)) from None
    return text


def channel(text: str) -> str:
    """Returns the channel. Raises if Connect cannot transfer its contacts, or does not know it."""
    if text in CHANNELS:
        return text
    if text.upper() in UNMOVABLE:
        raise complaint(
            "unmovable_channel",
            "Connect cannot transfer {channel} contacts through its API: rules are about TASK and EMAIL",
            channel=text.upper(),
        )
    both = text.upper() in ("*", "ANY", "ALL", "BOTH")
    hint = "; leave channel out for both" if both else did_you_mean(text.upper(), CHANNELS)
    raise complaint("unknown_channel", 'expected "TASK" or "EMAIL", got "{got}"{hint}', got=text, hint=hint)


ChannelName = Annotated[str, AfterValidator(channel), Field(json_schema_extra={"enum": [*CHANNELS]})]
PatternText = Annotated[str, AfterValidator(no_control_characters), AfterValidator(_pattern)]
"""An exact text, or a glob where it has ``*`` or ``?``; an empty one is the empty value."""

SomePatterns = Annotated[list[PatternText], Field(min_length=1)]
SomeChannels = Annotated[list[ChannelName], Field(min_length=1)]
OneOrSeveral = Annotated[
    Annotated[PatternText, Tag("text")] | Annotated[SomePatterns, Tag("list")],
    one_of("expected text or a list of texts"),
]
OneOrSeveralChannels = Annotated[
    Annotated[ChannelName, Tag("text")] | Annotated[SomeChannels, Tag("list")],
    one_of('expected "TASK", "EMAIL" or a list of them'),
]
Regex = Annotated[str, AfterValidator(no_control_characters), AfterValidator(_regex)]


class TextTable(TomlTable):
    """The forms of a text condition that are not plain text; exactly one of the keys."""

    synonyms: ClassVar[tuple[str, ...]] = ("text",)
    not_: OneOrSeveral | None = Field(default=None, alias="not")
    present: bool | None = None
    matches: Regex | None = None

    def forms(self) -> int:
        """Counts the forms that are given."""
        return sum(value is not None for value in (self.not_, self.present, self.matches))

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.forms() != 1:
            raise complaint("one_form", "needs exactly one of not, present and matches")
        return self


class AttributeTable(TextTable):
    """Holds a text condition's forms, or a range of numbers."""

    synonyms = ("text", "range")
    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        ranged = self.min is not None or self.max is not None
        if self.forms() + ranged != 1:
            raise complaint("one_form", "needs exactly one of not, present, matches, and min or max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise complaint("range_backwards", "min is above max: no value fits")
        return self


class ChannelTable(TomlTable):
    synonyms = ("text",)
    not_: OneOrSeveralChannels = Field(alias="not")


TEXT_FORMS = 'expected text, a list of texts, or one of { not = "…" }, { present = true }, { matches = "…" }'


def _text_shape(value: object) -> str | None:
    found = shape(value)
    return found if found != "number" else None


TextCondition = Annotated[
    Annotated[PatternText, Tag("text")] | Annotated[SomePatterns, Tag("list")] | Annotated[TextTable, Tag("table")],
    one_of(TEXT_FORMS, _text_shape),
]
AttributeCondition = Annotated[
    Annotated[PatternText, Tag("text")]
    | Annotated[SomePatterns, Tag("list")]
    | Annotated[AttributeTable, Tag("table")]
    | Annotated[Number, Tag("number")],
    one_of(TEXT_FORMS + ", a number or { min = 1, max = 5 }"),
]
ChannelCondition = Annotated[
    Annotated[ChannelName, Tag("text")] | Annotated[SomeChannels, Tag("list")] | Annotated[ChannelTable, Tag("table")],
    one_of('expected "TASK", "EMAIL", a list of them, or { not = … }', _text_shape),
]
AttributeName = Annotated[str, AfterValidator(no_control_characters), Field(min_length=1)]


def _named_values(value: object) -> object:
    """Refuses names without values: a list of tags, for example."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    name = next((written_key(text) for text in texts if isinstance(text, str) and text), None)
    if name is None:
        return value
    raise complaint(
        "names_alone",
        'expected a table of names and values, such as { {name} = "…" }, or { {name} = { present = true } }',
        name=name,
    )


Attributes = Annotated[dict[AttributeName, AttributeCondition], BeforeValidator(_named_values)]


class HoursCondition(TomlTable):
    """Requires that hours of operation are open, or closed, now; ``name = "queue"`` means the contact's queue's."""

    name: Text
    is_: Literal["open", "closed"] = Field(alias="is")


class MatchTable(TomlTable):
    """Holds conditions of which all that are given must be true."""

    synonyms = ("match",)
    channel: ChannelCondition | None = None
    queue: TextCondition | None = None
    waited: SpanOrRange | None = None
    age: SpanOrRange | None = None
    initiation_method: TextCondition | None = None
    name: TextCondition | None = None
    subtype: TextCondition | None = None
    segment_attributes: Attributes = Field(default_factory=dict)
    tags: Attributes = Field(default_factory=dict)
    attributes: Attributes = Field(default_factory=dict)
    priority: PriorityOrRange | None = None
    task_template: TextCondition | None = None
    to_address: TextCondition | None = None
    from_address: TextCondition | None = None
    transfers: CountOrRange | None = None
    hours: HoursCondition | None = None
    any_: list[MatchTable] | None = Field(default=None, alias="any", min_length=1)
    all_: list[MatchTable] | None = Field(default=None, alias="all", min_length=1)
    none_: list[MatchTable] | None = Field(default=None, alias="none", min_length=1)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any(self.conditions()):
            raise complaint("empty_match", 'must name at least one condition (for every contact: queue = "*")')
        return self

    def conditions(self) -> list[Any]:
        """Returns the values of the keys that are given."""
        values = [getattr(self, name) for name in type(self).model_fields]
        return [True for value in values if value is not None and value != {}]
