"""Warnings of contacts that are moved in the same round: each is performed once, and before its contact is moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from threading import Event, Lock

from router.decide.decision import ByRule, Warn
from router.model import ContactId
from router.service.performing import Result

LONGEST_S = 30.0
"""A warning is one reading and one record; whoever moves its contact waits no longer for another worker's."""


class BeforeMoves:
    """Thread-safe. A worker that is free takes a warning as any other work; the one that comes to move its contact
    makes sure that it was told."""

    def __init__(self, warnings: Iterable[Warn]) -> None:
        self._of: defaultdict[ContactId, list[Warn]] = defaultdict(list)
        self._done: dict[int, Event] = {}
        self._begun: set[int] = set()
        self._lock = Lock()
        for warn in warnings:
            self._of[warn.contact.id].append(warn)
            self._done[id(warn)] = Event()

    def once(self, decision: ByRule, perform: Callable[[], Result]) -> list[Result]:
        """Performs it, unless it is a warning that another worker has begun."""
        if id(decision) not in self._done:
            return [perform()]
        if not self._begin(decision):
            return []
        try:
            return [perform()]
        finally:
            self._done[id(decision)].set()

    def make_sure(self, contact_id: ContactId, perform: Callable[[Warn], Result]) -> list[Result]:
        """The warnings of a contact that is about to be moved: performed here, or waited for."""
        results: list[Result] = []
        for warn in self._of.get(contact_id, ()):
            results += self.once(warn, lambda warn=warn: perform(warn))  # type: ignore[misc]
            self._done[id(warn)].wait(LONGEST_S)
        return results

    def _begin(self, decision: ByRule) -> bool:
        with self._lock:
            new = id(decision) not in self._begun
            self._begun.add(id(decision))
            return new
