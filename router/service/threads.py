"""Threads that do not outlive the service: a call that hangs must not keep a process that was told to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Lock, Thread
from typing import Any, TypeVar

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
