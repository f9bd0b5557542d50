"""When hours of operation are open: read as soon as a rule needs them, kept, and read again now and then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from router.connect.answers import Failure
from router.model import HoursId, OpeningHours
from router.ports import Instance
from router.rules.calendar import Calendar
from router.rules.condition import Unread

HOURS_PER_LOOK = 20
"""Two calls each, of operations that allow 2 a second (Amazon Connect service quotas, the general rule). The others
come in the next look: until then what was read before counts."""

TRUSTED = timedelta(hours=1)
"""How long what was read counts where it cannot be read again; then it is not known, and its contacts are held."""

AHEAD = timedelta(days=92)
"""Holidays that are further away follow as they come nearer."""

LONGEST_BACK = timedelta(days=270)
"""With what lies ahead a year: how much Connect answers in one call is not documented. On days before that the hours of
their weekday count."""

MARGIN = timedelta(days=180)
"""A wait that was moved, and a chain that was passed on, began before the contact entered its queue: tasks can live for
90 days (Amazon Connect Administrator Guide, tasks), and whether a transfer begins them anew is not said."""


@dataclass(kw_only=True)
class OpeningTimes:
    """``fresh_for`` is how long an answer stands before it is asked for again; ``lookback`` how long contacts may have
    waited."""

    instance: Instance
    fresh_for: timedelta
    lookback: timedelta
    _known: dict[HoursId, tuple[datetime, Calendar]] = field(default_factory=dict)
    _tried: dict[HoursId, datetime] = field(default_factory=dict)

    def read(self, hours_ids: Iterable[HoursId], now: datetime) -> Mapping[HoursId, Calendar | Unread]:
        """Each of them, from what is known where that is fresh enough, or why it could not be read."""
        wanted = tuple(dict.fromkeys(hours_ids))
        stale = sorted((one for one in wanted if not self._younger(one, self.fresh_for, now)), key=self._tried_at)
        failures = {hours_id: self._read(hours_id, now) for hours_id in stale[:HOURS_PER_LOOK]}
        return {one: self._answer(one, failures.get(one), now) for one in wanted}

    def _read(self, hours_id: HoursId, now: datetime) -> str | None:
        """Why it could not be read, for people."""
        self._tried[hours_id] = now
        back = min(self.lookback + MARGIN, LONGEST_BACK)
        answer = self.instance.opening_hours(hours_id, since=(now - back).date(), until=(now + AHEAD).date())
        if not isinstance(answer, OpeningHours):
            return _told(answer)
        try:
            self._known[hours_id] = now, Calendar.of(answer)
        except ValueError as problem:
            return str(problem)
        return None

    def _answer(self, hours_id: HoursId, failure: str | None, now: datetime) -> Calendar | Unread:
        if self._younger(hours_id, max(TRUSTED, self.fresh_for), now):
            return self._known[hours_id][1]
        return Unread(f"its hours of operation could not be read: {failure or 'too many others come first'}")

    def _younger(self, hours_id: HoursId, age: timedelta, now: datetime) -> bool:
        known = self._known.get(hours_id)
        return known is not None and timedelta() <= now - known[0] < age

    def _tried_at(self, hours_id: HoursId) -> datetime:
        """What was never tried comes first, then what was tried longest ago: hours that fail keep no others waiting."""
        return self._tried.get(hours_id, datetime.min.replace(tzinfo=UTC))


def _told(failure: Failure) -> str:
    return failure.code
