"""What stops transfers for a while, and the one contact let through now and then to see whether it still does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from threading import Lock

from router import events
from router.connect.answers import Failure, Full
from router.decide.snapshot import Blocks
from router.model import Action, ContactId, Directory, FlowId, HoldReason, Landing
from router.news import NewsFilter
from router.ports import TRANSFER, UPDATE, Clock

DENIED_PROBE = timedelta(minutes=5)
FULL_PROBE = timedelta(minutes=1)
DESCRIBE = "DescribeContact"
FLOWS_DENIED_FOR_ALL = 2
"""One denied flow says that its ARN is missing from the policy; two that TransferContact is."""


class Everything(Enum):
    """What stops more than one flow."""

    CALLS = "calls"
    """The credentials were refused: no call of any kind is worth making."""
    READING = "reading"
    """DescribeContact was denied: nothing may be moved unread."""
    INSTANCE = "instance"
    """The instance is at its quota of active contacts."""


class BreakerSignal(Enum):
    """What the end of an attempt says about the breakers."""

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


def over(probe_at: datetime, now: datetime) -> bool:
    """Whether nothing has to wait for that instant any more. One that is further off than any probe was set by a clock
    that has been set back since."""
    return not now < probe_at <= now + DENIED_PROBE


@dataclass(slots=True)
class _Stop:
    """``probe_at`` is when the next contact may try; ``prober`` the one that does; ``last`` the one that was answered
    "full" last."""

    probe_at: datetime
    prober: ContactId | None = None
    last: ContactId | None = None

    def due(self, now: datetime) -> bool:
        return self.prober is None and over(self.probe_at, now)


@dataclass
class Breakers:
    """Shared by the workers; every method is atomic. Of all this only the strays, which the ledger has, survive a
    restart. Who was let through by ``admit`` says how it ended and always, whatever happened, calls ``leave``."""

    unlanded_limit: int
    _stops: dict[FlowId | Everything, _Stop] = field(default_factory=dict)
    _suspended: frozenset[FlowId] = frozenset()
    _filled: set[ContactId] = field(default_factory=set)
    _suspects: set[ContactId] = field(default_factory=set)
    _resumed: dict[FlowId, datetime] = field(default_factory=dict)
    _no_routing_until: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    def for_look(self, now: datetime, *, clock_skew: bool) -> Blocks:
        """What deciding must know. A block whose probe is due is left out, so that the most urgent contact is decided
        on; ``admit`` then lets only one through."""
        with self._lock:
            flows = self._flows()
            all_of_them = [self._stops.get(Everything.CALLS), self._stops.get(Everything.READING)]
            if len(flows) >= FLOWS_DENIED_FOR_ALL:
                all_of_them.extend(flows.values())
            full = self._stops.get(Everything.INSTANCE)
            return Blocks(
                denied=any(stop is not None and not stop.due(now) for stop in all_of_them),
                denied_flows=frozenset(flow for flow, stop in flows.items() if not stop.due(now)),
                suspended_flows=self._suspended,
                instance_full=full is not None and not full.due(now),
                clock_skew=clock_skew,
            )

    def admit(self, flow: FlowId, contact_id: ContactId, now: datetime) -> HoldReason | None:
        """Asked right before an intent: ``None`` lets the move go on, as the only one where a block is being probed."""
        with self._lock:
            stops = self._concerning(flow)
            for what, stop in stops.items():
                if not stop.due(now):
                    return _reason(what)
            full = stops.get(Everything.INSTANCE)
            if full is not None and full.last == contact_id:
                full.last = None  # it had its try: were its own chain what is full, nobody else would ever get one
                return HoldReason.INSTANCE_FULL
            for stop in stops.values():
                stop.prober = contact_id
            return None

    def leave(self, contact_id: ContactId) -> None:
        """The contact's try is over. Where it came to nothing (it was picked up, Connect did not answer, the ledger
        could not be written), the next one may try at once."""
        with self._lock:
            for stop in self._stops.values():
                if stop.prober == contact_id:
                    stop.prober = None

    def accepted(self, flow: FlowId) -> None:
        """A transfer got through: whatever stopped it has gone; contacts answered "full" until now are suspected."""
        with self._lock:
            for what in (flow, *Everything):
                self._stops.pop(what, None)
            self._suspects |= self._filled
            self._filled.clear()

    def permitted(self, flow: FlowId) -> None:
        """Connect refused a transfer for another reason than a permission: the flow is not denied."""
        with self._lock:
            self._stops.pop(flow, None)

    def calls_stopped(self, now: datetime) -> bool:
        """Whether the credentials were refused a moment ago: no call of any kind is worth making until the probe."""
        with self._lock:
            stop = self._stops.get(Everything.CALLS)
            return stop is not None and not over(stop.probe_at, now)

    def read(self) -> None:
        """A reading call was answered: the credentials are good."""
        with self._lock:
            self._stops.pop(Everything.CALLS, None)

    def denied(self, flow: FlowId, now: datetime) -> bool:
        """Whether that stops transfers altogether, and not this flow alone."""
        with self._lock:
            self._stops[flow] = _Stop(now + DENIED_PROBE)
            return len(self._flows()) >= FLOWS_DENIED_FOR_ALL

    def routing_denied(self, now: datetime) -> None:
        """Routing updates were denied; moves were not."""
        with self._lock:
            self._no_routing_until = now + DENIED_PROBE

    def routing_stopped(self, now: datetime) -> bool:
        with self._lock:
            return self._no_routing_until is not None and not over(self._no_routing_until, now)

    def unreadable(self, now: datetime) -> None:
        """Reading a contact was denied."""
        with self._lock:
            self._stops[Everything.READING] = _Stop(now + DENIED_PROBE)

    def unauthenticated(self, now: datetime) -> None:
        with self._lock:
            self._stops[Everything.CALLS] = _Stop(now + DENIED_PROBE)

    def is_suspect(self, contact_id: ContactId) -> bool:
        """Decides whether it is the contact's chain that is full: it was answered "full" before, and another contact
        has got through since."""
        with self._lock:
            return contact_id in self._suspects

    def chain_full(self, flow: FlowId, contact_id: ContactId) -> None:
        """Records that the contact's own chain is full, which shows that the flow is permitted."""
        with self._lock:
            self._stops.pop(flow, None)
            self._suspects.discard(contact_id)

    def full(self, flow: FlowId, contact_id: ContactId, now: datetime) -> None:
        """Records that the instance is full."""
        with self._lock:
            self._stops.pop(flow, None)
            self._filled.add(contact_id)
            self._stops[Everything.INSTANCE] = _Stop(now + FULL_PROBE, last=contact_id)

    def suspend(self, followed: Iterable[Action]) -> frozenset[FlowId]:
        """Suspends each flow whose strays reach the limit; answers those that were not suspended before."""
        strays: dict[FlowId, int] = {}
        for action in followed:
            if action.target is not None and action.landing is Landing.STRAY and self._counts(action):
                strays[action.target.flow_id] = strays.get(action.target.flow_id, 0) + 1
        with self._lock:
            before = self._suspended
            self._suspended = frozenset(flow for flow, count in strays.items() if count >= self.unlanded_limit)
            return self._suspended - before

    def resume(self, flow: FlowId, at: datetime) -> None:
        """An operator's word: moves with the flow up to then do not count against it, wherever they went."""
        with self._lock:
            self._resumed[flow] = at
            self._suspended -= {flow}

    def _counts(self, action: Action) -> bool:
        assert action.target is not None, "a transfer has a target"
        resumed_at = self._resumed.get(action.target.flow_id)
        return resumed_at is None or (action.settled_at or action.decided_at) > resumed_at

    @property
    def suspended(self) -> frozenset[FlowId]:
        return self._suspended

    def forget(self) -> None:
        """A reload: permissions and flows may have changed, so everything is tried again."""
        with self._lock:
            self._stops.clear()
            self._filled.clear()
            self._suspects.clear()
            self._no_routing_until = None

    def _flows(self) -> dict[FlowId, _Stop]:
        return {what: stop for what, stop in self._stops.items() if not isinstance(what, Everything)}

    def _concerning(self, flow: FlowId) -> dict[FlowId | Everything, _Stop]:
        flows = self._flows()
        altogether = len(flows) >= FLOWS_DENIED_FOR_ALL
        return {
            what: stop
            for what, stop in self._stops.items()
            if isinstance(what, Everything) or altogether or what == flow
        }


