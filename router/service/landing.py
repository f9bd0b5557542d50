"""How many moved contacts of each flow have not been seen to land: the place a move needs before it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Condition

from router.model import Action, FlowId, Landing


class LandingPlaces:
    """At most ``limit`` moves per flow are under way. Thread-safe; seeded from the ledger at start."""

    def __init__(self, limit: int, monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._taken: Counter[FlowId] = Counter()
        self._stuck: Counter[FlowId] = Counter()
        self._freed = Condition()
        self._closed = False

    def reset(self, actions: tuple[Action, ...]) -> None:
        """Counts anew: of these, the open intents and the moves not landed take a place each."""
        with self._freed:
            self._taken = Counter(
                action.target.flow_id
                for action in actions
                if action.target is not None and (action.open or (action.landing and action.landing.unlanded))
            )
            self._stuck = Counter(
                action.target.flow_id for action in actions if action.target and action.landing is Landing.STRAY
            )
            self._freed.notify_all()

    def take(self, flow: FlowId, *, until: float | None) -> bool:
        """Waits for a place until ``until`` (monotonic seconds; ``None``: as long as one may still become free).
        ``False``: none was taken."""
        with self._freed:
            while self._taken[flow] >= self._limit:
                left = None if until is None else until - self._monotonic()
                if self._closed or self._stuck[flow] >= self._limit or (left is not None and left <= 0):
                    return False
                self._freed.wait(left)
            self._taken[flow] += 1
            return True

    def free(self, flow: FlowId, *, was_stray: bool = False) -> None:
        with self._freed:
            self._taken[flow] = max(self._taken[flow] - 1, 0)
            self._stuck[flow] = max(self._stuck[flow] - was_stray, 0)
            self._freed.notify_all()

    def stray(self, flow: FlowId) -> None:
        """A contact under way has been given up: its place stays taken until it ends."""
        with self._freed:
            self._stuck[flow] += 1
            self._freed.notify_all()

    def close(self) -> None:
        """Ends every wait: the service stops."""
        with self._freed:
            self._closed = True
            self._freed.notify_all()
