"""Computes a rule's clock: the time of a step on it, when it started, what it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

from router.durations import format_duration, in_short, parse_duration
from router.model import Contact, FirstAct
from router.problems import did_you_mean

_PERCENT = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,6})?)%")
_BREACH = re.compile(r"breach(?:\s*([+-])\s*(\S.*))?")
_IN_WORDS = re.compile(
    r"(?:(?P<after>.+) after|(?P<before>.+) before) (?:the )?breach|-(?P<minus>.+)"
    r"|(?:the )?breach (?:plus (?P<plus>.+)|(?:minus|less) (?P<less>.+))"
)
EXAMPLE = 'a time such as "15m", "80%", "breach", "breach - 30m" or "breach + 1h"'


class OpenTimes(Protocol):
    """Describes open hours; see ``router.rules.calendar``."""

    def open_time(self, start: datetime, end: datetime) -> timedelta: ...
    def after(self, start: datetime, amount: timedelta) -> datetime: ...
    def is_open(self, at: datetime) -> bool: ...
    def open_until(self, at: datetime) -> datetime: ...


@dataclass(frozen=True, slots=True)
class At:
    """Holds a time as ``share`` of the target and ``offset``; ``share`` is ``None`` if the target does not matter."""

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
            if meant := _meant(text):
                raise ValueError(f'expected {EXAMPLE}, got "{text}": write "{meant}"') from error
            if text[:1].isdigit() and "%" not in text:
                raise
            word = re.match(r"[A-Za-z]*", text)
            hint = did_you_mean(word[0], ["breach"]) if word else ""
            raise ValueError(f'expected {EXAMPLE}, got "{text}"{hint}') from error

    def resolve(self, target: timedelta | None) -> timedelta:
        """Returns the time on the clock. Raises ValueError if it needs a target and has none, or is before the clock's
        start.

        The message continues the text that was parsed.
        """
        if self.share is None:
            return self.offset
        if target is None:
            raise ValueError("needs a target: give the rule an sla.target")
        at = _share_of(target, self.share) + self.offset
        if at < timedelta():
            early = format_duration(-at)
            raise ValueError(f"is {early} before the clock starts (sla.target is {format_duration(target)})")
        return at


def _meant(text: str) -> str | None:
    """Returns how a time around the breach is written that the text has in other words; ``None`` if it has none."""
    if re.fullmatch(r"[0-9.]+ +%", text):
        return text.replace(" ", "")
    words = _IN_WORDS.fullmatch(text.strip())
    if words is None:
        return None
    later = words["after"] or words["plus"]
    sign = "+" if later else "-"
    amount = str(later or words["before"] or words["minus"] or words["less"])
    try:
        return f"breach {sign} {format_duration(parse_duration(in_short(amount)))}"
    except ValueError:
        return None


def _share_of(target: timedelta, share: Fraction) -> timedelta:
    return target * share.numerator / share.denominator


def resolve_at(text: str, target: timedelta | None) -> timedelta:
    """Returns the time on the rule's clock that ``at`` names. Raises ValueError with the mistake.

    ``at`` is a duration, a percentage of the target, or the breach with a duration before or after it.
    """
    return At.parse(text).resolve(target)


def queue_clock_start(contact: Contact, first: FirstAct | None) -> datetime:
    """Returns when the queue clock started for a waiting contact: when it entered its present queue.

    If a step of the rule has acted on the wait, it is when the contact had entered the queue in which the first step
    acted.
    """
    if first is not None:
        return first.clock_started_at
    if contact.enqueued_at is None:
        raise ValueError("a contact that is not in a queue has no queue clock")
    return contact.enqueued_at


def elapsed(start: datetime, now: datetime, calendar: OpenTimes | None = None) -> timedelta:
    """Returns what the clock shows: open time only, with a calendar. Never negative, although clocks of two machines
    differ."""
    if now <= start:
        return timedelta()
    return calendar.open_time(start, now) if calendar else now - start


def instant(start: datetime, at: timedelta, calendar: OpenTimes | None = None) -> datetime:
    """Returns when the clock will show ``at``; with a calendar, an instant that is open."""
    return calendar.after(start, at) if calendar else start + at


def closed(now: datetime, calendar: OpenTimes | None) -> bool:
    """Returns whether no step may act now; never true without a calendar."""
    return calendar is not None and not calendar.is_open(now)
