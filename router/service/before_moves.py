"""What is told of contacts that are moved in the same round, warnings and what a rule only observes: each once, and
before its contact is moved, for what is told is read again where the contact was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event, Lock

from router.decide.decision import ByRule
from router.model import ContactId
from router.service.performing import Result

LONGEST_S = 30.0
"""One reading and one record; whoever moves the contact waits no longer for another worker's."""


class BeforeMoves:
    """Thread-safe. A worker that is free takes such work as any other; the one that comes to move the contact makes
    sure that it was done."""

    def __init__(self, decisions: Iterable[ByRule]) -> None:
        self._of: defaultdict[ContactId, list[ByRule]] = defaultdict(list)
        self._done: dict[int, Event] = {}
        self._begun: set[int] = set()
        self._lock = Lock()
        for decision in decisions:
            self._of[decision.contact.id].append(decision)
            self._done[id(decision)] = Event()

    def once(self, decision: ByRule, perform: Callable[[], Result]) -> list[Result]:
        """Performs it, unless it is one of these and another worker has begun it."""
        if id(decision) not in self._done:
            return [perform()]
        if not self._begin(decision):
            return []
        try:
            return [perform()]
        finally:
            self._done[id(decision)].set()

    def make_sure(self, contact_id: ContactId, perform: Callable[[ByRule], Result]) -> list[Result]:
        """Those of a contact that is about to be moved: performed here, or waited for."""
        results: list[Result] = []
        for one in self._of.get(contact_id, ()):
            results += self.once(one, partial(perform, one))
            self._done[id(one)].wait(LONGEST_S)
        return results

    def _begin(self, decision: ByRule) -> bool:
        with self._lock:
            new = id(decision) not in self._begun
            self._begun.add(id(decision))
            return new
