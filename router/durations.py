"""Parses and formats durations as text: ``"90s"``, ``"15m"``, ``"1h30m"``, ``"2d"``. Formats instants too."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from router.problems import as_written

PATTERN = r"^(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
LONGEST = timedelta(days=3650)
SEARCHABLE = timedelta(days=730)
"""Connect finds contacts of the last two years (Amazon Connect administrator guide, contact search)."""
EXAMPLE = 'a duration such as "90s", "15m", "1h30m" or "2d"'

_PARTS = re.compile(r"(?=[0-9])(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_IN_WORDS = re.compile(r"(?i)([0-9]{1,6}) *(d|h|m|s)(?:ays?|ours?|rs?|in(?:ute)?s?|ec(?:ond)?s?)?(?:,| and)* *")
_NUMBER = re.compile(r"[0-9]{1,6}")
_DECIMAL = re.compile(r"[0-9]*[.,][0-9]+ ?[a-z]+")
_UNITS_ONLY = re.compile(r"(?:[0-9]+[dhms])+")
_SECONDS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_PLACES = 2


def parse_duration(text: str) -> timedelta:
    """Parses whole numbers with the units d, h, m, s, the largest first, no sign and no spaces.

    Raises ``ValueError``, with a message for the author of the text, on anything else and on more than ten years.
    """
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise ValueError(f"expected {EXAMPLE}, got {as_written(text)}{_hint(text)}")
    digits = [number or "0" for number in parts.groups()]
    if max(map(len, digits)) > 12 or _total(digits) > LONGEST.total_seconds():
        raise ValueError(f"{as_written(text)} is longer than a duration may be ({format_duration(LONGEST)})")
    return timedelta(seconds=_total(digits))


def format_duration(duration: timedelta) -> str:
    """Returns the shortest text that ``parse_duration`` reads as this duration, without parts of a second.

    A negative duration has a ``-``, which ``parse_duration`` does not read.
    """
    left = int(abs(duration).total_seconds())
    sign = "-" if duration < timedelta(0) and left else ""
    text = ""
    for unit, seconds in _SECONDS:
        count, left = divmod(left, seconds)
        text += f"{count}{unit}" if count else ""
    return sign + (text or "0s")


def in_short(text: str) -> str:
    """Returns a duration in words, such as ``1 hour and 30 min``, with the units of a file; other text as it is."""
    short = _IN_WORDS.sub(lambda found: f"{found[1]}{found[2].lower()}", text.strip())
    return short if _PARTS.fullmatch(short) else text


def _from_toml(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("duration", "{message}", {"message": f"expected {EXAMPLE}, got {as_written(value)}"})
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{message}", {"message": str(error)}) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_from_toml),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["90s", "15m", "1h30m", "2d"]}),
]
"""A pydantic field that reads durations written as text (and takes a ``timedelta`` from code)."""


def _total(digits: list[str]) -> int:
    return sum(int(number) * seconds for number, (_, seconds) in zip(digits, _SECONDS, strict=True))


def _hint(text: str) -> str:
    if _DECIMAL.fullmatch(text):
        return ': whole numbers only, as in "1h30m"'
    short = in_short(text)
    if short != text and _PARTS.fullmatch(short):
        return f': write "{short}"'
    if _NUMBER.fullmatch(text):
        return f': write the unit, as in "{text}s" or "{text}m"'
    if _UNITS_ONLY.fullmatch(text):
        return ": the largest unit first, each unit once"
    return ""


def span(duration: timedelta | None) -> str:
    """Returns a duration in its two largest units, as ``1h12m``. A negative one has a ``-``; ``None`` is empty."""
    if duration is None:
        return ""
    left = int(abs(duration).total_seconds())
    counts: list[tuple[str, int]] = []
    for unit, size in _SECONDS:
        count, left = divmod(left, size)
        if count or counts:
            counts.append((unit, count))
    shown = "".join(f"{count}{unit}" for unit, count in counts[:_PLACES] if count)
    return f"-{shown}" if shown and duration < timedelta() else shown or "0s"


def lateness(late: timedelta | None) -> str:
    """Returns how late something is, or how long it has left. ``None`` is empty."""
    if late is None:
        return ""
    return f"{span(late)} late" if late >= timedelta() else f"{span(-late)} left"


def iso(at: datetime | None) -> str | None:
    """Returns an instant in the form that every output for machines has: UTC, ISO 8601, with ``Z``."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