def _reason(what: FlowId | Everything) -> HoldReason:
    return HoldReason.INSTANCE_FULL if what is Everything.INSTANCE else HoldReason.DENIED


@dataclass(frozen=True, kw_only=True)
class Denials:
    """Applies breaker signals, and logs what is denied.

    A denial is logged again every five minutes while it lasts. If several attempts meet it at once, only the first is
    logged.
    """

    blocked: Breakers
    clock: Clock
    directory: Callable[[], Directory]
    _news: NewsFilter[tuple[str | None, ...]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_news", NewsFilter(self.clock.monotonic, again_after=DENIED_PROBE))

    def apply(self, signal: BreakerSignal, action: Action, failure: Failure | Full | None) -> None:
        """Opens and closes breakers after an attempt at ``action`` that ended with ``failure``."""
        now = self.clock.now()
        if signal is BreakerSignal.CREDENTIALS_REFUSED:
            self.blocked.unauthenticated(now)
            self._log(failure, stops="calls")
        elif signal in (BreakerSignal.ROUTING_DENIED, BreakerSignal.ROUTING_UNREADABLE):
            self.blocked.routing_denied(now)
            operation = UPDATE if signal is BreakerSignal.ROUTING_DENIED else DESCRIBE
            self._log(failure, operation=operation, stops="routing")
        elif signal is BreakerSignal.READING_DENIED:
            self.blocked.unreadable(now)
            self._log(failure, operation=DESCRIBE, stops="transfers")
        elif signal is not BreakerSignal.NONE:
            self._apply_to_flow(signal, action, failure, now)

    def _apply_to_flow(
        self, signal: BreakerSignal, action: Action, failure: Failure | Full | None, now: datetime
    ) -> None:
        assert action.target is not None, "only a transfer has a flow"
        flow = action.target.flow_id
        if signal is BreakerSignal.ACCEPTED:
            self.blocked.accepted(flow)
        elif signal is BreakerSignal.PERMITTED:
            self.blocked.permitted(flow)
        elif signal is BreakerSignal.CHAIN_FULL:
            self.blocked.chain_full(flow, action.contact_id)
        elif signal is BreakerSignal.INSTANCE_FULL:
            self.blocked.full(flow, action.contact_id, now)
        elif signal is BreakerSignal.FLOW_DENIED:
            stops = "transfers" if self.blocked.denied(flow, now) else "flow"
            self._log(failure, operation=TRANSFER, flow=self.directory().flow_name(flow), stops=stops)

    def _log(self, failure: Failure | Full | None, **fields: str | None) -> None:
        assert failure is not None, "a denial is a failure"
        what = (failure.code, *(fields.get(name) for name in ("operation", "flow", "stops")))
        if self._news.is_news(what):
            events.log_denied(failure, **fields)
