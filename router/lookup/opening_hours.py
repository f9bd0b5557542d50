"""Reads when hours of operation are open, as soon as a rule needs them, and again from time to time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from router.lookup.background import Background, ReadFailure
from router.lookup.readings import OnDemandReader, Readings
from router.model import HoursId, OpeningHours
from router.ports import Instance
from router.rules.calendar import Calendar
from router.rules.condition import Unread

HOURS_PER_LOOK = 20
"""Two calls each, of operations that allow 2 a second (Amazon Connect service quotas, the general rule). The others
come in the next look; until then the last reading counts."""

TRUSTED = timedelta(hours=1)
"""How long a reading counts that cannot be repeated; after it the hours are unknown, and their contacts are held."""

AHEAD = timedelta(days=92)
"""Holidays that are further away are read when they come nearer."""

LONGEST_BACK = timedelta(days=270)
"""With ``AHEAD`` a year, because it is not documented how much Connect returns in one call. Before that, the hours of
the weekday count."""

MARGIN = timedelta(days=180)
"""The wait of a moved contact, and its chain, began before the contact entered its queue: tasks can live for 90 days
(Amazon Connect Administrator Guide, tasks), and whether a transfer begins them again is not documented."""


class OpeningHoursReader:
    """Reads opening hours; ``fresh_for`` is how long a reading is not repeated.

    ``lookback`` is how long contacts may have waited, so that the past days of that time are read too.
    """

    def __init__(
        self,
        instance: Instance,
        background: Background | None = None,
        *,
        fresh_for: timedelta,
        lookback: timedelta,
    ) -> None:
        self._instance = instance
        self._back = min(lookback + MARGIN, LONGEST_BACK)
        self._hours = OnDemandReader(
            key=str,
            read=self._read,
            budget=HOURS_PER_LOOK,
            fresh_for=fresh_for,
            readings=Readings[Calendar](usable_for=max(TRUSTED, fresh_for)),
            background=background or Background(),
        )

    def read(self, hours_ids: Iterable[HoursId], now: datetime) -> Mapping[HoursId, Calendar | Unread]:
        """Returns the calendar of each hours of operation, or why it could not be read. Leaves out those that are still
        being read."""
        found = self._hours.read_all(hours_ids, now)
        return {
            HoursId(str(key)): _or_unread(value)
            for key, value in found.items()
            if not (isinstance(value, ReadFailure) and value.pending)
        }

    def _read(self, hours_id: HoursId, now: datetime) -> Calendar | ReadFailure:
        """Reads one. A failure does not stop the others, because each has only two calls."""
        answer = self._instance.opening_hours(hours_id, since=(now - self._back).date(), until=(now + AHEAD).date())
        if not isinstance(answer, OpeningHours):
            return ReadFailure(code=answer.code, answer=answer)
        try:
            return Calendar.of(answer)
        except ValueError as problem:
            return ReadFailure(code=str(problem))


def _or_unread(value: Calendar | ReadFailure) -> Calendar | Unread:
    if isinstance(value, Calendar):
        return value
    return Unread(f"its hours of operation could not be read: {value.code or 'too many others come first'}")
