"""A decision is a frozen value: ``plan`` prints it, ``run`` performs it, examples compare it, ``explain`` tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.model import Contact, ContactId, FirstAct, HoldReason, Need, Target, WaitKey
from router.rules.condition import ReliedOnValue
from router.rules.rule import Mode, Routing

# Why something is not done.


@dataclass(frozen=True, slots=True)
class GuardRefusal:
    """``why`` is for people. ``needs`` is what must be read before it is known whether anything refuses at all."""

    reason: HoldReason
    why: str
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class PausesSeen:
    """The end of the last pause that the clock knows of, ``None``: of none. ``assumed``: nobody has read it yet."""

    resumed_at: datetime | None
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDecision:
    """What a step of a rule decided on a contact. ``due_at`` is when the step fell due; ``late`` the time since the
    breach (since ``due_at`` where the rule has no target), negative before it. ``acts_before`` is when the rule's
    hours close, ``None`` for a rule around the clock: what has not begun to act by then is decided anew. ``relied_on``
    are the conditions that came out as they did because of what DescribeContact told, which may have changed since;
    ``pauses`` is what was known of a task's, ``None`` for what cannot be paused."""

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
    """Move the contact. ``skipped`` are the numbers of the earlier due ``to`` steps that this one supersedes."""

    target: Target
    series: int
    skipped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingUpdate(RuleDecision):
    """Change the contact's priority or routing age where it is."""

    routing: Routing


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn(RuleDecision):
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Leave the contact alone now. ``rule`` and ``step`` are what would have acted, where that is known; ``detail`` is
    for people and never holds a customer's value."""

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
