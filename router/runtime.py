"""Holds what a process gives to all its parts: the machine's clocks, and threads that do not outlive it."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from router.ports import Clock
from router.problems import Problem, Problems

T = TypeVar("T")

SANDBOX_CLOCK = "CONNECT_ROUTER_SANDBOX_CLOCK"
"""The environment variable with the clock that a sandbox announces."""


class SystemClock:
    """Reads the machine's clocks: ``now`` is UTC and may be set, ``monotonic`` is in seconds and never decreases."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class AnnouncedClock:
    """Shows the time of a sandbox: ``shown`` when the machine showed ``machine``. ``monotonic`` is the machine's.

    Calls and waits take the machine's time.
    """

    machine: datetime
    shown: datetime
    speed: float

    @classmethod
    def parse(cls, text: str) -> AnnouncedClock:
        """Reads what a sandbox announces: ``2026-12-01T09:00:00Z/2026-12-24T15:50:00Z/60``. Raises ``Problems``."""
        try:
            machine, shown, speed = text.split("/")
            clock = cls(datetime.fromisoformat(machine), datetime.fromisoformat(shown), float(speed))
            clock.now()
        except (ValueError, TypeError, OverflowError):
            message = "no clock that 'connect-router sandbox' prints: copy its line again, or unset the variable"
            raise Problems([Problem(f"environment:{SANDBOX_CLOCK}", 0, 0, message)]) from None
        return clock

    def now(self) -> datetime:
        return self.shown + timedelta(seconds=(datetime.now(UTC) - self.machine).total_seconds() * self.speed)

    def monotonic(self) -> float:
        return time.monotonic()


def open_clock() -> Clock:
    """Returns the clock of the sandbox that the environment announces, else the machine's. Raises ``Problems``."""
    announced = os.environ.get(SANDBOX_CLOCK)
    return AnnouncedClock.parse(announced) if announced else SystemClock()


def install_command(package: str) -> str:
    """Returns the command that installs an optional package where this program runs: with pipx, uv or pip."""
    from importlib.metadata import PackageNotFoundError, requires
    from importlib.util import find_spec

    try:
        listed = requires("connect-router") or []
    except PackageNotFoundError:  # a checkout that is not installed
        listed = []
    found = (line.partition(";")[0].strip() for line in listed if line.startswith(package))
    wanted, prefix, python = f"'{next(found, package)}'", Path(sys.prefix), shlex.quote(sys.executable)
    if "pipx" in prefix.parts:
        return f"pipx inject {prefix.name} {wanted}"
    if find_spec("pip") is None:
        return f"uv pip install --python {python} {wanted}"
    return f"{python} -m pip install {wanted}"


class DaemonThreads(Executor):
    """Runs each piece of work on a daemon thread of its own.

    Python waits for the threads of ``ThreadPoolExecutor`` when a process ends, however long their call hangs (a read
    time-out is ten seconds). These threads are left behind: what they were about to do is in the ledger, as an open
    intent.
    """

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

    def join(self, *, within: float | None = None) -> int:
        """Waits ``within`` seconds for the work that still runs; returns how many threads are left behind.

        ``None`` waits until all of it has ended.
        """
        end = None if within is None else time.monotonic() + within
        with self._lock:
            running = list(self._running)
        for thread in running:
            thread.join(None if end is None else max(end - time.monotonic(), 0))
        return sum(thread.is_alive() for thread in running)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Waits for the work that still runs, if ``wait``. Nothing is queued and nothing can be cancelled."""
        if wait:
            self.join()

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


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Holds what all parts of one router share: its clock, its threads, and the event that ends them.

    At most ``workers`` threads act on contacts at a time.
    """

    clock: Clock
    workers: int
    pool: DaemonThreads = field(default_factory=lambda: DaemonThreads("work"))
    stopping: Event = field(default_factory=Event)
