"""Limits on moves: each answers with the reason it refuses, or ``None``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from router.decide.case import Case
from router.decide.look import CHAIN_TRANSFERS, Look, Need, NeedTransfers
from router.model import Contact, HoldReason, Landing
from router.rules.bound import BoundRule
from router.rules.condition import Unread

Refusal = tuple[HoldReason, str]
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Spent:
    """Moves that count against the limits: those of the last hour by rule, and those decided in this cycle by rule."""

    hour: Counter[str] = field(default_factory=Counter)
    cycle: Counter[str] = field(default_factory=Counter)

    @classmethod
    def so_far(cls, look: Look) -> Spent:
        """``observed`` moves count by themselves, so that watching a rule never takes from those that act."""
        since = look.now - HOUR
        recent = [move.rule for move in look.recent_moves if move.decided_at > since]
        this = [move.rule for move in look.recent_moves if move.cycle == look.cycle]
        return cls(hour=Counter(recent), cycle=Counter(this))

    def add(self, rule: str) -> None:
        self.hour[rule] += 1
        self.cycle[rule] += 1


def before_all(rule: BoundRule, contact: Contact, case: Case, look: Look) -> Refusal | None:
    """What stands in the way of any act of the rule on the contact."""
    if rule.unresolved:
        return HoldReason.UNRESOLVED, "; ".join(str(problem) for problem in rule.unresolved)
    if contact.id in look.in_progress or case.open_intent is not None:
        return HoldReason.IN_FLIGHT, "an earlier move of it has no known outcome yet"
    if case.landing is Landing.STRAY:
        return HoldReason.STRAY, "an earlier move of it has not been seen to land"
    if case.landing is Landing.PENDING:
        return HoldReason.IN_FLIGHT, "it has been moved and is not seen to have landed yet"
    return None


def before_destinations(rule: BoundRule, contact: Contact, case: Case, look: Look) -> Refusal | Need | None:
    """What stands in the way of a move wherever it would go."""
    if look.blocks.denied:
        return HoldReason.DENIED, "transfers were denied by IAM or the credentials refused"
    if look.blocks.instance_full:
        return HoldReason.INSTANCE_FULL, "the instance is at its quota of active contacts"
    if look.blocks.clock_skew:
        return HoldReason.CLOCK_SKEW, "local time differs from Connect's by more than 5 minutes"
    budget = transfer_budget(contact, case, look)
    return budget or _own_moves(rule, case, look)


def transfer_budget(contact: Contact, case: Case, look: Look) -> Refusal | Need | None:
    """Whether the chain has transfers to spare: Connect allows 11 a chain, whoever makes them (API_TransferContact)."""
    known = chain_transfers(contact, case, look)
    if known is None:
        return NeedTransfers(contact.id)
    if isinstance(known, Unread):
        return HoldReason.UNREADABLE, known.why
    allowed = CHAIN_TRANSFERS - look.limits.reserve_transfers
    if known >= allowed:
        return HoldReason.TRANSFER_BUDGET, f"{known} transfers of {allowed} are used"
    return None


def chain_transfers(contact: Contact, case: Case, look: Look) -> int | Unread | None:
    """Transfers the chain has behind this contact; ``None`` where that must be read first. A contact that is the first
    of its chain has none, and the router's own moves count even where Connect's ids do not show them."""
    first = contact.previous_id is None and contact.initial_id in (None, contact.id)
    read = 0 if first else look.transfers.get(contact.id)
    return max(read, len(case.chain_moves)) if isinstance(read, int) else read


def _own_moves(rule: BoundRule, case: Case, look: Look) -> Refusal | None:
    guard, moves = rule.rule.guard, case.chain_moves
    allowed = _stricter(look.limits.max_transfers, guard.max_transfers)
    if len(moves) >= allowed:
        return HoldReason.MAX_TRANSFERS, f"the router has moved this chain {len(moves)} times of {allowed}"
    cooldown = look.limits.cooldown if guard.cooldown is None else guard.cooldown
    last = max((move.settled_at or move.decided_at for move in moves), default=None)
    if last is not None and look.now - last < cooldown:
        return HoldReason.COOLDOWN, f"the router moved this chain {look.now - last} ago (cooldown {cooldown})"
    return None


def after_destinations(rule: BoundRule, look: Look, spent: Spent) -> Refusal | None:
    """Limits on how many are moved, once it is known that this one could be."""
    guard = rule.rule.guard
    if spent.cycle.total() >= look.limits.per_cycle:
        return HoldReason.PER_CYCLE, f"{look.limits.per_cycle} moves in this cycle"
    if guard.per_cycle is not None and spent.cycle[rule.name] >= guard.per_cycle:
        return HoldReason.PER_CYCLE, f"{guard.per_cycle} moves of this rule in this cycle"
    if spent.hour.total() >= look.limits.per_hour:
        return HoldReason.PER_HOUR, f"{look.limits.per_hour} moves in the last hour"
    if guard.per_hour is not None and spent.hour[rule.name] >= guard.per_hour:
        return HoldReason.PER_HOUR, f"{guard.per_hour} moves of this rule in the last hour"
    return None


def _stricter(service: int, rule: int | None) -> int:
    return service if rule is None else min(service, rule)
