"""This process's share of Connect's request quotas, operation by operation."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Condition, Event, Lock

import structlog

from router.connect.bucket import Bucket
from router.settings.quotas import DOCUMENTED_QUOTAS

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second and burst, of the account and region as a whole."""

    rate: float
    burst: float


GENERAL_RATE = Rate(2, 5)
"""For every operation that has no line of its own (Amazon Connect service quotas, API throttling)."""

DEFAULT_RATES: Mapping[str, Rate] = {
    operation: Rate(quota.rate, quota.burst) for operation, quota in DOCUMENTED_QUOTAS.items()
}
"""AWS's documented defaults for new accounts, per account and region (Amazon Connect service quotas)."""

_LOOK_AGAIN_S = 1.0
"""A lowered rate climbs while one waits, so nobody sleeps longer than this on an estimate made from it."""

Wait = Callable[[Condition, float | None], object]


def wait_on(condition: Condition, seconds: float | None) -> object:
    return condition.wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaState:
    """One operation now. ``rate`` is what is allowed at this instant, ``full_rate`` this process's whole share; both
    per second. ``calls`` and ``throttles`` count from the start of the process."""

    rate: float
    full_rate: float
    tokens: float
    waiting: int
    calls: int
    throttles: int


class _Lane:
    """One operation: its bucket, and the line of those who wait for a token."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.condition = Condition()
        self.line: deque[object] = deque()
        self.calls = 0


class Quotas:
    """Thread-safe; tokens go to those who wait in the order in which they came.

    ``share`` is how much of each rate and burst this process may use. An operation without a rate has the documented
    default, or the general rule.
    """

    def __init__(
        self,
        rates: Mapping[str, Rate] | None = None,
        *,
        share: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Wait = wait_on,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """``wait`` and ``pause`` are how time passes; ``pause`` is by default an event's, which ``stop`` ends."""
        self._rates = {**DEFAULT_RATES, **(rates or {})}
        self._share = share
        self._monotonic = monotonic
        self._wait = wait
        self._lanes: dict[str, _Lane] = {}
        self._lock = Lock()
        self._stopped = Event()
        self._pause = pause or self._stopped.wait

    def acquire(self, operation: str, *, until: float | None = None) -> bool:
        """Waits for its turn and a token. ``False``, and none taken: ``until`` (monotonic seconds) came first, or
        ``stop`` was called. A token that is there at once is given whatever ``until`` says."""
        lane = self._lane(operation)
        ticket = object()
        with lane.condition:
            lane.line.append(ticket)
            try:
                while not self._stopped.is_set():
                    now = self._monotonic()
                    first = lane.line[0] is ticket
                    if first and lane.bucket.take(now):
                        return True
                    if until is not None and now >= until:
                        return False
                    self._wait(lane.condition, _patience(lane.bucket if first else None, now, until))
                return False
            finally:
                lane.line.remove(ticket)
                lane.condition.notify_all()

    def give_back(self, operation: str) -> None:
        """The caller has a token and makes no call: the next in line may have it."""
        lane = self._lane(operation)
        with lane.condition:
            lane.bucket.give_back(self._monotonic())
            lane.condition.notify_all()

    def throttled(self, operation: str) -> None:
        """Connect answered 429: slows the operation down for the whole process, and says so once a moment."""
        lane = self._lane(operation)
        with lane.condition:
            now = self._monotonic()
            slowed, rate = lane.bucket.throttled(now), lane.bucket.rate(now)
        if slowed:
            log.warning("api.throttled", operation=operation, rate=round(rate, 4))

    def succeeded(self, operation: str) -> None:
        """Connect answered otherwise: a lowered rate begins to climb back, over about a minute."""
        lane = self._lane(operation)
        with lane.condition:
            lane.bucket.succeeded(self._monotonic())

    def called(self, operation: str) -> None:
        """Counts one HTTP call."""
        lane = self._lane(operation)
        with lane.condition:
            lane.calls += 1

    def snapshot(self) -> dict[str, QuotaState]:
        """Every operation used so far, by name."""
        with self._lock:
            lanes = sorted(self._lanes.items())
        return {operation: self._state(lane) for operation, lane in lanes}

    def calls(self) -> dict[str, int]:
        """HTTP calls by operation since the process started, throttled and failed ones included."""
        return {operation: state.calls for operation, state in self.snapshot().items()}

    def stop(self) -> None:
        """Ends every wait; no token is given any more."""
        self._stopped.set()
        with self._lock:
            lanes = list(self._lanes.values())
        for lane in lanes:
            with lane.condition:
                lane.condition.notify_all()

    def pause(self, seconds: float) -> None:
        """Waits, or returns at once when stopped: for the time between two attempts."""
        self._pause(seconds)

    def _state(self, lane: _Lane) -> QuotaState:
        with lane.condition:
            now = self._monotonic()
            return QuotaState(
                rate=lane.bucket.rate(now),
                full_rate=lane.bucket.full_rate,
                tokens=lane.bucket.tokens(now),
                waiting=len(lane.line),
                calls=lane.calls,
                throttles=lane.bucket.throttles,
            )

    def _lane(self, operation: str) -> _Lane:
        with self._lock:
            if operation not in self._lanes:
                allowed = self._rates.get(operation, GENERAL_RATE)
                bucket = Bucket(
                    rate=allowed.rate * self._share, burst=allowed.burst * self._share, now=self._monotonic()
                )
                self._lanes[operation] = _Lane(bucket)
            return self._lanes[operation]


def _patience(bucket: Bucket | None, now: float, until: float | None) -> float | None:
    """How long to sleep: the first in line until its token, the others until somebody leaves the line."""
    waits = [] if until is None else [until - now]
    if bucket is not None:
        estimate = bucket.seconds_to_token(now)
        waits.append(estimate if bucket.rate(now) >= bucket.full_rate else min(estimate, _LOOK_AGAIN_S))
    return min(waits) if waits else None
