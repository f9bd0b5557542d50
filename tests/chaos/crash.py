"""A process that dies at a point that is named, and takes everything with it that was not on the disk.

The points are in the test alone: the service has no hook that could crash it. The parts that write, read and send are
wrapped; at the chosen point the wrapper raises what nothing in the service catches, and from then on all are dead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any

from router.daemon.router import Router

LEDGER = ("intend", "renew", "settle", "record", "land")
"""Each has a point before its commit, and one after."""
POINTS = (
    *(f"{when} {what}" for what in LEDGER for when in ("before", "after")),
    "before reading",
    "after reading",
    "before transfer",
    "after transfer",
    "before routing",
    "after routing",
)
"""``after transfer``: Connect has moved the contact and answered, and nobody has taken note of it."""


class Crash(BaseException):
    """The process is dead."""


class Plan:
    """Dies as the point is reached for the ``nth`` time; ``point`` ``None``: never."""

    def __init__(self, point: str | None = None, nth: int = 1) -> None:
        self.point, self.nth = point, nth
        self.dead = False
        self._reached: Counter[str] = Counter()
        self._lock = Lock()

    def at(self, point: str) -> None:
        with self._lock:
            self._reached[point] += 1
            if point == self.point and self._reached[point] == self.nth:
                self.dead = True
        if self.dead:
            raise Crash

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.at(f"before {name}")
            result = work(*args, **kwargs)
            self.at(f"after {name}")
            return result

        return wrapped


class _Part:
    """Passes everything on to ``inner``, with some of it wrapped."""

    def __init__(self, inner: Any, plan: Plan, points: dict[str, str]) -> None:
        self._inner = inner
        for method, point in points.items():
            setattr(self, method, plan.around(point, getattr(inner, method)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def mortal(app: Router, plan: Plan) -> None:
    """Puts the points into a router that was just built."""
    for method in LEDGER:
        setattr(app.ledger, method, plan.around(method, getattr(app.ledger, method)))
    attempts = app.executor.attempts
    mover: Any = _Part(attempts.mover, plan, {"transfer": "transfer", "reroute": "routing"})
    attempts.mover = mover
    for follow_up in app.follower.follow_ups:
        follow_up.mover = mover
    attempts.reader = _reading(attempts.reader, plan)
    app.follower.reader = _reading(app.follower.reader, plan)
    object.__setattr__(app.executor.recovery, "reader", _reading(app.executor.recovery.reader, plan))


def _reading(reader: Any, plan: Plan) -> Any:
    return _Part(reader, plan, {"describe": "reading"})


def bury(app: Router, plan: Plan) -> None:
    """Rolls back what was not committed and frees the lock, as the system does with a process that was killed."""
    plan.dead = True
    app.stopping.set()
    app.connection.stop()
    app.safety.slots.close()
    app.pool.join(within=30)
    ledger: Any = app.ledger
    with suppress(Exception):
        ledger._connection.close()
    if ledger._writer_lock is not None:
        ledger._writer_lock.release()
    app.stores.observed.close()
    app.connection.close()
