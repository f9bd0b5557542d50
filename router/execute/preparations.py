"""Holds the work on a contact that has to end before its move."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event, Lock

from router.decide.decision import RuleDecision
from router.execute.result import Result
from router.model import ContactId

LONGEST_S = 30.0
"""Seconds that the worker which moves a contact waits for another worker's reading and record."""


class BeforeMoves:
    """Performs warnings and observations of contacts that are moved in the same round, each once and before the move:
    the contact is read again for them, and must still be where it was. Thread-safe.

    A free worker takes such work like any other. The worker that moves the contact makes sure that it was done.
    """

    def __init__(self, decisions: Iterable[RuleDecision]) -> None:
        self._of: defaultdict[ContactId, list[RuleDecision]] = defaultdict(list)
        self._done: dict[int, Event] = {}
        self._begun: set[int] = set()
        self._lock = Lock()
        for decision in decisions:
            self._of[decision.contact.id].append(decision)
            self._done[id(decision)] = Event()

    def once(self, decision: RuleDecision, perform: Callable[[], Result]) -> list[Result]:
        """Performs it, unless it is one of these and another worker has begun it."""
        if id(decision) not in self._done:
            return [perform()]
        if not self._begin(decision):
            return []
        try:
            return [perform()]
        finally:
            self._done[id(decision)].set()

    def make_sure(self, contact_id: ContactId, perform: Callable[[RuleDecision], Result]) -> list[Result]:
        """Performs the decisions of a contact that is about to be moved, or waits for the workers that do."""
        results: list[Result] = []
        for one in self._of.get(contact_id, ()):
            results += self.once(one, partial(perform, one))
            self._done[id(one)].wait(LONGEST_S)
        return results

    def _begin(self, decision: RuleDecision) -> bool:
        with self._lock:
            new = id(decision) not in self._begun
            self._begun.add(id(decision))
            return new
