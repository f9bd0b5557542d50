"""Defines a notice: a message for people about an event of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Holds a message about one event.

    Of notices with the same ``key`` one is sent. If it ``repeats``, another one may be sent an hour later. ``subject``
    is ASCII of at most 99 characters. ``rule`` and ``queue`` are names, and ``None`` for an event without them.
    """

    key: str
    at: datetime
    event: str
    level: str
    subject: str
    body: str
    rule: str | None = None
    queue: str | None = None
    repeats: bool = False

    @property
    def is_error(self) -> bool:
        return self.level == "error"

    @property
    def attributes(self) -> Mapping[str, str]:
        """Returns the attributes by which subscribers can filter; only those that have a value."""
        found = {"event": self.event, "level": self.level, "rule": self.rule, "queue": self.queue}
        return {name: value for name, value in found.items() if value}
