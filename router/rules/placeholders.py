"""Fills the placeholders of a warning's text, such as ``{late}``, and checks them when the rules are loaded."""

from __future__ import annotations

from datetime import timedelta
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, Field

from router.durations import format_duration
from router.problems import as_written, did_you_mean
from router.rules.file.field_types import Text, complaint

PLACEHOLDERS = ("late", "left", "waited", "queue", "rule", "contact_id")
_KNOWN = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
_PATTERN = rf"^([^{{}}]|\{{\{{|\}}\}}|\{{({'|'.join(PLACEHOLDERS)})\}})*$"
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)


def placeholders_of(text: str) -> list[str]:
    """Returns what a text has in braces, format and conversion included. Raises ``ValueError`` for a lone brace."""
    return [
        name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
        for _, name, form, conversion in Formatter().parse(text)
        if name is not None
    ]


def _with_known_placeholders(text: str) -> str:
    try:
        found = placeholders_of(text)
    except ValueError:
        message = "a lone brace: write {{ or }} for a brace; the placeholders are {known}"
        raise complaint("lone_brace", message, known=_KNOWN) from None
    for name in found:
        if name not in PLACEHOLDERS:
            hint = did_you_mean(name, PLACEHOLDERS)
            message = "no placeholder is called {name}{hint}: use {known}, or {{ for a brace"
            raise complaint("placeholder", message, name=as_written(name), hint=hint, known=_KNOWN)
    return text


WarnText = Annotated[
    Text,
    AfterValidator(_with_known_placeholders),
    Field(description=f"may hold {_KNOWN}; {{{{ is a brace", json_schema_extra={"pattern": _PATTERN}),
]


def fill(text: str, *, late: timedelta, waited: timedelta, queue: str, rule: str, contact_id: str) -> str:
    """Returns the text with its placeholders filled. ``late`` is negative before the breach: then ``{left}`` is its
    size, and ``{late}`` is ``0s``."""
    return text.format_map(
        {
            "late": _span(late),
            "left": _span(-late),
            "waited": _span(waited),
            "queue": queue,
            "rule": rule,
            "contact_id": contact_id,
        }
    )


def _span(duration: timedelta) -> str:
    """Returns a duration for people: without seconds from one hour on, and ``0s`` for a negative one."""
    return format_duration(max(duration - (duration % _MINUTE if duration >= _HOUR else timedelta()), timedelta()))
