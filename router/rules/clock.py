"""The rule's clock: where a step stands on it, when it started, what it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

from router.durations import format_duration, parse_duration
from router.model import Contact, FirstAct
from router.problems import did_you_mean

_PERCENT = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,6})?)%")
_BREACH = re.compile(r"breach(?:\s*([+-])\s*(\S.*))?")
EXAMPLE = 'a time such as "15m", "80%", "breach", "breach - 30m" or "breach + 1h"'


class OpenTimes(Protocol):
    """Open hours; see ``router.rules.calendar``."""

    def open_time(self, start: datetime, end: datetime) -> timedelta: ...
    def after(self, start: datetime, amount: timedelta) -> datetime: ...
    def is_open(self, at: datetime) -> bool: ...
    def open_until(self, at: datetime) -> datetime: ...


@dataclass(frozen=True, slots=True)
class At:
    """``share`` of the target and ``offset``; ``share`` is ``None`` where the target does not matter."""

    share: Fraction | None
    offset: timedelta

    @classmethod
    def parse(cls, text: str) -> At:
        """Raises ValueError, with what to write instead, where the text is none of the forms."""
        if percent := _PERCENT.fullmatch(text):
            return cls(Fraction(percent[1]) / 100, timedelta())
        if breach := _BREACH.fullmatch(text):
            sign, amount = breach.groups()
            offset = parse_duration(amount) if amount else timedelta()
            return cls(Fraction(1), -offset if sign == "-" else offset)
        try:
            return cls(None, parse_duration(text))
        except ValueError as error:
            if text[:1].isdigit() and "%" not in text:
                raise
            word = re.match(r"[A-Za-z]*", text)
            hint = did_you_mean(word[0], ["breach"]) if word else ""
            raise ValueError(f'expected {EXAMPLE}, got "{text}"{hint}') from error

    def resolve(self, target: timedelta | None) -> timedelta:
        """The place on the clock. Raises ValueError without the target that it needs, and where it is before the start
        of the clock; the message goes on from what was parsed."""
        if self.share is None:
            return self.offset
        if target is None:
            raise ValueError("needs a target: give the rule an sla.target")
        at = _share_of(target, self.share) + self.offset
        if at < timedelta():
            early = format_duration(-at)
            raise ValueError(f"is {early} before the clock starts (sla.target is {format_duration(target)})")
        return at


def _share_of(target: timedelta, share: Fraction) -> timedelta:
    return target * share.numerator / share.denominator


def resolve_at(text: str, target: timedelta | None) -> timedelta:
    """The place on the rule's clock that ``at`` names: a duration, a percentage of the target, or the breach with a
    duration before or after it. Raises ValueError with what is wrong."""
    return At.parse(text).resolve(target)


def queue_clock_start(contact: Contact, first: FirstAct | None) -> datetime:
    """When the queue clock started for a waiting contact: as it entered the queue it is in now or, once a step of the
    rule has acted on the wait, as it had entered the queue where the first step acted."""
    if first is not None:
        return first.clock_started_at
    if contact.enqueued_at is None:
        raise ValueError("a contact that is not in a queue has no queue clock")
    return contact.enqueued_at


def elapsed(start: datetime, now: datetime, calendar: OpenTimes | None = None) -> timedelta:
    """What the clock shows; never negative (clocks of two machines differ). Open time only, with a calendar."""
    if now <= start:
        return timedelta()
    return calendar.open_time(start, now) if calendar else now - start


def instant(start: datetime, at: timedelta, calendar: OpenTimes | None = None) -> datetime:
    """When the clock will show ``at``; with a calendar, an instant that is open."""
    return calendar.after(start, at) if calendar else start + at


def closed(now: datetime, calendar: OpenTimes | None) -> bool:
    """Whether no step may act now; around the clock, never."""
    return calendar is not None and not calendar.is_open(now)
