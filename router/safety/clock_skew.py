"""Compares local time with Connect's: it warns above half a minute, and stops moves above five minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from router import events
from router.news import NewsFilter

WARNS = timedelta(seconds=30)
STOPS = timedelta(minutes=5)
CLOCK = "clock"


class ClockSkew:
    """Decides whether clock skew stops moves, and logs each change of that; thread-safe.

    It is checked when a snapshot is made and right before each call, because the clock may have been set in between.
    """

    def __init__(self, skew: Callable[[], timedelta | None]) -> None:
        self._skew = skew
        self._news = NewsFilter[str](known={CLOCK: (False, False)})

    def stops(self) -> bool:
        """Returns whether local time is so far from Connect's that waiting times are wrong; an unknown skew is none."""
        skew = self._skew() or timedelta()
        state = (abs(skew) > WARNS, abs(skew) > STOPS)
        if self._news.is_news(CLOCK, state):
            events.log_clock_skew(skew, warns=state[0], stops=state[1])
        return state[1]
