"""Records how one rule came out on one contact: whether it matches, what its clock shows, and what is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from router.model import Need
from router.rules.bound import BoundRule
from router.rules.calendar import NEVER, Interval
from router.rules.clock import OpenTimes, instant
from router.rules.condition import Match, Unread
from router.rules.pauses import running
from router.rules.rule import Mode
from router.rules.steps import Due, Progress, finished


class Role(Enum):
    """Names the role of a rule for a contact; ``explain`` shows the value."""

    NOT_IN_FORCE = "not in force"
    NO_MATCH = "does not match"
    UNREAD = "could not be decided: a value was not read"
    EXCLUSION = "matches and excludes the contact"
    GOVERNS = "governs"
    GIVES_WAY = "holds, and the next matching rule governs"
    BEHIND = "matches, and an earlier rule governs"
    SIDE_RULE = "acts in addition to the governing rule"
    FINISHED = "has finished with this wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedRule:
    """Records one rule tried on one contact.

    ``mode`` is the weaker of the rule's and the service's. The fields of the clock are ``None`` if the rule does not
    match. ``hours`` are the hours that the clock counts, ``None`` if it runs around the clock; if they could not be
    read, ``elapsed`` is the most that the clock may show. ``opens_at`` is set if steps are due and wait for the hours.
    With ``unread_start`` ``elapsed`` is the least, ``due`` has all that is left, and nothing acts. With
    ``unread_pauses`` it is the most, because further ``pauses`` may make it less, and nothing acts either.
    ``due_but_for_pause`` is what would be due if the pause that lasts had not stopped the clock; ``None`` if the
    contact is not known to be paused.
    """

    rule: BoundRule
    role: Role
    mode: Mode
    match: Match | None = None
    started_at: datetime | None = None
    elapsed: timedelta | None = None
    progress: Progress | None = None
    due: Due | None = None
    hours: OpenTimes | Unread | None = None
    opens_at: datetime | None = None
    pauses: tuple[Interval, ...] = ()
    unread_start: Unread | None = None
    unread_pauses: Unread | None = None
    due_but_for_pause: Due | None = None

    @property
    def anything_due(self) -> bool:
        """Returns whether a step is due, or may be due."""
        return self.due is not None and self.due.anything

    @property
    def due_now(self) -> Due | None:
        """Returns what is due, or would be if the contact were not paused; ``None`` if nothing is."""
        due = self.due_but_for_pause or self.due
        return due if due is not None and due.anything else None

    @property
    def no_step_left(self) -> bool:
        """Returns whether the rule matches, and no step is left that could move the contact."""
        return self.progress is not None and self.role is not Role.EXCLUSION and finished(self.rule, self.progress)

    @property
    def clock_needs(self) -> tuple[Need, ...]:
        """Returns the needs of the clock; until they are read, nobody knows when a step is due."""
        unread = (self.unread_start, self.hours)
        return tuple(one.need for one in unread if isinstance(one, Unread) and one.need is not None)

    @property
    def unread_clock(self) -> Unread | None:
        """Returns why it is not known which steps are due."""
        return self.unread_start or self.unread_pauses

    @property
    def calendar(self) -> OpenTimes | None:
        """Returns the open hours that the clock counts; ``None`` also if they are not known."""
        return None if isinstance(self.hours, Unread) else self.hours

    def at(self, place: timedelta) -> datetime:
        """Returns the instant, within open hours, at which the clock shows ``place``; ``NEVER`` if the hours do not
        open for so long."""
        assert self.started_at is not None, "a rule that matched has a clock"
        return instant(self.started_at, place, running(self.calendar, self.pauses))

    @property
    def clock_left(self) -> timedelta | None:
        """Returns how much clock time is left before a step falls due, zero if one is due; ``None`` if none is left."""
        if self.due is None or self.elapsed is None:
            return None
        if self.due.anything:
            return timedelta()
        return None if self.due.next_at is None else self.due.next_at - self.elapsed

    @property
    def next_due_at(self) -> datetime | None:
        next_at = self.due.next_at if self.due is not None else None
        due, opens = self.at(next_at) if next_at is not None else NEVER, self.opens_at or NEVER
        coming = min(due, opens)
        return coming if coming < NEVER else None
