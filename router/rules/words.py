"""The small typed words that rule files are written in: names, references, instants, whole numbers."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from router.durations import Duration


class Table(BaseModel):
    """A table of a rule file: no unknown key, no conversion between types, not changed once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def complaint(kind: str, message: str, **values: Any) -> PydanticCustomError:
    """An error of our own. ``values`` fill the ``{braces}`` of the message, so that text of the file never does."""
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
        raise complaint("rule_name", "a rule's name has 1 to 100 letters, digits, - and _ (no spaces)")
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


def _double_brackets(value: object) -> object:
    if isinstance(value, dict):
        raise complaint("single_brackets", "expected a list of tables: its header has double brackets, as in [[rule]]")
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
