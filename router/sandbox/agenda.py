"""What will happen and when; nothing happens before its time, nor out of order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime


class Agenda:
    """``now`` only moves forward, in whole milliseconds: that is what Connect's timestamps carry."""

    def __init__(self, start: datetime) -> None:
        self.now = milliseconds(start)
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._advancing = False

    def at(self, instant: datetime, act: Callable[[], object]) -> None:
        """Does ``act`` when ``instant`` comes; at the next advance where it has passed already."""
        heapq.heappush(self._due, (instant, next(self._order), act))

    def advance(self, until: datetime) -> None:
        """Does all that is due by then, each at its own instant: ``now`` is that instant meanwhile. Called by what is
        being done, it does nothing."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._due and self._due[0][0] <= until:
                instant, _, act = heapq.heappop(self._due)
                self.now = max(self.now, milliseconds(instant))
                act()
        finally:
            self._advancing = False
        self.now = max(self.now, milliseconds(until))


def milliseconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
