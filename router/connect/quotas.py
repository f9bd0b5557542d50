"""Shares Connect's request quotas, operation by operation."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Condition, Event, Lock, get_ident

import structlog

from router.connect.token_bucket import Bucket
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

RESERVE: Mapping[str, float] = {"DescribeContact": 2.0}
"""Tokens that calls which can wait leave in the bucket: nothing is moved without a reading of that very moment."""

_LOOK_AGAIN_S = 1.0
"""A lowered rate climbs during a wait. Nobody therefore sleeps longer than this on an estimate made from it."""

Wait = Callable[[Condition, float | None], object]


def wait_on(condition: Condition, seconds: float | None) -> object:
    return condition.wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaState:
    """Describes one operation now. ``rate`` is allowed at this instant, ``full_rate`` is the whole share; both per
    second.

    ``calls`` and ``throttles`` count from the start of the process.
    """

    rate: float
    full_rate: float
    tokens: float
    waiting: int
    calls: int
    throttles: int


class _Lane:
    """Holds one operation: its bucket, and the lines of waiting calls, the urgent ones before the others."""

    def __init__(self, bucket: Bucket, reserve: float) -> None:
        self.bucket = bucket
        self.reserve = reserve
        self.condition = Condition()
        self.urgent: deque[object] = deque()
        self.patient: deque[object] = deque()
        self.calls = 0

    @property
    def first(self) -> object:
        return (self.urgent or self.patient)[0]

    @property
    def waiting(self) -> int:
        return len(self.urgent) + len(self.patient)


class Quotas:
    """Gives tokens to calls in the order in which they began to wait. Thread-safe.

    ``share`` is the part of each rate and burst that this process may use. An operation without a rate has the
    documented default, or the general rule.
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
        """Takes ``wait`` and ``pause`` as passing time; ``pause`` is by default an event's, ended by ``stop``."""
        self._rates = {**DEFAULT_RATES, **(rates or {})}
        self._share, self._part = share, 1.0
        self._monotonic = monotonic
        self._wait = wait
        self._lanes: dict[str, _Lane] = {}
        self._lock = Lock()
        self._waiting: set[int] = set()
        self._stopped = Event()
        self._pause = pause or self._stopped.wait

    def acquire(
        self,
        operation: str,
        *,
        until: float | None = None,
        urgent: bool = True,
        cancelled: Callable[[], bool] | None = None,
    ) -> bool:
        """Waits for its turn and a token. Returns ``False`` if it took none.

        Then ``until`` (monotonic seconds) came first, ``cancelled`` returned true (it is called at each ``nudge``), or
        ``stop`` was called. A token that is there at once is given whatever ``until`` is. Calls that are not ``urgent``
        come after all that are, and leave them a reserve.
        """
        self._waiting.add(get_ident())
        try:
            return self._acquire(self._lane(operation), until, urgent, cancelled)
        finally:
            self._waiting.discard(get_ident())

    def _acquire(self, lane: _Lane, until: float | None, urgent: bool, cancelled: Callable[[], bool] | None) -> bool:
        ticket = object()
        line, leave = (lane.urgent, 0.0) if urgent else (lane.patient, lane.reserve)
        with lane.condition:
            line.append(ticket)
            try:
                while not (self._stopped.is_set() or (cancelled is not None and cancelled())):
                    now = self._monotonic()
                    first = lane.first is ticket
                    if first and lane.bucket.take(now, leave=leave):
                        return True
                    if until is not None and now >= until:
                        return False
                    self._wait(lane.condition, _patience(lane.bucket if first else None, now, until, leave))
                return False
            finally:
                line.remove(ticket)
                lane.condition.notify_all()

    def awaits_token(self, thread: int) -> bool:
        """Returns whether a thread waits for its turn or a token."""
        return thread in self._waiting

    def nudge(self, operation: str) -> None:
        """Makes waiting calls check whether they are cancelled."""
        lane = self._lane(operation)
        with lane.condition:
            lane.condition.notify_all()

    def seconds_to_token(self, operation: str) -> float:
        """Returns how long a new call would wait, at the present rate and behind those that wait already."""
        lane = self._lane(operation)
        with lane.condition:
            return lane.bucket.seconds_to_token(self._monotonic()) + lane.waiting / lane.bucket.rate

    def give_back(self, operation: str) -> None:
        """Takes a token back with which no call is made; the next in line may have it."""
        lane = self._lane(operation)
        with lane.condition:
            lane.bucket.give_back(self._monotonic())
            lane.condition.notify_all()

    def throttled(self, operation: str) -> None:
        """Lowers the rate of the operation for the whole process because Connect answered 429.

        It logs while the rate falls.
        """
        lane = self._lane(operation)
        with lane.condition:
            now, before = self._monotonic(), lane.bucket.rate
            slowed, rate = lane.bucket.throttled(now), lane.bucket.rate
        if slowed and rate < before:
            log.warning("api.throttled", operation=operation, rate=round(rate, 4))

    def succeeded(self, operation: str) -> None:
        """Lets a lowered rate climb back, the faster the longer nothing was throttled."""
        lane = self._lane(operation)
        with lane.condition:
            lane.bucket.succeeded(self._monotonic())

    def adopt(self, rates: Mapping[str, Rate]) -> None:
        """Replaces the quotas of these operations."""
        with self._lock:
            self._rates.update(rates)
            lanes = {operation: self._lanes[operation] for operation in rates if operation in self._lanes}
        for operation, lane in lanes.items():
            with lane.condition:
                allowed = self._allowed(operation)
                lane.bucket.resize(rate=allowed.rate, burst=allowed.burst, now=self._monotonic())
                lane.condition.notify_all()

    def use_part(self, part: float) -> None:
        """Uses only this part of the share from now on; 1 is all of it."""
        if part == self._part:
            return
        self._part = part
        with self._lock:
            rates = {operation: self._rates.get(operation, GENERAL_RATE) for operation in self._lanes}
        self.adopt(rates)

    def called(self, operation: str) -> None:
        """Counts one HTTP call."""
        lane = self._lane(operation)
        with lane.condition:
            lane.calls += 1

    def full_rate(self, operation: str) -> float:
        """Returns how many calls a second this process may make, if Connect throttles none."""
        with self._lock:
            return self._allowed(operation).rate

    def snapshot(self) -> dict[str, QuotaState]:
        """Returns every operation used until now, by name."""
        with self._lock:
            lanes = sorted(self._lanes.items())
        return {operation: self._state(lane) for operation, lane in lanes}

    def calls(self) -> dict[str, int]:
        """Returns the HTTP calls by operation since the process started, throttled and failed ones included."""
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
        """Waits between two attempts; returns at once when stopped."""
        self._pause(seconds)

    def _state(self, lane: _Lane) -> QuotaState:
        with lane.condition:
            now = self._monotonic()
            return QuotaState(
                rate=lane.bucket.rate,
                full_rate=lane.bucket.full_rate,
                tokens=lane.bucket.tokens(now),
                waiting=lane.waiting,
                calls=lane.calls,
                throttles=lane.bucket.throttles,
            )

    def _lane(self, operation: str) -> _Lane:
        with self._lock:
            if operation not in self._lanes:
                allowed = self._allowed(operation)
                bucket = Bucket(rate=allowed.rate, burst=allowed.burst, now=self._monotonic())
                self._lanes[operation] = _Lane(bucket, RESERVE.get(operation, 0.0))
            return self._lanes[operation]

    def _allowed(self, operation: str) -> Rate:
        """Returns what this process may use of the quota."""
        whole, part = self._rates.get(operation, GENERAL_RATE), self._share * self._part
        return Rate(whole.rate * part, whole.burst * part)


def _patience(bucket: Bucket | None, now: float, until: float | None, leave: float) -> float | None:
    """Returns how long to sleep: the first in line until its token, the others until a call leaves the line."""
    waits = [] if until is None else [until - now]
    if bucket is not None:
        estimate = bucket.seconds_to_token(now, leave=leave)
        waits.append(estimate if bucket.rate >= bucket.full_rate else min(estimate, _LOOK_AGAIN_S))
    return min(waits) if waits else None
