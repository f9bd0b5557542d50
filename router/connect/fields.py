"""Single members of an answer, each of the kind that it must be: botocore checks texts against nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_timestamp(value: object) -> object:
    """Returns an aware UTC datetime from epoch seconds (Connect's JSON) or ISO 8601, or the value itself if it is
    neither.

    botocore calls this for each timestamp of an answer, and an exception would lose the whole page. The code that reads
    the one row refuses a value that is no time. botocore's own parser uses dateutil, which takes two thirds of the time
    that a page of contacts takes.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return _from_text(value)
    except (ValueError, OverflowError, OSError):
        pass
    return value


def _from_text(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def is_unset(at: datetime) -> bool:
    """Returns whether the instant means "no value".

    AWS's own samples of contact events write unset times as ``1970-01-01T00:00:00.001Z`` (Amazon Connect Administrator
    Guide, contact events).
    """
    return at < EPOCH + timedelta(days=1)


Row = Mapping[str, Any]


class Unreadable(Exception):
    """A member is missing or of the wrong kind. Names the member, never its value: that may be a customer's."""


def part(row: Row, member: str) -> Row:
    """Returns a structure inside, empty if it is missing."""
    value = row.get(member)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Unreadable(f"{member} is no structure")
    return value


def required(row: Row, member: str) -> str:
    value = text(row, member)
    if value is None:
        raise Unreadable(f"{member} is missing")
    return value


def text(row: Row, member: str) -> str | None:
    """Returns the text; ``None`` for an empty text too, because no empty member of Connect has a meaning here."""
    value = row.get(member)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{member} is no text")
    return value or None


def texts(row: Row, member: str) -> dict[str, str]:
    """Returns a map of texts without the entries that are not text. Contacts share equal texts, which saves memory."""
    found = part(row, member).items()
    return {sys.intern(str(key)): sys.intern(str(value)) for key, value in found if isinstance(value, str)}


def number(row: Row, member: str) -> int | None:
    value = row.get(member)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise Unreadable(f"{member} is no whole number")
    return value


def time(row: Row, member: str) -> datetime | None:
    """Returns the time; ``None`` also for a time that means "no value"."""
    value = row.get(member)
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise Unreadable(f"{member} is no time")
    return None if is_unset(value) else value
