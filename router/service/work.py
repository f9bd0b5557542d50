"""The decisions of a cycle, performed by workers, most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from threading import Lock

from router.decide.decision import ByRule
from router.service.performing import Result


def perform_all(
    decisions: Sequence[ByRule], perform: Callable[[ByRule], Result], *, pool: Executor, workers: int
) -> list[Result]:
    """Performs every decision, at most ``workers`` at a time, taken in the order given; answers in the order done.

    ``perform`` turns expected failures into results; an exception of it is a bug, and is raised here once the other
    workers are through."""
    queue = _Queue(decisions)
    running = [pool.submit(queue.drain, perform) for _ in range(min(workers, len(decisions)))]
    for worker in running:
        worker.result()
    return queue.results


class _Queue:
    def __init__(self, decisions: Sequence[ByRule]) -> None:
        self._left = list(reversed(decisions))
        self._lock = Lock()
        self.results: list[Result] = []

    def drain(self, perform: Callable[[ByRule], Result]) -> None:
        while (decision := self._take()) is not None:
            result = perform(decision)
            with self._lock:
                self.results.append(result)

    def _take(self) -> ByRule | None:
        with self._lock:
            return self._left.pop() if self._left else None
