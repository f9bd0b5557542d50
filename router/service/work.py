"""The pieces of work of a cycle, done by workers, most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def perform_all(tasks: Sequence[T], perform: Callable[[T], R], *, pool: Executor, workers: int) -> list[R]:
    """Performs every task, at most ``workers`` at a time, taken in the order given; answers in the order done.

    ``perform`` turns what may go wrong into results. An exception of it is a bug: the other tasks are done all the
    same, and the first one is raised here when all workers are through."""
    queue = _Queue(tasks, perform)
    wait([pool.submit(queue.drain) for _ in range(min(workers, len(tasks)))])
    if queue.errors:
        raise queue.errors[0]
    return queue.results


class _Queue(Generic[T, R]):
    def __init__(self, tasks: Sequence[T], perform: Callable[[T], R]) -> None:
        self._left = list(reversed(tasks))
        self._perform = perform
        self._lock = Lock()
        self.results: list[R] = []
        self.errors: list[Exception] = []

    def drain(self) -> None:
        while (taken := self._take()) is not None:
            try:
                result = self._perform(taken[0])
            except Exception as error:
                self.errors.append(error)
                continue
            with self._lock:
                self.results.append(result)

    def _take(self) -> tuple[T] | None:
        with self._lock:
            return (self._left.pop(),) if self._left else None
