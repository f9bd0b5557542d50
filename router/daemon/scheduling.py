"""Threads that do not outlive the service: a call that hangs must not keep a process that was told to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from threading import Lock, Thread
from typing import Any, TypeVar

from apscheduler.triggers.base import BaseTrigger

# When a job of the service runs: once in an interval, however long it could not.

class PeriodicTrigger(BaseTrigger):  # type: ignore[misc]
    """At once, then each ``interval``. What was missed is not made up for.

    APScheduler's own ``IntervalTrigger`` goes through all the runs that were missed, one by one: after a step of the
    clock by a year, 31 million of them for a job of each second, in minutes and gigabytes, to run it once.
    """

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        if previous_fire_time is None:
            return now
        following = previous_fire_time + self._interval
        return following if following > now else now + self._interval


T = TypeVar("T")


class DaemonThreads(Executor):
    """A thread of its own for each piece of work. Those of ``ThreadPoolExecutor`` are waited for when Python ends,
    however long their call hangs (a read time-out is ten seconds); these are left behind. What they were about to do is
    in the ledger, as an intent without an answer."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: set[Thread] = set()
        self._lock = Lock()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        thread = Thread(target=self._run, args=(future, lambda: fn(*args, **kwargs)), name=self._name, daemon=True)
        with self._lock:
            self._running = {one for one in self._running if one.is_alive()} | {thread}
            thread.start()
        return future

    @property
    def alive(self) -> tuple[Thread, ...]:
        with self._lock:
            return tuple(thread for thread in self._running if thread.is_alive())

    def join(self, *, within: float) -> int:
        """Waits ``within`` seconds for what still runs; answers how many threads are left behind."""
        end = time.monotonic() + within
        with self._lock:
            running = list(self._running)
        for thread in running:
            thread.join(max(end - time.monotonic(), 0))
        return sum(thread.is_alive() for thread in running)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing is queued, so nothing can be cancelled; with ``wait`` until all is done."""
        if wait:
            with self._lock:
                running = list(self._running)
            for thread in running:
                thread.join()

    @staticmethod
    def _run(future: Future[T], work: Callable[[], T]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
