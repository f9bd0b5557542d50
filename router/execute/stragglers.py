"""Holds work that outlasts its round, such as a call that hangs: the other contacts do not wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from threading import Lock

from router.decide.decision import RuleDecision
from router.execute.result import Result
from router.model import ContactId

PATIENCE = 2.0
"""Seconds that a round waits for one contact. What takes longer is put behind all others."""


class Stragglers:
    """Holds the contacts that a worker still acts on after their round, and the results when they are there.
    Thread-safe."""

    def __init__(self) -> None:
        self._contacts: Counter[ContactId] = Counter()
        self._results: list[Result] = []
        self._ended = False
        self._lock = Lock()

    @property
    def contacts(self) -> frozenset[ContactId]:
        """Returns the contacts that are not decided on again before their work has ended."""
        with self._lock:
            return frozenset(self._contacts)

    @property
    def ended(self) -> bool:
        """Returns whether work has ended that ``take`` has not returned yet."""
        return self._ended

    def leave(self, decision: RuleDecision) -> None:
        """Leaves the work on a decision behind, because its round is over."""
        with self._lock:
            self._contacts[decision.contact.id] += 1

    def end(self, decision: RuleDecision, results: Iterable[Result]) -> None:
        """Records that the work has ended, with these results."""
        with self._lock:
            self._contacts[decision.contact.id] -= 1
            self._contacts += Counter()
            self._results.extend(results)
            self._ended = True

    def take(self) -> list[Result]:
        """Returns the results since the last time."""
        with self._lock:
            taken, self._results, self._ended = self._results, [], False
            return taken
