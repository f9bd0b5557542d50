"""Defines decisions as frozen values that ``plan`` prints, ``run`` performs and ``explain`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.model import Action, ActionKind, Contact, ContactId, FirstAct, HoldReason, Need, Target, WaitKey
from router.rules.condition import ReliedOnValue
from router.rules.rule import Mode, Routing


@dataclass(frozen=True, slots=True)
class GuardRefusal:
    """Gives the reason not to act; ``why`` is for people. ``needs`` must be read before it is known whether a guard
    refuses."""

    reason: HoldReason
    why: str
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class PausesSeen:
    """Holds the end of the last pause that the clock counted, ``None`` if there was none. ``assumed``: not read yet."""

    resumed_at: datetime | None
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDecision:
    """Describes what a step of a rule decided on a contact.

    ``due_at`` is when the step was due; ``late`` the time since the breach (since ``due_at`` if the rule has no
    target), negative before it. ``acts_before`` is when the rule's hours close, ``None`` for a rule around the clock;
    after that the decision is made again. ``relied_on`` are the conditions that came out as they did because of values
    of DescribeContact, which may have changed since. ``pauses`` is what was known of the contact's pauses, ``None`` if
    they could not be read.
    """

    contact: Contact
    wait: WaitKey
    chain_id: ContactId
    rule: str
    step: int
    at: timedelta
    mode: Mode
    due_at: datetime
    late: timedelta
    urgency: float
    first: FirstAct
    fingerprint: str
    acts_before: datetime | None = None
    relied_on: tuple[ReliedOnValue, ...] = field(default=(), repr=False)
    pauses: PausesSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(RuleDecision):
    """Moves the contact. ``skipped`` has the numbers of the earlier due ``to`` steps that this one skips."""

    target: Target
    series: int
    skipped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingUpdate(RuleDecision):
    """Changes the contact's priority or routing age in its queue."""

    routing: Routing


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn(RuleDecision):
    """Logs a warning; the contact stays as it is."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Leaves the contact alone for now.

    ``rule`` and ``step`` would have acted, if that is known. ``detail`` is for people and never holds a customer's
    value.
    """

    contact: Contact
    wait: WaitKey
    chain_id: ContactId
    reason: HoldReason
    mode: Mode
    rule: str | None = None
    step: int | None = None
    due_at: datetime | None = None
    late: timedelta | None = None
    urgency: float = 0.0
    detail: str = ""


Decision = Transfer | RoutingUpdate | Warn | Hold
KINDS: Mapping[type[RuleDecision], ActionKind] = {
    Transfer: ActionKind.TRANSFER,
    RoutingUpdate: ActionKind.ROUTING,
    Warn: ActionKind.WARN,
}


def action_of(decision: RuleDecision, *, revision: str, cycle: int, now: datetime, observed: bool = False) -> Action:
    """Returns the record of an act that takes effect at the instant at which it is recorded."""
    contact = decision.contact
    assert contact.queue_id is not None and contact.enqueued_at is not None, "only waiting contacts are decided on"
    return Action(
        kind=KINDS[type(decision)],
        wait=decision.wait,
        chain_id=decision.chain_id,
        contact_id=contact.id,
        queue_id=contact.queue_id,
        enqueued_at=contact.enqueued_at,
        rule=decision.rule,
        step=decision.step,
        at=decision.at,
        first=decision.first,
        revision=revision,
        fingerprint=decision.fingerprint,
        cycle=cycle,
        decided_at=now,
        settled_at=now,
        observed=observed,
        target=decision.target if isinstance(decision, Transfer) else None,
        series=decision.series if isinstance(decision, Transfer) else 0,
        channel=contact.channel,
    )
