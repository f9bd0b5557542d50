"""Answers in one call whether a call may be made now, and holds all that the answer rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from router import events
from router.decide.decision import RoutingUpdate, RuleDecision, Transfer
from router.decide.snapshot import Blocks
from router.ledger.operator_records import OperatorRecords
from router.ledger.sqlite import SqliteLedger
from router.model import Action, ActionKind, ContactId, Directory, FlowId, HoldReason
from router.ports import Clock
from router.rules.rule import Mode
from router.safety.breakers import Breakers
from router.safety.clock_skew import ClockSkew
from router.safety.landing_slots import LandingSlots
from router.safety.ledger_health import LedgerHealth
from router.safety.operator_pauses import OperatorPauses
from router.safety.terms import Terms


@dataclass(frozen=True, slots=True)
class SafetyHold:
    """Gives the reason why a call may not be made now; ``detail`` is for people and may be empty."""

    reason: HoldReason
    detail: str = ""


NO_SLOT = SafetyHold(
    HoldReason.FLOW_SUSPENDED,
    "as many contacts that its flow moved as may be (guard.unlanded) have not landed yet",
)
"""The hold of a contact whose flow has no landing slot left; another landing ends it."""


class Credentials(Protocol):
    """Shows whether AWS accepts the credentials of the connection, and renews them."""

    @property
    def refused(self) -> bool:
        """Returns whether AWS refused them in the last call that it answered."""

    def renew(self) -> bool:
        """Resolves them again; returns whether they are others than those of the last call."""


@dataclass(frozen=True)
class FixedCredentials:
    """Represents credentials that AWS accepts, and that are never renewed."""

    refused: bool = False

    def renew(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class Safety:
    """Owns breakers, operator pauses, clock skew, landing slots, terms and the ledger's health. Thread-safe.

    A snapshot uses ``blocks``, a round and an attempt use ``hold_before_call`` before each call, and a follow-up uses
    ``hold_before_follow_up``.
    """

    breakers: Breakers
    pauses: OperatorPauses
    slots: LandingSlots
    clock_skew: ClockSkew
    records: OperatorRecords
    ledger: LedgerHealth
    clock: Clock
    directory: Callable[[], Directory]
    credentials: Credentials
    terms: Terms = field(default_factory=Terms)

    @classmethod
    def open(
        cls,
        ledger: SqliteLedger,
        clock: Clock,
        *,
        unlanded: int,
        unlanded_max: int = 0,
        transfer_rate: Callable[[], float] = lambda: 0.0,
        skew: Callable[[], timedelta | None],
        directory: Callable[[], Directory],
        credentials: Credentials = FixedCredentials(),
    ) -> Safety:
        """Opens it with the pauses and resumed flows that the ledger has.

        ``unlanded`` is the number of landing slots with which a flow begins. It may learn to need up to
        ``unlanded_max``, at ``transfer_rate`` moves a second. ``skew`` returns local time minus Connect's, ``None`` if
        unknown. Raises ``LedgerUnavailable`` if the ledger cannot be read.
        """
        records = OperatorRecords(ledger)
        breakers = Breakers(unlanded_limit=unlanded, clock=clock, flow_name=lambda flow: directory().flow_name(flow))
        slots = LandingSlots(unlanded, clock.monotonic, most=unlanded_max, rate=transfer_rate)
        for flow, resumed_at in records.resumed_flows().items():
            breakers.resume(flow, resumed_at)
            slots.forgive(flow, resumed_at)
        return cls(
            breakers=breakers,
            pauses=OperatorPauses(records, clock),
            slots=slots,
            clock_skew=ClockSkew(skew),
            records=records,
            ledger=LedgerHealth(ledger),
            clock=clock,
            directory=directory,
            credentials=credentials,
        )

    def blocks(self) -> Blocks:
        """Returns what a snapshot must know of breakers and clock skew."""
        return self.breakers.blocks(clock_skew=self.clock_skew.stops())

    def hold_before_call(self, subject: RuleDecision | Action) -> SafetyHold | None:
        """Returns why a decision may not be performed, or an intended call not be made, now; ``None``: it may.

        Refused credentials and operator pauses hold everything. Clock skew holds calls that change a contact, and a
        denied routing update holds routing updates, both only in mode ``enforce``.
        """
        if self.calls_stopped():
            return SafetyHold(HoldReason.DENIED)
        pause = self.pauses.holding(subject)
        if pause is not None:
            return SafetyHold(HoldReason.OPERATOR_PAUSE, str(pause))
        if _is_routing_update(subject) and self.routing_stopped():
            return SafetyHold(HoldReason.DENIED)
        if _changes_contact(subject) and self.clock_skew.stops():
            return SafetyHold(HoldReason.CLOCK_SKEW)
        return None

    def hold_before_follow_up(self, follow_up: Action) -> SafetyHold | None:
        """Returns why the call after a move may not be made now where the contact has landed; ``None``: it may."""
        if self.calls_stopped() or (follow_up.kind.is_routing and self.routing_stopped()):
            return SafetyHold(HoldReason.DENIED)
        pause = self.pauses.holding_moved(follow_up)
        return SafetyHold(HoldReason.OPERATOR_PAUSE, str(pause)) if pause is not None else None

    def calls_stopped(self) -> bool:
        """Returns whether Connect refused the credentials recently, so that no call of any kind is worth making."""
        return self.breakers.calls_stopped()

    def calls_stay_stopped(self) -> bool:
        """Returns whether calls are still stopped, after a look for other credentials, which end the stop."""
        if not self.calls_stopped():
            return False
        if self.credentials.renew():
            self.breakers.record_response()
        return self.calls_stopped()

    def routing_stopped(self) -> bool:
        """Returns whether Connect denied routing updates recently."""
        return self.breakers.routing_stopped()

    @contextmanager
    def admission(self, flow: FlowId, contact_id: ContactId, *, takes_slot: bool) -> Iterator[SafetyHold | None]:
        """Admits a contact to a transfer with the flow, for as long as the block runs; yields the hold if it may not.

        A breaker whose probe is due admits one contact at a time. With ``takes_slot`` the contact gets a landing slot,
        or ``NO_SLOT`` is yielded. The slot outlives the block: it is freed when the contact lands, or when its intent
        is settled without effect.
        """
        reason = self.breakers.admit(flow, contact_id)
        if reason is not None:
            yield SafetyHold(reason)
            return
        try:
            yield None if not takes_slot or self.slots.take(flow, contact_id) else NO_SLOT
        finally:
            self.breakers.leave(contact_id)

    def suspend_flows(self, followed: Iterable[Action]) -> None:
        """Suspends each flow whose strays among the followed moves reach the limit, and logs those newly suspended."""
        for flow in self.breakers.suspend(followed):
            name = self.directory().flow_name(flow)
            events.log_flow_suspended(flow=name, limit=self.breakers.unlanded_limit)

    def resume_flow(self, flow: FlowId) -> int | None:
        """Resumes a suspended flow on an operator's word; returns how many strays no longer count against it.

        Returns ``None`` if the flow is not suspended. Raises ``LedgerUnavailable``; then nothing has changed.
        """
        if flow not in self.breakers.suspended:
            return None
        now = self.clock.now()
        self.records.resume_flow(flow, now)
        self.breakers.resume(flow, now)
        return self.slots.forgive(flow, now)

    def close(self) -> None:
        """Ends every wait for a landing slot, because the service stops."""
        self.slots.close()


def _is_routing_update(subject: RuleDecision | Action) -> bool:
    if isinstance(subject, Action):
        return subject.kind is ActionKind.ROUTING
    return isinstance(subject, RoutingUpdate) and subject.mode is Mode.ENFORCE


def _changes_contact(subject: RuleDecision | Action) -> bool:
    if isinstance(subject, Action):
        return True
    return isinstance(subject, Transfer | RoutingUpdate) and subject.mode is Mode.ENFORCE
