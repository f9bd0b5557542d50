"""The pieces of work of a cycle, done by workers, most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Grant:
    """A token of a quota that a worker has before it has work: the first call of what it takes up uses it."""

    def __init__(self) -> None:
        self.there = True

    def use(self) -> bool:
        """Whether it was still there."""
        was, self.there = self.there, False
        return was


@dataclass(frozen=True, slots=True)
class Paced(Generic[T]):
    """Work that needs a token of a scarce quota each. A worker waits for the token first and takes the most urgent work
    then: what is urgent never waits behind what was taken up before. ``acquire`` answers ``False`` when the time for it
    is over; what is left is then performed without a token, and says so."""

    tasks: Sequence[T]
    acquire: Callable[[], bool]
    give_back: Callable[[], object]


def perform_all(tasks: Sequence[T], perform: Callable[[T], R], *, pool: Executor, workers: int) -> list[R]:
    """Performs every task, at most ``workers`` at a time, taken in the order given; answers in the order done.

    ``perform`` turns what may go wrong into results. An exception of it is a bug: the other tasks are done all the
    same, and the first one is raised here when all workers are through."""
    nothing: Paced[T] = Paced((), lambda: False, lambda: None)
    return perform_paced(tasks, nothing, lambda task, grant: perform(task), pool=pool, workers=workers)


def perform_paced(
    free: Sequence[T],
    paced: Paced[T],
    perform: Callable[[T, Grant | None], R],
    *,
    pool: Executor,
    workers: int,
) -> list[R]:
    """As ``perform_all``, for work of two kinds: neither keeps the other waiting as long as there are two workers."""
    work = _Work(free, paced, perform)
    count = min(workers, len(free) + len(paced.tasks))
    wait([pool.submit(work.drain, paced_first=number % 2 == 0) for number in range(count)])
    if work.errors:
        raise work.errors[0]
    return work.results


class _Work(Generic[T, R]):
    def __init__(self, free: Sequence[T], paced: Paced[T], perform: Callable[[T, Grant | None], R]) -> None:
        self._free = list(reversed(free))
        self._paced = list(reversed(paced.tasks))
        self._pace = paced
        self._perform = perform
        self._lock = Lock()
        self.results: list[R] = []
        self.errors: list[Exception] = []

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
        try:
            result = self._perform(task, grant)
        except Exception as error:
            self.errors.append(error)
            return
        with self._lock:
            self.results.append(result)

    def _take(self, tasks: list[T]) -> tuple[T] | None:
        with self._lock:
            return (tasks.pop(),) if tasks else None
