"""What stops transfers for a while, and the one contact let through now and then to see whether it still does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from router.decide.look import Blocks
from router.model import Action, FlowId, HoldReason

DENIED_PROBE = timedelta(minutes=5)
FULL_PROBE = timedelta(minutes=1)
FLOWS_DENIED_FOR_ALL = 2
"""One denied flow says that its ARN is missing from the policy; two that TransferContact is."""


@dataclass(slots=True)
class _Stop:
    """``probe_at`` is when the next contact may try; ``probing`` while one does."""

    probe_at: datetime
    probing: bool = False


@dataclass
class Blocked:
    """Shared by the workers; every method is atomic. Of all this only the strays, which the ledger has, survive a
    restart."""

    unlanded_limit: int
    _flows: dict[FlowId, _Stop] = field(default_factory=dict)
    _credentials: _Stop | None = None
    _full: _Stop | None = None
    _suspended: frozenset[FlowId] = frozenset()
    _lock: Lock = field(default_factory=Lock)

    def for_look(self, now: datetime, *, clock_skew: bool) -> Blocks:
        """What deciding must know. A block whose probe is due is left out, so that the most urgent contact is decided
        on; ``admit`` then lets only one through."""
        with self._lock:
            denied = {flow for flow, stop in self._flows.items() if not _probe_due(stop, now)}
            return Blocks(
                denied=self._all_denied() and not self._any_probe_due(now),
                denied_flows=frozenset(denied),
                suspended_flows=self._suspended,
                instance_full=self._full is not None and not _probe_due(self._full, now),
                clock_skew=clock_skew,
            )

    def admit(self, flow: FlowId, now: datetime) -> HoldReason | None:
        """Asked right before an intent: ``None`` lets the move go on, as the only one where a block is being probed."""
        with self._lock:
            stops = [(self._flows.get(flow), HoldReason.DENIED), (self._credentials, HoldReason.DENIED)]
            if self._all_denied():
                stops.extend((stop, HoldReason.DENIED) for stop in self._flows.values())
            stops.append((self._full, HoldReason.INSTANCE_FULL))
            for stop, reason in stops:
                if stop is not None and not _probe_due(stop, now):
                    return reason
            for stop, _ in stops:
                if stop is not None:
                    stop.probing = True
            return None

    def accepted(self, flow: FlowId) -> None:
        """A transfer got through: whatever stopped it has gone."""
        with self._lock:
            self._flows.pop(flow, None)
            self._credentials = self._full = None

    def calls_stopped(self, now: datetime) -> bool:
        """Whether the credentials were refused a moment ago: no call of any kind is worth making until the probe."""
        with self._lock:
            return self._credentials is not None and not _probe_due(self._credentials, now)

    def read(self) -> None:
        """A reading call was answered: the credentials are good."""
        with self._lock:
            self._credentials = None

    def denied(self, flow: FlowId, now: datetime) -> None:
        with self._lock:
            self._flows[flow] = _Stop(now + DENIED_PROBE)

    def unauthenticated(self, now: datetime) -> None:
        with self._lock:
            self._credentials = _Stop(now + DENIED_PROBE)

    def full(self, now: datetime) -> None:
        with self._lock:
            self._full = _Stop(now + FULL_PROBE)

    def undecided(self, now: datetime) -> None:
        """A probe came to nothing (the contact was picked up, Connect did not answer): the next may try at once."""
        with self._lock:
            for stop in (*self._flows.values(), self._credentials, self._full):
                if stop is not None:
                    stop.probing = False

    def suspend(self, followed: Iterable[Action]) -> frozenset[FlowId]:
        """Suspends each flow whose strays reach the limit; answers those that were not suspended before."""
        strays: dict[FlowId, int] = {}
        for action in followed:
            if action.target is not None and action.landing is not None and action.landing.value == "stray":
                strays[action.target.flow_id] = strays.get(action.target.flow_id, 0) + 1
        with self._lock:
            before = self._suspended
            self._suspended = frozenset(flow for flow, count in strays.items() if count >= self.unlanded_limit)
            return self._suspended - before

    def forget(self) -> None:
        """A reload: permissions and flows may have changed, so everything is tried again."""
        with self._lock:
            self._flows.clear()
            self._credentials = self._full = None

    def _all_denied(self) -> bool:
        return self._credentials is not None or len(self._flows) >= FLOWS_DENIED_FOR_ALL

    def _any_probe_due(self, now: datetime) -> bool:
        if self._credentials is not None:
            return _probe_due(self._credentials, now)
        return any(_probe_due(stop, now) for stop in self._flows.values())


def _probe_due(stop: _Stop, now: datetime) -> bool:
    return not stop.probing and now >= stop.probe_at
