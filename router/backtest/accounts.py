"""Describes accounts and acts of a backtest: their effects, hold reasons and records, and the binding of rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from router.backtest.difference import effect
from router.decide.decide import Account
from router.decide.decision import Hold, RoutingUpdate, RuleDecision, action_of
from router.decide.snapshot import Snapshot
from router.history.world import DecisionRecord
from router.model import Action, Directory, HoldReason, RoutingData
from router.rules.bind import bind, mentions_agents
from router.rules.bound import BoundRuleSet
from router.rules.rule import Mode, RuleSet

Effects = Counter[tuple[object, ...]]


def bound_to(ruleset: RuleSet, directory: Directory, before: BoundRuleSet | None = None) -> BoundRuleSet:
    """Binds rules. As in a service, a binding ``before`` stays in force, except one with a missing name."""
    new = bind(ruleset, directory, agents_known=mentions_agents(ruleset) and bool(directory.agents))
    if before is None:
        return new
    old = {rule.name: rule for rule in before.rules if not rule.unresolved}
    return replace(new, rules=tuple(old.get(rule.name, rule) for rule in new.rules))


def effects(records: Iterable[DecisionRecord]) -> Effects:
    return Counter(effect(one) for one in records if one.acts)


def reasons(decisions: Iterable[object]) -> frozenset[HoldReason]:
    return frozenset(one.reason for one in decisions if isinstance(one, Hold))


def state(account: Account) -> tuple[object, ...]:
    """Returns what the next decision depends on, apart from the time: while it holds, the content of the rule too."""
    held = any(isinstance(one, Hold) for one in account.decisions)
    governing = account.governance.governing if account.governance is not None else None
    content = governing.rule.fingerprint if held and governing is not None else None
    return (tuple(map(DecisionRecord.of, account.decisions)), account.next_due_at, content)


def record_of(decision: RuleDecision, look: Snapshot, revision: str) -> Action:
    """Returns the record of an act that the history shows later, or of a move that was not made."""
    observed = decision.mode is Mode.OBSERVE
    action = action_of(decision, revision=revision, cycle=look.cycle, now=look.now, observed=observed)
    return replace(action, routing=_routing(decision))


def _routing(decision: RuleDecision) -> RoutingData | None:
    if not isinstance(decision, RoutingUpdate):
        return None
    return RoutingData(priority=decision.routing.priority, age=decision.routing.age)
