"""The arithmetic of one token bucket, without a clock and without waiting."""

from __future__ import annotations

FLOOR = 1 / 16
"""Of the full rate: after four throttles in a row a call of the slowest operation (SearchContacts, 0.4 a second) still
goes out every 40 seconds, well inside the time after which the service counts as dead."""

RECOVERY_S = 60.0
"""How long climbing from nothing to the full rate takes; Connect's quotas are per second, so a minute of caution is
many windows of theirs."""

ONE_THROTTLE_S = 1.0
"""Throttles within this time count as one: calls already on their way say nothing new about the lower rate."""

_ROUNDING = 1e-9


class Bucket:
    """Tokens fill at ``rate`` a second up to ``burst``; a throttle empties the bucket and halves the rate, which climbs
    back from the first success on. All times are monotonic seconds; none may go back.

    It starts with one token, not with a burst: a process that restarts in a loop must not spend the burst each time.
    In no span of ``t`` seconds are more than ``burst + rate * t`` tokens taken.
    """

    def __init__(self, *, rate: float, burst: float, now: float) -> None:
        """``rate`` must be above zero; a burst below one counts as one, else no call could ever be made."""
        self.full_rate = rate
        self.burst = max(burst, 1.0)
        self.throttles = 0
        self._tokens = 1.0
        self._filled_at = now
        self._low = rate
        self._climbing_since: float | None = None
        self._throttled_at: float | None = None

    def rate(self, now: float) -> float:
        """Tokens a second at this instant."""
        if self._climbing_since is None:
            return self._low
        return min(self.full_rate, self._low + self.full_rate * (now - self._climbing_since) / RECOVERY_S)

    def tokens(self, now: float) -> float:
        self._fill(now)
        return self._tokens

    def take(self, now: float) -> bool:
        """Takes a token where one is there."""
        self._fill(now)
        if self._tokens < 1.0 - _ROUNDING:
            return False
        self._tokens = max(self._tokens - 1.0, 0.0)
        return True

    def give_back(self, now: float) -> None:
        """A token that was taken and not used: no call was made with it."""
        self._fill(now)
        self._tokens = min(self._tokens + 1.0, self.burst)

    def seconds_to_token(self, now: float) -> float:
        """Until one token is there at the present rate; less while the rate climbs, so ask again before long."""
        return max(1.0 - self.tokens(now), 0.0) / self.rate(now)

    def throttled(self, now: float) -> bool:
        """Empties the bucket, as Connect's own must be, and halves the rate; ``False`` where that was just done."""
        self._fill(now)
        self._tokens = 0.0
        self.throttles += 1
        if self._throttled_at is not None and now - self._throttled_at < ONE_THROTTLE_S:
            return False
        self._low = max(self.rate(now) / 2, self.full_rate * FLOOR)
        self._climbing_since = None
        self._throttled_at = now
        return True

    def succeeded(self, now: float) -> None:
        """Starts the climb back, where the rate is lowered."""
        if self._climbing_since is None and self._low < self.full_rate:
            self._fill(now)
            self._climbing_since = now

    def _fill(self, now: float) -> None:
        if now <= self._filled_at:
            return
        self._tokens = min(self._tokens + self._area(self._filled_at, now), self.burst)
        self._filled_at = now
        if self._climbing_since is not None and self.rate(now) >= self.full_rate:
            self._low, self._climbing_since = self.full_rate, None

    def _area(self, start: float, end: float) -> float:
        """What the rate, climbing in a straight line until it is full, comes to between two instants."""
        if self._climbing_since is None:
            return self._low * (end - start)
        top = self._climbing_since + (1 - self._low / self.full_rate) * RECOVERY_S
        bend = min(max(top, start), end)
        climb = (self.rate(start) + self.rate(bend)) / 2 * (bend - start)
        return climb + self.full_rate * (end - bend)
