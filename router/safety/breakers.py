"""Stops calls that Connect refuses again and again, and lets one contact probe from time to time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from threading import Lock

from router import events
from router.connect.answers import Failure, Full
from router.decide.snapshot import Blocks
from router.model import Action, ContactId, FlowId, HoldReason, Landing
from router.news import NewsFilter
from router.ports import REROUTE, TRANSFER, Clock

DENIED_PROBE = timedelta(minutes=5)
FULL_PROBE = timedelta(minutes=1)
DESCRIBE = "DescribeContact"
FLOWS_DENIED_FOR_ALL = 2
"""One denied flow shows that its ARN is missing from the policy; two show that TransferContact is."""


class Breaker(Enum):
    """A breaker that stops more than one flow. A denied flow has a breaker of its own, named by its id."""

    CALLS = "calls"
    """AWS refused the credentials: no call of any kind is worth making."""
    READING = "reading"
    """DescribeContact was denied: no contact may be moved without reading it."""
    INSTANCE = "instance"
    """The instance is at its quota of active contacts."""
    ROUTING = "routing"
    """Routing updates were denied; moves were not."""


class BreakerSignal(Enum):
    """Names what the end of an attempt means for the breakers."""

    NONE = "none"
    ACCEPTED = "accepted"
    """Connect accepted a transfer: whatever stopped it is over."""
    PERMITTED = "permitted"
    """Connect refused a transfer for another reason than a permission: its flow is not denied."""
    CHAIN_FULL = "chain_full"
    """The contact's own chain has its 12 contacts; the instance is not full, and the flow not denied."""
    INSTANCE_FULL = "instance_full"
    FLOW_DENIED = "flow_denied"
    READING_DENIED = "reading_denied"
    ROUTING_DENIED = "routing_denied"
    ROUTING_UNREADABLE = "routing_unreadable"
    """DescribeContact was denied before a routing update."""
    CREDENTIALS_REFUSED = "credentials_refused"


@dataclass(slots=True)
class _OpenBreaker:
    """``probe_at`` is when the next contact may try, ``prober`` the contact that does, ``last`` the contact that was
    last refused as "full"."""

    probe_at: datetime
    prober: ContactId | None = None
    last: ContactId | None = None

    def is_waiting(self, now: datetime) -> bool:
        """Returns whether the probe is still to come. A probe further away than any can be was set by a clock that has
        been set back since."""
        return now < self.probe_at <= now + DENIED_PROBE

    def admits(self, now: datetime) -> bool:
        """Returns whether a contact may probe now."""
        return self.prober is None and not self.is_waiting(now)


