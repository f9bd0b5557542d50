"""Decides what the end of an attempt means: one pure table for transfers, routing updates and follow-ups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.connect.answers import (
    Denied,
    Full,
    Rejected,
    Skewed,
    Throttled,
    Transferred,
    Unauthenticated,
    Unknown,
    Updated,
)
from router.execute.recheck import GONE
from router.execute.result import AttemptResult, Outcome
from router.model import ActionKind, ActionState, HoldReason
from router.safety.breakers import BreakerSignal

UNKNOWN_YET = "the outcome is not known yet; settled by reading"
NO_ANSWER = "NoAnswer"
"""The error code of an attempt that ended without a response and without a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Holds what to write, log and stop after an attempt.

    ``state`` ``INTENDED`` leaves the intent open. ``event`` is the log event, ``None`` for none; a follow-up logs
    events of its own instead. ``only_news`` logs it only if the contact's last failure had another code. ``error`` is
    the code for the ledger and the log.
    """

    state: ActionState
    outcome: Outcome
    event: str | None = None
    breaker: BreakerSignal = BreakerSignal.NONE
    reason: HoldReason | None = None
    error: str | None = None
    message: str = ""
    only_news: bool = False

    @property
    def detail(self) -> str:
        """Returns the reason why nothing was sent, if Connect or the network is it."""
        return self.error or "" if self.outcome is Outcome.NOT_SENT else ""


_ACCEPTED: Mapping[ActionKind, str] = {
    ActionKind.TRANSFER: "contact.transferred",
    ActionKind.ROUTING: "contact.reprioritized",
}


_ROUTING_DENIALS = BreakerSignal.ROUTING_UNREADABLE, BreakerSignal.ROUTING_DENIED
_DENIALS: Mapping[ActionKind, tuple[BreakerSignal, BreakerSignal]] = {
    ActionKind.TRANSFER: (BreakerSignal.READING_DENIED, BreakerSignal.FLOW_DENIED),
    ActionKind.ROUTING: _ROUTING_DENIALS,
    ActionKind.RESTORE_PLACE: _ROUTING_DENIALS,
}
"""What a denied DescribeContact, or a denied call of this kind, stops: each kind that makes calls has a row."""


def settle(kind: ActionKind, attempt: AttemptResult, *, uncertain: bool, chain_full: bool = False) -> Settlement:
    """Returns the settlement of an attempt; the rows stand in order of precedence.

    ``uncertain``: a call was sent before and its outcome is not known. ``chain_full``: if Connect answers "full", it
    is the contact's own chain that is full, and not the instance.
    """
    answer = attempt.answer
    if isinstance(answer, Transferred | Updated):
        accepted = BreakerSignal.ACCEPTED if kind is ActionKind.TRANSFER else BreakerSignal.NONE
        return Settlement(state=ActionState.ACTED, outcome=Outcome.DONE, event=_ACCEPTED.get(kind), breaker=accepted)
    if uncertain and attempt.hold in GONE:
        return Settlement(state=ActionState.ACTED, outcome=Outcome.DONE, event="contact.recovered")
    refused_update = isinstance(answer, Rejected | Full) and kind is not ActionKind.TRANSFER
    if isinstance(answer, Unknown) or (uncertain and not refused_update):
        return _open(kind, attempt)
    if isinstance(answer, Rejected):
        return _refused(answer, BreakerSignal.PERMITTED if kind is ActionKind.TRANSFER else BreakerSignal.NONE)
    if isinstance(answer, Full):
        return _full(kind, answer, chain_full=chain_full)
    if kind.follows and isinstance(answer, Denied):
        return _refused(answer, _denial(kind, attempt))
    if kind.follows and attempt.hold is None:
        return _due_again(kind, attempt)
    if isinstance(attempt.failure, Denied | Unauthenticated):
        return _denied(kind, attempt)
    if isinstance(attempt.failure, Skewed):
        return Settlement(
            state=ActionState.NEVER_SENT,
            outcome=Outcome.HELD,
            reason=HoldReason.CLOCK_SKEW,
            error=attempt.failure.code,
        )
    if attempt.hold is not None:
        state, held = ActionState.NEVER_SENT, attempt.hold
        return Settlement(state=state, outcome=Outcome.HELD, reason=held, error=held.value)
    return _not_sent(attempt)


def _open(kind: ActionKind, attempt: AttemptResult) -> Settlement:
    """Leaves the intent open: a refusal of a repeated transfer shows nothing about the first call."""
    failure = attempt.failure
    return Settlement(
        state=ActionState.INTENDED,
        outcome=Outcome.UNSETTLED,
        event="contact.failed",
        breaker=_denial(kind, attempt),
        error=failure.code if failure is not None else NO_ANSWER,
        message=UNKNOWN_YET,
    )


def _refused(answer: Rejected | Full | Denied, breaker: BreakerSignal) -> Settlement:
    return Settlement(
        state=ActionState.REFUSED,
        outcome=Outcome.REFUSED,
        event="contact.failed",
        breaker=breaker,
        error=answer.code,
        message=answer.message,
    )


def _full(kind: ActionKind, answer: Full, *, chain_full: bool) -> Settlement:
    if kind is not ActionKind.TRANSFER:
        return _refused(answer, BreakerSignal.NONE)
    if chain_full:
        return _refused(answer, BreakerSignal.CHAIN_FULL)
    return Settlement(
        state=ActionState.NEVER_SENT,
        outcome=Outcome.HELD,
        breaker=BreakerSignal.INSTANCE_FULL,
        reason=HoldReason.INSTANCE_FULL,
        error=answer.code,
    )


def _denied(kind: ActionKind, attempt: AttemptResult) -> Settlement:
    failure = attempt.failure
    return Settlement(
        state=ActionState.NEVER_SENT,
        outcome=Outcome.HELD,
        breaker=_denial(kind, attempt),
        reason=HoldReason.DENIED,
        error=failure.code if failure is not None else None,
    )


def _denial(kind: ActionKind, attempt: AttemptResult) -> BreakerSignal:
    """Returns what a missing permission stops; refused credentials stop every call."""
    failure = attempt.failure
    if isinstance(failure, Unauthenticated):
        return BreakerSignal.CREDENTIALS_REFUSED
    if not isinstance(failure, Denied):
        return BreakerSignal.NONE
    reading = failure is not attempt.answer
    of_reading, of_call = _DENIALS[kind]
    return of_reading if reading else of_call


def _due_again(kind: ActionKind, attempt: AttemptResult) -> Settlement:
    """Leaves a follow-up open: nothing was sent, and the next look tries again."""
    return Settlement(
        state=ActionState.INTENDED,
        outcome=Outcome.NOT_SENT,
        breaker=_denial(kind, attempt),
        error=attempt.failure.code if attempt.failure is not None else None,
    )


def _not_sent(attempt: AttemptResult) -> Settlement:
    """Settles an attempt that was throttled to the end, had no token or no reading, or was stopped."""
    assert isinstance(attempt.answer, Throttled | None), "every other answer has a row"
    failure = attempt.failure
    return Settlement(
        state=ActionState.NEVER_SENT,
        outcome=Outcome.NOT_SENT,
        event="contact.failed" if failure is not None else None,
        error=failure.code if failure is not None else None,
        message="not sent; decided again" if failure is not None else "",
        only_news=True,
    )
