"""Computes one token bucket, without a clock and without waiting."""

from __future__ import annotations

FLOOR = 1 / 16
"""Part of the full rate. In a storm of throttles a call of the slowest operation (SearchContacts, 0.4 a second) is
still made every 40 seconds, well inside the time after which the service counts as dead."""

CUT = 0.07
"""Part of the rate that a single throttle takes off. The account's quota is everybody's, and a neighbour's burst hardly
shows how much is left."""

ACCEPTED_THROTTLES = 0.0135
"""Sets where the rate settles next to a neighbour. A success gives back so much of a throttle's cut that about this
part of the calls is throttled, however much is left. With the time beyond ``QUIET_S`` it is some 3 in 100."""

IN_A_ROW = 3
"""From this throttle on without a success in between the rate is halved: then it is not a neighbour's burst."""

QUIET_S = 75.0
"""Seconds without a throttle after which the rate climbs ever faster, because the other user of the quota has gone. The
full rate is back within five minutes, from the floor within seven."""

ONE_THROTTLE_S = 1.0
"""Throttles within this time count as one, because calls already on their way show nothing new about the lower rate."""

_LONGEST_STEP_S = 60.0
"""One success counts for at most this time: the rate of an operation that is seldom called must not leap."""
_ROUNDING = 1e-9


class Bucket:
    """Fills with tokens at ``rate`` a second up to ``burst``. All times are monotonic seconds; none may go back.

    A throttle empties the bucket and lowers the rate, successes raise it, both by a factor: it finds what others in the
    account leave. It starts with one token, not with a burst, because a process that restarts in a loop must not spend
    the burst each time. In no span of ``t`` seconds are more than ``burst + rate * t`` tokens taken.
    """

    def __init__(self, *, rate: float, burst: float, now: float) -> None:
        """Takes a ``rate`` above zero. A burst below one counts as one, because otherwise no call could be made."""
        self.full_rate = rate
        self.burst = max(burst, 1.0)
        self.throttles = 0
        self._tokens = 1.0
        self._filled_at = now
        self._rate = rate
        self._throttled_at: float | None = None
        self._succeeded_at = now
        self._in_a_row = 0

    @property
    def rate(self) -> float:
        """Tokens a second at this instant."""
        return self._rate

    def tokens(self, now: float) -> float:
        self._fill(now)
        return self._tokens

    def take(self, now: float, *, leave: float = 0.0) -> bool:
        """Takes a token where one is there, and as many as are to be left for more urgent calls."""
        self._fill(now)
        if self._tokens < 1.0 + self._left(leave) - _ROUNDING:
            return False
        self._tokens = max(self._tokens - 1.0, 0.0)
        return True

    def give_back(self, now: float) -> None:
        """Takes a token back with which no call was made."""
        self._fill(now)
        self._tokens = min(self._tokens + 1.0, self.burst)

    def seconds_to_token(self, now: float, *, leave: float = 0.0) -> float:
        """Returns how long it takes at the present rate until one token can be taken. The rate moves: look again."""
        return max(1.0 + self._left(leave) - self.tokens(now), 0.0) / self._rate

    def throttled(self, now: float) -> bool:
        """Empties the bucket, like Connect's own, and lowers the rate; returns ``False`` if that was just done."""
        self._fill(now)
        self._tokens = 0.0
        self.throttles += 1
        if self._throttled_at is not None and now - self._throttled_at < ONE_THROTTLE_S:
            return False
        self._in_a_row += 1
        kept = 0.5 if self._in_a_row >= IN_A_ROW else 1 - CUT
        self._rate = max(self._rate * kept, self.full_rate * FLOOR)
        self._throttled_at = now
        return True

    def succeeded(self, now: float) -> None:
        """Raises a lowered rate: by little at first, and faster the longer no throttle has come."""
        self._fill(now)
        since = min(max(now - self._succeeded_at, 1.0), _LONGEST_STEP_S)
        self._succeeded_at, self._in_a_row = now, 0
        if self._throttled_at is None or self._rate >= self.full_rate:
            return
        quiet = max(now - self._throttled_at - QUIET_S, 0.0) / QUIET_S
        self._rate = min(self._rate * (1 + CUT * ACCEPTED_THROTTLES * since * (1 + quiet**3)), self.full_rate)

    def resize(self, *, rate: float, burst: float, now: float) -> None:
        """Replaces the quota; a lowered rate stays as low in proportion."""
        self._fill(now)
        self._rate *= rate / self.full_rate
        self.full_rate, self.burst = rate, max(burst, 1.0)
        self._tokens = min(self._tokens, self.burst)

    def _left(self, leave: float) -> float:
        """Returns the reserve, at most as large as the bucket can hold with one token more."""
        return min(leave, self.burst - 1.0)

    def _fill(self, now: float) -> None:
        if now > self._filled_at:
            self._tokens = min(self._tokens + self._rate * (now - self._filled_at), self.burst)
            self._filled_at = now
