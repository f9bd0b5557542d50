"""Compares what two rule sets would have done with one contact, up to the first act that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from router.history.world import DecisionRecord
from router.model import ActionKind, ContactId

WEIGHTIEST_FIRST = (ActionKind.TRANSFER, ActionKind.ROUTING, ActionKind.WARN)
SAME_TIME = timedelta(seconds=30)
"""Two acts so close together count as simultaneous: a service acts some seconds after an instant, at its next look."""


class DifferenceKind(StrEnum):
    """Names how two rule sets differ on a contact, as seen from the second one."""

    NOW = "now"
    NO_LONGER = "no_longer"
    ELSEWHERE = "elsewhere"
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class DecidedAct:
    """Holds one act and its time."""

    at: datetime
    decision: DecisionRecord

    def has_effect_of(self, other: DecidedAct) -> bool:
        """Returns whether both do the same, whichever rule does it. A warning is its rule's and step's own."""
        return effect(self.decision) == effect(other.decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Holds what one rule set would have done with a contact.

    After the last act there is nothing to compare with. ``next_due_at`` is when a step would have been due then, and
    ``held`` the hold reason; ``None`` without one.
    """

    acts: tuple[DecidedAct, ...] = ()
    next_due_at: datetime | None = None
    held: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDifference:
    """Describes the first act that differs. ``by`` is the time between both acts, at least that if ``at_least``."""

    contact_id: ContactId
    kind: DifferenceKind
    act: str
    rule: str
    at: datetime
    before: str | None = None
    after: str | None = None
    by: timedelta | None = None
    at_least: bool = False
    held: str | None = None


def effect(decision: DecisionRecord) -> tuple[object, ...]:
    """Returns what a decision does, without the rule that decides it. A warning is its rule's own."""
    if decision.kind == "warn":
        return ("warn", decision.rule, decision.step)
    return (decision.kind, decision.to)


def compare(contact_id: ContactId, a: Followed, b: Followed) -> DecisionDifference | None:
    """Returns the first difference, of simultaneous ones the weightiest; ``None`` if both do the same."""
    acts_a, acts_b = _without_repetition(a.acts), _without_repetition(b.acts)
    rest_a = [one for one in acts_a if not any(_is_same(one, other) for other in acts_b)]
    rest_b = [one for one in acts_b if not any(_is_same(one, other) for other in acts_a)]
    if not rest_a and not rest_b:
        return None
    at = min(one.at for one in (*rest_a, *rest_b))
    together = [one for one in (*rest_b, *rest_a) if one.at == at]
    kind = min((one.decision.kind for one in together), key=WEIGHTIEST_FIRST.index)
    first = next(one for one in together if one.decision.kind == kind)
    if any(first is one for one in rest_b):
        return _acted_first(contact_id, first, rest_a)
    return _did_not_act(contact_id, first, rest_b, b)


def _without_repetition(acts: Sequence[DecidedAct]) -> list[DecidedAct]:
    """Returns the acts without those that repeat an earlier one, because it could not be carried out then."""
    first: dict[tuple[object, ...], DecidedAct] = {}
    for act in acts:
        first.setdefault(effect(act.decision), act)
    return list(first.values())


def _is_same(one: DecidedAct, other: DecidedAct) -> bool:
    return one.has_effect_of(other) and abs(one.at - other.at) <= SAME_TIME


def _acted_first(contact_id: ContactId, new: DecidedAct, old: Sequence[DecidedAct]) -> DecisionDifference:
    """Describes an act of B that A makes later, makes elsewhere, or does not make."""
    counterpart = _of_kind(old, new)
    if counterpart is None:
        return _difference(contact_id, DifferenceKind.NOW, new, after=new.decision.to)
    if not counterpart.has_effect_of(new):
        to = {"before": counterpart.decision.to, "after": new.decision.to}
        return _difference(contact_id, DifferenceKind.ELSEWHERE, new, **to)
    return _difference(contact_id, DifferenceKind.EARLIER, new, by=counterpart.at - new.at, after=new.decision.to)


def _did_not_act(contact_id: ContactId, old: DecidedAct, new: Sequence[DecidedAct], b: Followed) -> DecisionDifference:
    """Describes an act of A that B makes later, makes elsewhere, or does not make."""
    counterpart = _of_kind(new, old)
    if counterpart is not None:
        if counterpart.has_effect_of(old):
            return _difference(contact_id, DifferenceKind.LATER, old, by=counterpart.at - old.at, after=old.decision.to)
        to = {"before": old.decision.to, "after": counterpart.decision.to}
        return _difference(contact_id, DifferenceKind.ELSEWHERE, counterpart, **to)
    if b.held is None and b.next_due_at is not None and b.next_due_at > old.at:
        by = b.next_due_at - old.at
        return _difference(contact_id, DifferenceKind.LATER, old, by=by, at_least=True, before=old.decision.to)
    return _difference(contact_id, DifferenceKind.NO_LONGER, old, held=b.held, before=old.decision.to)


def _of_kind(acts: Sequence[DecidedAct], like: DecidedAct) -> DecidedAct | None:
    """Returns the first act of the same kind; of warnings the one of the same rule and step."""
    for act in acts:
        if act.decision.kind == like.decision.kind and (like.decision.kind != "warn" or act.has_effect_of(like)):
            return act
    return None


def _difference(contact_id: ContactId, kind: DifferenceKind, act: DecidedAct, **more: Any) -> DecisionDifference:
    """Returns a difference at an act. ``more`` are the fields that only some kinds have."""
    rule = act.decision.rule or ""
    return DecisionDifference(contact_id=contact_id, kind=kind, act=act.decision.kind, rule=rule, at=act.at, **more)
