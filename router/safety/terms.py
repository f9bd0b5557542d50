"""Counts the changes of rules, limits and pauses, so that no call is made on a decision from before a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import NamedTuple

from router.model import ContactId

RECORD = "record"
"""The operation of a decision that is only recorded."""


class CallUnderWay(NamedTuple):
    """Names a call that has begun: the operation of Connect, or ``RECORD``, and its contact."""

    operation: str
    contact_id: ContactId


class Terms:
    """Numbers the terms under which decisions are made: the rules, limits and operator pauses in force. Thread-safe.

    Whoever changes any of them calls ``change`` afterwards, and ``await_calls`` before it reports that the change is in
    force. A decision carries the number of its terms, which is read before the rules are.
    """

    def __init__(self) -> None:
        self._number = 0
        self._under_way: list[tuple[int, CallUnderWay]] = []
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
            return self._changed.wait_for(lambda: not self._earlier(), within)

    def earlier_calls(self) -> tuple[CallUnderWay, ...]:
        """Returns the calls under way that began under earlier terms: they may still take effect."""
        with self._changed:
            return self._earlier()

    @contextmanager
    def call(self, number: int, operation: str, contact_id: ContactId) -> Iterator[bool]:
        """Holds one call, or one record, of a decision under these terms; yields whether it may still be made."""
        begun = number, CallUnderWay(operation, contact_id)
        with self._changed:
            current = number == self._number
            if current:
                self._under_way.append(begun)
        try:
            yield current
        finally:
            if current:
                with self._changed:
                    self._under_way.remove(begun)
                    self._changed.notify_all()

    def _earlier(self) -> tuple[CallUnderWay, ...]:
        return tuple(call for number, call in self._under_way if number < self._number)
