"""Decides whether something is news: worth a log line because it is new, has changed, or was logged long ago."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import timedelta
from threading import Lock
from typing import Generic, TypeVar

AGAIN_AFTER = timedelta(minutes=5)
"""How often a fault that lasts is logged again."""
REMEMBERED = 200_000
"""Subjects, which is more than an instance of Amazon Connect holds contacts; bounds the memory."""


Subject = TypeVar("Subject", bound=Hashable)


class NewsFilter(Generic[Subject]):
    """Remembers the state in which each subject was last logged. Thread-safe.

    ``again_after`` is how long a state that does not change is not logged again, by the ``monotonic`` clock in seconds.
    Without a clock it is logged once. ``known`` holds states that are no news to begin with.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] | None = None,
        *,
        again_after: timedelta = AGAIN_AFTER,
        known: Mapping[Subject, object] | None = None,
        remembered: int = REMEMBERED,
    ) -> None:
        self._monotonic = monotonic or (lambda: 0.0)
        self._again_after = again_after.total_seconds()
        self._remembered = remembered
        self._logged: OrderedDict[Subject, tuple[object, float]] = OrderedDict()
        self._lock = Lock()
        for subject, state in (known or {}).items():
            self._logged[subject] = state, self._monotonic()

    def is_news(self, subject: Subject, state: object = None) -> bool:
        """Returns whether the caller is to log this state now, and remembers it if so."""
        now = self._monotonic()
        with self._lock:
            last = self._logged.get(subject)
            if last is not None and last[0] == state and now - last[1] < self._again_after:
                return False
            self._logged[subject] = state, now
            self._logged.move_to_end(subject)
            if len(self._logged) > self._remembered:
                self._logged.popitem(last=False)
            return True

    def forget(self, subject: Subject) -> None:
        """Makes the subject's next state news, whatever it is."""
        with self._lock:
            self._logged.pop(subject, None)

    def keep_only(self, subjects: Collection[Subject]) -> None:
        """Forgets every subject that is not among these."""
        self.forget_if(lambda subject: subject not in subjects)

    def forget_if(self, is_over: Callable[[Subject], bool]) -> None:
        with self._lock:
            for subject in [one for one in self._logged if is_over(one)]:
                del self._logged[subject]
