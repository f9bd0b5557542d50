"""Defines the small types that rule files are written in: names, references, instants, whole numbers."""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from router.durations import Duration, format_duration
from router.rules.file.expansion import VAR


class TomlTable(BaseModel):
    """Reads a table of a rule file: no unknown key, no conversion between types, no change once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)
    synonyms: ClassVar[tuple[str, ...]] = ()
    takes_vars: ClassVar[bool] = True

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Returns the schema for editors, which see the name of a var where the value will be."""
        schema = handler(core_schema)
        if cls.takes_vars:
            table = handler.resolve_ref_schema(schema)
            table["properties"] = {key: _or_var(value) for key, value in table["properties"].items()}
        return schema

    @classmethod
    def synonym(cls, key: str) -> str | None:
        """Returns what to write instead of a key of another program; ``synonyms`` are the lists of synonyms.toml."""
        return next((found[key] for name in cls.synonyms if key in (found := _synonyms()[name])), None)


@cache
def _synonyms() -> dict[str, dict[str, str]]:
    lists = tomllib.loads(resources.files("router.rules.file").joinpath("synonyms.toml").read_text("utf-8"))
    return {
        name: {key: write for keys, write in table.items() for key in keys.split()} for name, table in lists.items()
    }


_VAR = {"type": "string", "pattern": f"^{VAR.pattern}$"}


def _takes_text(schema: JsonSchemaValue) -> bool:
    """Returns whether the schema takes the name of a var already, because it takes nearly any text."""
    if "anyOf" in schema:
        return any(map(_takes_text, schema["anyOf"]))
    plain = schema.get("type") == "string" and not schema.keys() & {"enum", "const", "format"}
    return plain and re.search(schema.get("pattern", ""), "$a") is not None


def _or_var(schema: JsonSchemaValue) -> JsonSchemaValue:
    if _takes_text(schema):
        return schema
    inside = {key: value for key in ("items", "additionalProperties") if isinstance(value := schema.get(key), dict)}
    return {"anyOf": [{**schema, **{key: _or_var(value) for key, value in inside.items()}}, _VAR]}


def complaint(kind: str, message: str, **values: Any) -> PydanticCustomError:
    """Returns an error of this project. ``values`` fill the ``{braces}`` of the message; text of the file does not."""
    return PydanticCustomError(kind, message, values or None)


def no_control_characters(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise complaint("control_character", "control characters are not allowed here")
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise complaint("empty_text", "must not be empty")
    return text


def _rule_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name):
        raise complaint("rule_name", "a name has 1 to 100 letters, digits, - and _ (no spaces)")
    return name


def _some_time(value: timedelta) -> timedelta:
    if value <= timedelta():
        raise complaint("no_duration", "must be longer than nothing")
    return value


def _full_datetime(value: object, info: ValidationInfo) -> object:
    if info.mode == "json":  # which has no dates; pydantic reads the text
        return value
    if isinstance(value, datetime) and value.tzinfo is None:
        raise complaint("no_offset", "a date and time needs an offset from UTC, such as 2026-01-01T00:00:00Z")
    if not isinstance(value, datetime):
        raise complaint("no_datetime", "expected a date and time with an offset, such as 2026-01-01T00:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise complaint("no_such_instant", "this instant lies outside of the years 1 to 9999 in UTC") from None


def _yes(value: bool) -> bool:
    if not value:
        raise complaint("only_true", "is true, or left out")
    return value


def _double_brackets(value: object, info: ValidationInfo) -> object:
    if isinstance(value, dict):
        header = "rule.step" if info.field_name == "step" else info.field_name
        text = "expected a list of tables: its header has double brackets, as in [[{header}]]"
        raise complaint("single_brackets", text, header=header)
    return value


Text = Annotated[str, AfterValidator(no_control_characters), AfterValidator(_not_empty)]
"""Text for people or of the world outside: at least one visible character, no control characters."""

Reference = Annotated[Text, Field(description="a name, an id or an ARN")]
RuleName = Annotated[str, Field(json_schema_extra={"pattern": "^[A-Za-z0-9_-]{1,100}$"}), AfterValidator(_rule_name)]
LongerThanNothing = Annotated[Duration, AfterValidator(_some_time)]
Moment = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_full_datetime, json_schema_input_type=AwareDatetime),
    AfterValidator(_in_utc),
]
"""In UTC, whatever offset the file gives."""
Yes = Annotated[bool, AfterValidator(_yes), Field(json_schema_extra={"const": True})]
DoubleBrackets = BeforeValidator(_double_brackets)
"""For lists of tables that a file writes with headers."""

Count = Annotated[int, Field(ge=0, le=1_000_000)]
AtLeastOne = Annotated[int, Field(ge=1, le=1_000_000)]
Priority = Annotated[int, Field(ge=1, le=10, description="1 is the highest")]


# A value, or ``{ min = …, max = … }`` with both ends inclusive.

V = TypeVar("V")


class Range(TomlTable, Generic[V]):
    """Holds both ends, inclusive; at least one of them is given."""

    synonyms = ("range",)
    min: V | None = None
    max: V | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        low: Any = self.min
        high: Any = self.max
        if low is None and high is None:
            raise complaint("empty_range", "needs min, max or both")
        if low is not None and high is not None and low > high:
            raise complaint("range_backwards", "min is above max: no value fits")
        return self

    @property
    def ends(self) -> tuple[V | None, V | None]:
        return self.min, self.max


class SpanRange(Range[Duration]):
    """Holds durations."""


class CountRange(Range[Count]):
    """Holds whole numbers from 0."""


class PriorityRange(Range[Priority]):
    """Holds priorities from 1, the highest, to 10."""


Number = Annotated[int, Field()] | Annotated[float, Field(allow_inf_nan=False)]


def shape(value: object) -> str | None:
    """Returns which form a value of the file has; a model counts as the table that it was read from."""
    if isinstance(value, str | timedelta):
        return "text"
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict | TomlTable):
        return "table"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else None


def one_of(expected: str, form: Callable[[Any], str | None] = shape) -> Discriminator:
    """Returns the choice between several types by the form of a value. A message shows what was ``expected``."""
    return Discriminator(form, custom_error_type="wrong_form", custom_error_message=expected)


def _span_shape(value: object) -> str | None:
    """Returns the form; a bare number is read as text, which has the message of a duration without a unit."""
    found = shape(value)
    return "text" if found == "number" else found


SpanOrRange = Annotated[
    Annotated[Duration, Tag("text")] | Annotated[SpanRange, Tag("table")],
    one_of('expected a duration such as "15m", or { min = "15m", max = "1h" }', _span_shape),
]
CountOrRange = Annotated[
    Annotated[Count, Tag("number")] | Annotated[CountRange, Tag("table")],
    one_of("expected a whole number, or { min = 1, max = 5 }"),
]
PriorityOrRange = Annotated[
    Annotated[Priority, Tag("number")] | Annotated[PriorityRange, Tag("table")],
    one_of("expected a priority from 1 to 10, or { min = 1, max = 5 }"),
]


def only_a_table(example: str) -> Discriminator:
    expected = f"expected {{ min = …, max = … }}, such as {example}"
    return one_of(expected, lambda value: "table" if shape(value) == "table" else None)


# Values as they are written in the file, for people.


def written_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def written(value: object) -> str:
    """Returns a value in TOML, on one line."""
    if isinstance(value, TomlTable):
        given = value.model_dump(by_alias=True, exclude_none=True)
        return "{ " + ", ".join(f"{written_key(key)} = {written(one)}" for key, one in given.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(written(one) for one in value) + "]"
    if isinstance(value, timedelta):
        return f'"{format_duration(value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
