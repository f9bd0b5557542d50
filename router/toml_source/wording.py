"""Translates pydantic's error types into the terms of a configuration file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

from router.problems import as_written, did_you_mean

AT_KEY = "at_key"
A_TABLE = "a table"
A_LIST = "a list"

_PYDANTICS = frozenset(get_args(ErrorType))
"""Every other type is of a validator of this project's own, whose message is in plain words already."""

_NOUNS = {
    kind: noun
    for noun, kinds in {
        "text": ("string_type", "string_sub_type", "string_unicode", "bytes_type"),
        "a whole number": ("int_type", "int_parsing", "int_from_float"),
        "a number": ("float_type", "float_parsing", "decimal_type", "decimal_parsing"),
        "true or false": ("bool_type", "bool_parsing"),
        A_LIST: ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type", "iteration_error"),
        A_TABLE: (
            *("dict_type", "mapping_type", "model_type", "model_attributes_type"),
            *("dataclass_type", "dataclass_exact_type", "typed_dict_type"),
        ),
        "a date such as 2026-01-31": (
            *("date_type", "date_parsing", "date_from_datetime_inexact", "date_from_datetime_parsing"),
        ),
        "a date and time such as 2026-01-31T08:00:00Z": (
            *("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
        ),
        "a time of day such as 08:30:00": ("time_type", "time_parsing"),
        'a duration such as "15m"': ("time_delta_type", "time_delta_parsing", "duration"),
        "a path": ("path_type",),
        "an address": ("url_type",),
        "another kind of value": ("is_instance_of",),
    }.items()
    for kind in kinds
}
"""The expected kind of value, by the type of an error about a value of another kind."""

_Words = Callable[[Mapping[str, Any], Any], str]
_MESSAGES: dict[str, _Words] = {
    "greater_than": lambda ctx, value: f"must be more than {_bound(ctx['gt'])}, got {as_written(value)}",
    "greater_than_equal": lambda ctx, value: f"must be at least {_bound(ctx['ge'])}, got {as_written(value)}",
    "less_than": lambda ctx, value: f"must be less than {_bound(ctx['lt'])}, got {as_written(value)}",
    "less_than_equal": lambda ctx, value: f"must be at most {_bound(ctx['le'])}, got {as_written(value)}",
    "multiple_of": lambda ctx, value: f"must be a multiple of {_bound(ctx['multiple_of'])}, got {as_written(value)}",
    "finite_number": lambda ctx, value: f"must be a finite number, got {as_written(value)}",
    "int_parsing_size": lambda ctx, value: "this number is too large",
    "string_too_short": lambda ctx, value: _short("characters", ctx["min_length"]),
    "string_too_long": lambda ctx, value: f"must have at most {ctx['max_length']} characters, has {len(value)}",
    "string_pattern_mismatch": lambda ctx, value: f"{as_written(value)} is not of the form {ctx['pattern']}",
    "too_short": lambda ctx, value: _short("entries", ctx["min_length"]),
    "too_long": lambda ctx, value: f"must have at most {ctx['max_length']} entries",
    "timezone_aware": lambda ctx, value: f"{as_written(value)} needs an offset, as in 2026-01-31T08:00:00Z",
    "timezone_naive": lambda ctx, value: f"{as_written(value)} must not have an offset",
    "timezone_offset": lambda ctx, value: f"{as_written(value)} has the wrong offset",
    "datetime_past": lambda ctx, value: f"{as_written(value)} must lie in the past",
    "datetime_future": lambda ctx, value: f"{as_written(value)} must lie in the future",
    "date_past": lambda ctx, value: f"{as_written(value)} must lie in the past",
    "date_future": lambda ctx, value: f"{as_written(value)} must lie in the future",
    "none_required": lambda ctx, value: f"no value is possible here, got {as_written(value)}",
    "recursion_loop": lambda ctx, value: "nested too deeply",
    "union_tag_not_found": lambda ctx, value: f"{ctx['discriminator']} is missing",
}


def at_key(key: str, message: str) -> PydanticCustomError:
    """Returns an error for a model's own validator to raise; its message is at that key, not at the table."""
    return PydanticCustomError(AT_KEY, "{message}", {"key": key, "message": message})


def with_key(path: Sequence[str | int], message: str) -> str:
    """Returns the message with the key that it is about in front, unless it names it."""
    key = next((part for part in reversed(path) if isinstance(part, str)), None)
    return message if key is None or re.search(rf"\b{re.escape(key)}\b", message) else f"{key}: {message}"


def expected(details: ErrorDetails) -> str | None:
    """Returns what kind of value was expected, if the error is that this one is of another kind; otherwise ``None``."""
    kind, value = details["type"], details.get("input")
    if kind in {"literal_error", "enum"}:
        return _quoted(str(details.get("ctx", {}).get("expected", "another value")))
    if kind == "duration" and isinstance(value, str):
        return None
    return _NOUNS.get(kind)


def message(details: ErrorDetails) -> str:
    """Returns one line for the author of the value, never in pydantic's own terms."""
    kind, value, ctx = details["type"], details.get("input"), details.get("ctx", {})
    if kind in {"value_error", "assertion_error"}:
        return str(ctx.get("error", details["msg"]))
    if kind in _MESSAGES:
        return _MESSAGES[kind](ctx, value)
    if kind == "union_tag_invalid":
        return f"{ctx['discriminator']} must be one of {ctx['expected_tags']}, got '{ctx['tag']}'"
    noun = expected(details)
    if noun is not None:
        return kinds_message([noun], value)
    return f"{as_written(value)} is not possible here" if kind in _PYDANTICS else details["msg"]


def kinds_message(nouns: list[str], value: Any) -> str:
    """Returns ``expected A or B, got C``, with the nearest of the possible words, or with the unit that is missing."""
    words = [word for noun in nouns if noun.startswith('"') for word in re.findall(r'"([^"]*)"', noun)]
    near = did_you_mean(value, words) if isinstance(value, str) else ""
    if type(value) is int and any("duration" in noun for noun in nouns):
        near = f': write the unit, as in "{value}s" or "{value}m"'
    return f"expected {' or '.join(dict.fromkeys(nouns))}, got {as_written(value)}{near}"


def _quoted(choices: str) -> str:
    return re.sub(r"'([^']*)'", r'"\1"', choices)


def _bound(bound: object) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _short(what: str, least: int) -> str:
    return "must not be empty" if least == 1 else f"must have at least {least} {what}"
