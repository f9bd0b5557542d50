"""Local time against Connect's: a warning from half a minute on, no moves from five minutes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from router import events
from router.news import NewsFilter

WARNS = timedelta(seconds=30)
STOPS = timedelta(minutes=5)
CLOCK = "clock"


class ClockSkew:
    """Told when it changes, not at each look. Thread-safe: asked by who decides, and right before each call by who
    makes it, for the clock may have been set since the last answer of Connect's."""

    def __init__(self, skew: Callable[[], timedelta | None]) -> None:
        self._skew = skew
        self._news = NewsFilter[str](known={CLOCK: (False, False)})

    def stops(self) -> bool:
        """Whether local time is so far from Connect's that what waits cannot be told; unknown is not far."""
        skew = self._skew() or timedelta()
        state = (abs(skew) > WARNS, abs(skew) > STOPS)
        if self._news.is_news(CLOCK, state):
            events.log_clock_skew(skew, warns=state[0], stops=state[1])
        return state[1]
