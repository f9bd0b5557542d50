"""Runs the work of a cycle on workers, most urgent first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Condition, Event, Lock
from time import monotonic
from typing import Generic, Protocol, TypeVar

from router.decide.decision import RuleDecision
from router.execute.result import Result
from router.model import ContactId
from router.ports import Grant

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


class InProgress:
    """Holds the contacts that this process acts on now. Thread-safe; the workers and recovery share it.

    A contact has one move at a time, and one routing update. A move does not wait for an update: it supersedes it.
    """

    def __init__(self) -> None:
        self._moves: set[ContactId] = set()
        self._updates: set[ContactId] = set()
        self._lock = Lock()

    @property
    def contacts(self) -> frozenset[ContactId]:
        """Returns the contacts that are being moved."""
        with self._lock:
            return frozenset(self._moves)

    def is_moving(self, contact_id: ContactId) -> bool:
        """Returns whether a move has superseded an update of the contact, so that the update makes no further call."""
        with self._lock:
            return contact_id in self._moves

    def claim(self, contact_id: ContactId) -> AbstractContextManager[bool]:
        """Claims the contact for a move until the block ends; yields ``False`` if another move has it."""
        return self._claim(contact_id, self._moves, (self._moves,))

    def claim_update(self, contact_id: ContactId) -> AbstractContextManager[bool]:
        """Claims the contact for a routing update until the block ends; yields ``False`` if a move or another update
        has it."""
        return self._claim(contact_id, self._updates, (self._moves, self._updates))

    @contextmanager
    def _claim(
        self, contact_id: ContactId, claimed: set[ContactId], excluded_by: tuple[set[ContactId], ...]
    ) -> Iterator[bool]:
        with self._lock:
            mine = not any(contact_id in others for others in excluded_by)
            if mine:
                claimed.add(contact_id)
        try:
            yield mine
        finally:
            if mine:
                with self._lock:
                    claimed.discard(contact_id)


T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_contra = TypeVar("R_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class PacedWork(Generic[T]):
    """Holds tasks that need a token of a scarce quota each.

    A worker waits for the token first and then takes the most urgent task. An urgent task therefore never waits behind
    one that was taken earlier. ``acquire`` returns ``False`` when its time is over. The tasks that are left are then
    performed without a token.
    """

    tasks: Sequence[T]
    acquire: Callable[[], bool]
    give_back: Callable[[], object]


def perform_all(tasks: Sequence[T], perform: Callable[[T], R], *, pool: Executor, workers: int) -> list[R]:
    """Performs every task, at most ``workers`` at a time, taken in the order given; answers in the order done.

    ``perform`` turns what may go wrong into results. An exception of it is a bug: the other tasks are done all the
    same, and the first one is raised here when all workers are through."""
    nothing: PacedWork[T] = PacedWork((), lambda: False, lambda: None)
    return perform_paced(tasks, nothing, lambda task, grant: perform(task), pool=pool, workers=workers)


class Late(Protocol[T_contra, R_contra]):
    """Gets tasks that outlast their round (``leave``), and later their results (``end``)."""

    def leave(self, task: T_contra, /) -> object: ...
    def end(self, task: T_contra, result: R_contra, /) -> object: ...


def perform_paced(
    free: Sequence[T],
    paced: PacedWork[T],
    perform: Callable[[T, Grant | None], R],
    *,
    pool: Executor,
    workers: int,
    patience: float | None = None,
    late: Late[T, R] | None = None,
) -> list[R]:
    """Performs work of two kinds like ``perform_all``; neither kind delays the other if there are two workers.

    A task that takes longer than ``patience`` seconds is left to ``late``. Another worker takes the place of its own.
    """
    work = _Work(free, paced, perform, late=late)
    for number in range(min(workers, len(free) + len(paced.tasks))):
        work.start(pool, paced_first=number % 2 == 0)
    work.wait(pool, patience=patience, replacements=workers)
    if work.errors:
        raise work.errors[0]
    return work.results


class _Work(Generic[T, R]):
    def __init__(
        self,
        free: Sequence[T],
        paced: PacedWork[T],
        perform: Callable[[T, Grant | None], R],
        *,
        late: Late[T, R] | None,
    ) -> None:
        self._free = list(reversed(free))
        self._paced = list(reversed(paced.tasks))
        self._pace = paced
        self._perform = perform
        self._late = late
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._alive = 0
        self._begun: dict[int, tuple[T, float]] = {}
        self._left: set[int] = set()
        self._numbers = count()
        self.results: list[R] = []
        self.errors: list[Exception] = []

    def start(self, pool: Executor, *, paced_first: bool) -> None:
        """Starts one more worker."""
        with self._lock:
            self._alive += 1
        pool.submit(self._drain_and_end, paced_first=paced_first)

    def wait(self, pool: Executor, *, patience: float | None, replacements: int) -> None:
        """Waits until all work has ended, except that of tasks which have lasted longer than ``patience``."""
        while True:
            with self._lock:
                now = monotonic()
                ages = [now - began for number, (_, began) in self._begun.items() if number not in self._left]
                if patience is not None and any(age >= patience for age in ages):
                    lost = self._leave_older_than(now - patience)
                elif self._alive > len(self._left):
                    until_late = None if patience is None or not ages else patience - max(ages)
                    self._changed.wait(until_late if ages else patience)
                    continue
                elif (self._free or self._paced) and self._alive:
                    self._changed.wait(patience)  # every worker hangs, and there is no replacement left
                    continue
                else:
                    return
            for _ in range(min(lost, replacements)):
                self.start(pool, paced_first=True)
            replacements -= min(lost, replacements)

    def _leave_older_than(self, since: float) -> int:
        """Leaves tasks that began before an instant behind; returns how many."""
        lost = [number for number, (_, began) in self._begun.items() if began <= since and number not in self._left]
        for number in lost:
            self._left.add(number)
            if self._late is not None:
                self._late.leave(self._begun[number][0])
        return len(lost)

    def _drain_and_end(self, *, paced_first: bool) -> None:
        try:
            self.drain(paced_first=paced_first)
        finally:
            with self._lock:
                self._alive -= 1
                self._changed.notify_all()

    def drain(self, *, paced_first: bool) -> None:
        drains = (self._drain_paced, self._drain_free)
        for drain in drains if paced_first else reversed(drains):
            drain()

    def _drain_free(self) -> None:
        while (taken := self._take(self._free)) is not None:
            self._do(taken[0], None)

    def _drain_paced(self) -> None:
        while self._paced:
            grant = Grant() if self._pace.acquire() else None
            taken = self._take(self._paced)
            if taken is not None:
                self._do(taken[0], grant)
            if grant is not None and grant.use():
                self._pace.give_back()

    def _do(self, task: T, grant: Grant | None) -> None:
        with self._lock:
            number = next(self._numbers)
            self._begun[number] = task, monotonic()
            self._changed.notify_all()
        result: list[R] = []
        try:
            result.append(self._perform(task, grant))
        except Exception as error:
            self.errors.append(error)
        with self._lock:
            del self._begun[number]
            if number in self._left and self._late is not None:
                self._left.discard(number)
                for one in result:
                    self._late.end(task, one)
            else:
                self.results.extend(result)
            self._changed.notify_all()

    def _take(self, tasks: list[T]) -> tuple[T] | None:
        with self._lock:
            return (tasks.pop(),) if tasks else None
