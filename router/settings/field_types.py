"""Defines what all tables of config.toml have in common, and the small types that several of them use."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from router.durations import Duration, format_duration
from router.problems import as_written

REGION = "[a-z]{2,6}(?:-[a-z]+)+-[0-9]{1,2}"
Number = Annotated[int, Field(ge=1, le=1_000_000)]


class Section(BaseModel):
    """Reads one table: no unknown key, no conversion between types, no change once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def refusal(message: str, **values: Any) -> PydanticCustomError:
    """Returns an error in words of the user. ``values`` fill the ``{braces}``; text of the file never does."""
    return PydanticCustomError("refused", message, values or None)


def at_least(shortest: timedelta) -> AfterValidator:
    """Refuses durations below that."""

    def check(duration: timedelta) -> timedelta:
        if duration < shortest:
            raise refusal(
                'must be at least "{least}", got "{got}"',
                least=format_duration(shortest),
                got=format_duration(duration),
            )
        return duration

    return AfterValidator(check)


Positive = Annotated[Duration, at_least(timedelta(seconds=1))]


def _path(value: object) -> object:
    if isinstance(value, str):
        return Path(usable_path(value))
    if isinstance(value, Path):
        return value
    raise refusal("expected a path, got {got}", got=as_written(value))


FilePath = Annotated[
    Path,
    BeforeValidator(_path),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1}),
]


def usable_path(text: str) -> str:
    """Refuses what can be no path: empty text, NUL, and what a backslash made of the letter after it."""
    if not text.strip():
        raise refusal("must not be empty")
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise refusal("no control characters are possible here (a backslash is written '\\\\')")
    return text
