"""Counts the changes of rules, limits and pauses, so that no call is made on a decision from before a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Terms:
    """Numbers the terms under which decisions are made: the rules, limits and operator pauses in force. Thread-safe.

    Whoever changes any of them calls ``change`` afterwards, and ``await_calls`` before it reports that the change is in
    force. A decision carries the number of its terms, which is read before the rules are.
    """

    def __init__(self) -> None:
        self._number = 0
        self._under_way: Counter[int] = Counter()
        self._changed = Condition()

    @property
    def number(self) -> int:
        """Returns the number of the terms in force."""
        return self._number

    def change(self) -> None:
        """Puts new terms in force: no call begins under earlier ones from now on."""
        with self._changed:
            self._number += 1

    def await_calls(self, *, within: float) -> bool:
        """Waits until the calls that began under earlier terms have ended; returns whether they did ``within`` so many
        seconds."""
        with self._changed:
            return self._changed.wait_for(self._none_is_earlier, within)

    @contextmanager
    def call(self, number: int) -> Iterator[bool]:
        """Holds one call, or one record, of a decision under these terms; yields whether it may still be made."""
        with self._changed:
            current = number == self._number
            if current:
                self._under_way[number] += 1
        try:
            yield current
        finally:
            if current:
                with self._changed:
                    self._under_way[number] -= 1
                    self._under_way += Counter()
                    self._changed.notify_all()

    def _none_is_earlier(self) -> bool:
        return all(number >= self._number for number in self._under_way)
