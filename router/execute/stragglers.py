"""Holds work that outlasts its round, such as a call that hangs: the other contacts do not wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from router.cycle_context import CycleContext
from router.decide.decision import RuleDecision
from router.execute.result import Result
from router.model import ContactId
from router.ports import Pacer
from router.runtime import Runtime

THREADS = 5
"""The threads that act on contacts are at most so many times ``execute.workers``, those of hanging calls included."""
SLOW = 1.5
"""Seconds; a contact that took longer is put behind the others. A move takes a fifth of that."""
SLOW_FOR = 300.0
"""Seconds for which it is."""


class Stragglers:
    """Holds the contacts that a worker still acts on after their round, the results when they are there, and the
    contacts that took long lately. Thread-safe."""

    def __init__(self) -> None:
        self._contacts: Counter[ContactId] = Counter()
        self._slow: dict[ContactId, float] = {}
        self._results: list[Result] = []
        self._ended = False
        self._lock = Lock()

    @property
    def contacts(self) -> frozenset[ContactId]:
        """Returns the contacts that are not decided on again before their work has ended."""
        with self._lock:
            return frozenset(self._contacts)

    @property
    def count(self) -> int:
        """Returns how many threads still act."""
        with self._lock:
            return self._contacts.total()

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

    def took(self, decision: RuleDecision, seconds: float) -> None:
        """Records how long the work on a decision took, apart from waiting for tokens."""
        now = monotonic()
        with self._lock:
            if seconds >= SLOW:
                self._slow = {contact_id: until for contact_id, until in self._slow.items() if now < until}
                self._slow[decision.contact.id] = now + SLOW_FOR

    def is_slow(self, decision: RuleDecision) -> bool:
        """Returns whether the contact took long lately, so that the others come first."""
        return monotonic() < self._slow.get(decision.contact.id, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundEnd:
    """Decides for the workers of one round when it ends, and hands what outlasts it to the ``stragglers``."""

    stragglers: Stragglers
    context: CycleContext
    pacer: Pacer
    runtime: Runtime

    @property
    def room(self) -> int:
        return self.runtime.workers * (THREADS - 1) - self.stragglers.count

    def presses(self) -> bool:
        return self.context.interrupted() or self.runtime.stopping.is_set()

    def awaits_token(self, thread: int) -> bool:
        return self.pacer.awaits_token(thread)

    def leave(self, task: RuleDecision) -> None:
        self.stragglers.leave(task)

    def end(self, task: RuleDecision, result: list[Result]) -> None:
        self.stragglers.end(task, result)

    def took(self, task: RuleDecision, seconds: float) -> None:
        self.stragglers.took(task, seconds)
