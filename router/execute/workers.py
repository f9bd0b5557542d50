"""Runs the work of a cycle on workers, most urgent first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from threading import Condition, Lock, get_ident
from time import monotonic
from typing import Generic, Protocol, TypeVar

from router.ports import Grant

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
    nudge: Callable[[], object] = lambda: None
    """Makes the workers that wait for a token look whether they still should."""
    spare: Sequence[T] = ()
    """Holds tasks without tokens that give way: no worker takes one while a task with a token lacks a worker."""


def perform_all(
    tasks: Sequence[T],
    perform: Callable[[T], R],
    *,
    pool: Executor,
    workers: int,
    late: Late[T, R] | None = None,
) -> list[R]:
    """Performs every task, at most ``workers`` at a time, taken in the order given; answers in the order done.

    ``perform`` turns what may go wrong into results. An exception of it is a bug: the other tasks are done all the
    same, and the first one is raised here when all workers are through."""
    nothing: PacedWork[T] = PacedWork((), lambda: False, lambda: None)
    return perform_paced(tasks, nothing, lambda task, grant: perform(task), pool=pool, workers=workers, late=late)


class Late(Protocol[T_contra, R_contra]):
    """Decides how long a round waits for work that has begun, and gets the tasks that outlast it."""

    @property
    def room(self) -> int:
        """Returns how many more tasks may be left."""
        ...

    def presses(self) -> bool:
        """Returns whether something else is due."""
        ...

    def awaits_token(self, thread: int, /) -> bool:
        """Returns whether a thread waits for its turn, so that nothing hangs."""
        ...

    def leave(self, task: T_contra, /) -> object: ...
    def end(self, task: T_contra, result: R_contra, /) -> object: ...
    def took(self, task: T_contra, seconds: float, /) -> object:
        """Records how long a task took, apart from waiting for tokens."""
        ...


@dataclass(frozen=True, slots=True)
class BriefWait(Generic[T]):
    """Waits for work until ``presses``. What has begun continues, and is in ``left`` until it has ended."""

    presses: Callable[[], bool]
    awaits_token: Callable[[int], bool] = lambda thread: False
    most_left: int = sys.maxsize
    left: dict[int, T] = field(default_factory=dict)

    @property
    def room(self) -> int:
        return self.most_left - len(self.left)

    def leave(self, task: T) -> None:
        self.left[id(task)] = task

    def end(self, task: T, result: object) -> None:
        self.left.pop(id(task), None)

    def took(self, task: T, seconds: float) -> None: ...


PATIENCE = 2.0
"""Seconds after which work counts as hanging. Another worker takes the place of its own."""
BRIEF_PATIENCE = 0.5
"""The same while other work waits for a worker, or something else is due."""
LOOK_EVERY = 0.05
"""Seconds between two looks at work that has begun."""


def perform_paced(
    free: Sequence[T],
    paced: PacedWork[T],
    perform: Callable[[T, Grant | None], R],
    *,
    pool: Executor,
    workers: int,
    late: Late[T, R] | None = None,
) -> list[R]:
    """Performs work of two kinds like ``perform_all``; neither kind delays the other if there are two workers.

    With ``late`` it does not wait for work that hangs, nor for work that lasts while something else is due. Another
    worker takes the place of such a worker.
    """
    work = _Work(free, paced, perform, late=late)
    for number in range(min(workers, len(free) + len(paced.tasks) + len(paced.spare))):
        work.start(pool, paced_first=number % 2 == 0)
    work.wait(pool)
    if work.errors:
        raise work.errors[0]
    return work.results


@dataclass(slots=True, eq=False)
class _Begun(Generic[T]):
    """Holds a task that a worker performs, since when, and since when it has not been seen waiting for a token."""

    task: T
    thread: int
    at: float
    since: float
    left: bool = False


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
        self._spare = list(reversed(paced.spare))
        self._awaiting = 0
        self._pace = paced
        self._perform = perform
        self._late = late
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._alive = 0
        self._begun: set[_Begun[T]] = set()
        self.results: list[R] = []
        self.errors: list[Exception] = []

    def start(self, pool: Executor, *, paced_first: bool) -> None:
        """Starts one more worker."""
        with self._lock:
            self._alive += 1
        pool.submit(self._drain_and_end, paced_first=paced_first)

    def wait(self, pool: Executor) -> None:
        """Waits until all work has ended, except for what is left to ``late``."""
        while True:
            with self._lock:
                if self._alive == sum(begun.left for begun in self._begun):
                    return
                unbegun = len(self._free) + len(self._paced) + len(self._spare)
                lost = self._leave_behind(self._late, unbegun > 0) if self._late is not None else 0
                if not lost:
                    self._changed.wait(None if self._late is None else LOOK_EVERY)
            for _ in range(min(lost, unbegun)):
                self.start(pool, paced_first=True)

    def _leave_behind(self, late: Late[T, R], unbegun: bool) -> int:
        """Leaves tasks behind for which the round waits no longer; returns how many."""
        now, presses, lost = monotonic(), late.presses(), 0
        patience = BRIEF_PATIENCE if presses or unbegun else PATIENCE
        if presses:
            self._pace.nudge()
        for begun in self._begun:
            if late.awaits_token(begun.thread):
                begun.since = now
            hangs = now - begun.since >= patience
            if not begun.left and (hangs or (presses and now - begun.at >= PATIENCE)) and late.room > 0:
                begun.left = True
                late.leave(begun.task)
                lost += 1
        return lost

    def _drain_and_end(self, *, paced_first: bool) -> None:
        try:
            self.drain(paced_first=paced_first)
        finally:
            with self._lock:
                self._alive -= 1
                self._changed.notify_all()

    def drain(self, *, paced_first: bool) -> None:
        if paced_first:
            self._drain_paced()
        while (taken := self._take(self._free)) is not None:
            self._do(taken[0], None)
        while self._spare:
            if self._paced and not self._awaiting:
                self._do_paced()
            elif (taken := self._take(self._spare)) is not None:
                self._do(taken[0], None)
        self._drain_paced()

    def _drain_paced(self) -> None:
        while self._paced:
            self._do_paced()

    def _do_paced(self) -> None:
        grant = self._await_grant()
        taken = self._take(self._paced)
        if taken is not None:
            self._do(taken[0], grant)
        if grant is not None and grant.use():
            self._pace.give_back()

    def _await_grant(self) -> Grant | None:
        with self._lock:
            self._awaiting += 1
        try:
            return Grant() if self._pace.acquire() else None
        finally:
            with self._lock:
                self._awaiting -= 1

    def _do(self, task: T, grant: Grant | None) -> None:
        now = monotonic()
        begun = _Begun(task, get_ident(), now, now)
        with self._lock:
            self._begun.add(begun)
        result: list[R] = []
        try:
            result.append(self._perform(task, grant))
        except Exception as error:
            self.errors.append(error)
        with self._lock:
            self._begun.discard(begun)
            if self._late is not None:
                self._late.took(task, monotonic() - begun.since)
            if begun.left and self._late is not None:
                for one in result:
                    self._late.end(task, one)
            else:
                self.results.extend(result)
            self._changed.notify_all()

    def _take(self, tasks: list[T]) -> tuple[T] | None:
        with self._lock:
            return (tasks.pop(),) if tasks else None
