"""Timestamps as Connect writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_timestamp(value: object) -> object:
    """An aware UTC datetime from epoch seconds (Connect's JSON) or ISO 8601; the value itself where it is neither.

    botocore calls this for each timestamp of an answer, and an exception would lose the whole page: what is no time is
    handed on as it is, for whoever reads that one row to refuse. botocore's own parser goes through dateutil, which is
    two thirds of the time that a page of contacts takes.
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
    """Whether the instant is a stand-in for "no value": AWS's own samples of contact events write unset times as
    ``1970-01-01T00:00:00.001Z`` (Amazon Connect Administrator Guide, contact events)."""
    return at < EPOCH + timedelta(days=1)
