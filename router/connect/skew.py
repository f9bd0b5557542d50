"""Local time against Connect's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient

HALF_A_SECOND = timedelta(seconds=0.5)
"""``Date`` is cut to whole seconds (RFC 9110), so on average it is half a second early."""


class Skew:
    """What the ``Date`` headers of Connect's answers, errors included, say about the local clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._current: timedelta | None = None

    @property
    def current(self) -> timedelta | None:
        """Local time less Connect's, by the last answer: positive where the local clock is ahead. ``None`` until an
        answer carried a date. Good to about a second."""
        return self._current

    def watch(self, client: ConnectClient) -> None:
        client.meta.events.register("before-parse.connect", self._answered)

    def _answered(self, response_dict: Mapping[str, Any], **_: object) -> None:
        headers = response_dict.get("headers") or {}
        try:
            at = parsedate_to_datetime(headers.get("date") or headers.get("Date") or "")
        except (ValueError, TypeError):
            return
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        self._current = self._now() - (at + HALF_A_SECOND)