@dataclass(kw_only=True)
class Breakers:
    """Holds the breakers of one instance; every method is atomic.

    Only suspended flows survive a restart, because the ledger has their strays. ``unlanded_limit`` is the number of
    strays that suspends a flow. A caller that ``admit`` let through calls ``apply`` with the outcome, and ``leave`` in
    any case.
    """

    unlanded_limit: int
    clock: Clock
    flow_name: Callable[[FlowId], str | None]
    _open: dict[FlowId | Breaker, _OpenBreaker] = field(default_factory=dict)
    _suspended: frozenset[FlowId] = frozenset()
    _filled: set[ContactId] = field(default_factory=set)
    _suspects: set[ContactId] = field(default_factory=set)
    _resumed: dict[FlowId, datetime] = field(default_factory=dict)
    _news: NewsFilter[tuple[str | None, ...]] = field(init=False)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._news = NewsFilter(self.clock.monotonic, again_after=DENIED_PROBE)

    def blocks(self, *, clock_skew: bool) -> Blocks:
        """Returns what a snapshot must know. A breaker whose probe is due is left out, so that the most urgent contact
        is decided on; ``admit`` then lets only one through."""
        now = self.clock.now()
        with self._lock:
            flows = self._flows()
            for_all = [self._open.get(Breaker.CALLS), self._open.get(Breaker.READING)]
            if len(flows) >= FLOWS_DENIED_FOR_ALL:
                for_all.extend(flows.values())
            full = self._open.get(Breaker.INSTANCE)
            return Blocks(
                denied=any(breaker is not None and not breaker.admits(now) for breaker in for_all),
                denied_flows=frozenset(flow for flow, breaker in flows.items() if not breaker.admits(now)),
                suspended_flows=self._suspended,
                instance_full=full is not None and not full.admits(now),
                clock_skew=clock_skew,
            )

    def admit(self, flow: FlowId, contact_id: ContactId) -> HoldReason | None:
        """Returns why the contact may not be transferred with the flow; ``None``: it may, alone while breakers are
        probed."""
        now = self.clock.now()
        with self._lock:
            concerned = self._breakers_of(flow)
            for which, breaker in concerned.items():
                if not breaker.admits(now):
                    return HoldReason.INSTANCE_FULL if which is Breaker.INSTANCE else HoldReason.DENIED
            full = concerned.get(Breaker.INSTANCE)
            if full is not None and full.last == contact_id:
                full.last = None  # it has tried: if its own chain is full, no other contact would ever try
                return HoldReason.INSTANCE_FULL
            for breaker in concerned.values():
                breaker.prober = contact_id
            return None

    def leave(self, contact_id: ContactId) -> None:
        """Ends the contact's try. If it had no outcome (an agent picked it up, Connect did not respond, the ledger
        failed), the next contact may try at once."""
        with self._lock:
            for breaker in self._open.values():
                if breaker.prober == contact_id:
                    breaker.prober = None

    def apply(self, signal: BreakerSignal, action: Action, failure: Failure | Full | None) -> None:
        """Opens and closes breakers after an attempt at ``action`` that ended with ``failure``.

        A denial is logged, and again every five minutes while it lasts.
        """
        if signal is BreakerSignal.CREDENTIALS_REFUSED:
            self.stop_calls()
            self._log(failure, stops="calls")
        elif signal in (BreakerSignal.ROUTING_DENIED, BreakerSignal.ROUTING_UNREADABLE):
            self._trip(Breaker.ROUTING)
            operation = REROUTE if signal is BreakerSignal.ROUTING_DENIED else DESCRIBE
            self._log(failure, operation=operation, stops="routing")
        elif signal is BreakerSignal.READING_DENIED:
            self._trip(Breaker.READING)
            self._log(failure, operation=DESCRIBE, stops="transfers")
        elif signal is BreakerSignal.FLOW_DENIED:
            flow = _flow_of(action)
            stops = "transfers" if self._trip(flow) >= FLOWS_DENIED_FOR_ALL else "flow"
            self._log(failure, operation=TRANSFER, flow=self.flow_name(flow), stops=stops)
        elif signal is not BreakerSignal.NONE:
            self._close_for(signal, _flow_of(action), action.contact_id)

    def _close_for(self, signal: BreakerSignal, flow: FlowId, contact_id: ContactId) -> None:
        """Closes the flow's breaker, because Connect has let the call pass or refused it for another reason."""
        now = self.clock.now()
        with self._lock:
            self._open.pop(flow, None)
            if signal is BreakerSignal.ACCEPTED:
                for breaker in (Breaker.CALLS, Breaker.READING, Breaker.INSTANCE):
                    self._open.pop(breaker, None)
                self._suspects |= self._filled
                self._filled.clear()
            elif signal is BreakerSignal.CHAIN_FULL:
                self._suspects.discard(contact_id)
            elif signal is BreakerSignal.INSTANCE_FULL:
                self._filled.add(contact_id)
                self._open[Breaker.INSTANCE] = _OpenBreaker(now + FULL_PROBE, last=contact_id)

    def _trip(self, which: FlowId | Breaker) -> int:
        """Opens a breaker until the next probe; returns how many flows are denied now."""
        with self._lock:
            self._open[which] = _OpenBreaker(self.clock.now() + DENIED_PROBE)
            return len(self._flows())

    def _log(self, failure: Failure | Full | None, **fields: str | None) -> None:
        assert failure is not None, "a denial is a failure"
        if self._news.is_news((failure.code, *(fields.get(name) for name in ("operation", "flow", "stops")))):
            events.log_denied(failure, **fields)

    def stop_calls(self) -> None:
        """Stops every call, because AWS refused the credentials."""
        self._trip(Breaker.CALLS)

    def record_response(self) -> None:
        """Records that Connect answered a reading call, which shows that the credentials are good."""
        with self._lock:
            self._open.pop(Breaker.CALLS, None)

    @property
    def credentials_refused(self) -> bool:
        """Returns whether the credentials were refused, and no call has succeeded since."""
        with self._lock:
            return Breaker.CALLS in self._open

    def calls_stopped(self) -> bool:
        """Returns whether the credentials were refused, and the next probe is still to come."""
        return self._is_waiting(Breaker.CALLS)

    def routing_stopped(self) -> bool:
        """Returns whether routing updates were denied, and the next probe is still to come."""
        return self._is_waiting(Breaker.ROUTING)

    def _is_waiting(self, which: Breaker) -> bool:
        with self._lock:
            breaker = self._open.get(which)
            return breaker is not None and breaker.is_waiting(self.clock.now())

    def is_suspect(self, contact_id: ContactId) -> bool:
        """Returns whether the contact's own chain must be full: it was refused as "full" before, and another contact
        has got through since."""
        with self._lock:
            return contact_id in self._suspects

    def suspend(self, followed: Iterable[Action]) -> frozenset[FlowId]:
        """Suspends each flow whose strays reach the limit; returns the flows that were not suspended before."""
        strays: dict[FlowId, int] = {}
        for action in followed:
            if action.target is not None and action.landing is Landing.STRAY and self._counts(action):
                strays[action.target.flow_id] = strays.get(action.target.flow_id, 0) + 1
        with self._lock:
            before = self._suspended
            self._suspended = frozenset(flow for flow, count in strays.items() if count >= self.unlanded_limit)
            return self._suspended - before

    def resume(self, flow: FlowId, at: datetime) -> None:
        """Resumes a flow: moves made with it until then no longer count against it, wherever they led."""
        with self._lock:
            self._resumed[flow] = at
            self._suspended -= {flow}

    def _counts(self, action: Action) -> bool:
        resumed_at = self._resumed.get(_flow_of(action))
        return resumed_at is None or (action.settled_at or action.decided_at) > resumed_at

    @property
    def suspended(self) -> frozenset[FlowId]:
        return self._suspended

    def close_all(self) -> None:
        """Closes every breaker after a reload, because permissions and flows may have changed."""
        with self._lock:
            self._open.clear()
            self._filled.clear()
            self._suspects.clear()

    def _flows(self) -> dict[FlowId, _OpenBreaker]:
        return {which: breaker for which, breaker in self._open.items() if not isinstance(which, Breaker)}

    def _breakers_of(self, flow: FlowId) -> dict[FlowId | Breaker, _OpenBreaker]:
        """Returns the breakers that a transfer with the flow must pass."""
        all_flows = len(self._flows()) >= FLOWS_DENIED_FOR_ALL
        return {
            which: breaker
            for which, breaker in self._open.items()
            if which is not Breaker.ROUTING and (isinstance(which, Breaker) or all_flows or which == flow)
        }


def _flow_of(action: Action) -> FlowId:
    assert action.target is not None, "a transfer has a target"
    return action.target.flow_id
