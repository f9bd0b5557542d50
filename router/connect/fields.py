"""Single members of an answer, each of the kind that it must be: botocore checks texts against nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from router.connect.timestamps import is_unset

Row = Mapping[str, Any]


class Unreadable(Exception):
    """A member is missing or of the wrong kind. Names the member, never its value: that may be a customer's."""


def part(row: Row, member: str) -> Row:
    """A structure inside; empty where it is missing."""
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
    """``None`` for an empty text too: Connect has no member here whose emptiness means something."""
    value = row.get(member)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{member} is no text")
    return value or None


def texts(row: Row, member: str) -> dict[str, str]:
    """A map of texts; entries that are none are left out."""
    return {str(key): value for key, value in part(row, member).items() if isinstance(value, str)}


def number(row: Row, member: str) -> int | None:
    value = row.get(member)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise Unreadable(f"{member} is no whole number")
    return value


def time(row: Row, member: str) -> datetime | None:
    """``None`` also for a time that stands for "no value"."""
    value = row.get(member)
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise Unreadable(f"{member} is no time")
    return None if is_unset(value) else value
