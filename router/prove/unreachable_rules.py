"""Finds rules that can never govern: their condition cannot hold, or an earlier rule always governs first."""

from __future__ import annotations

from collections.abc import Iterator

from router.problems import Problem
from router.prove.implication import Prover
from router.prove.lint_queues import RuleQueues, error, may_match
from router.prove.rule_scopes import RuleScopes
from router.rules.rule import Mode, OnHold, Rule


def never_governing(queues: RuleQueues, prover: Prover, scopes: RuleScopes) -> Iterator[Problem]:
    """Finds the rules that never govern; a rule that has moved a contact and finished makes room for others."""
    for position, rule in enumerate(queues.rules):
        if prover.impossible(rule.condition):
            yield error(rule.place, f"rule '{rule.name}' can never {_work(rule)}: its conditions exclude each other")
            continue
        earlier = (one for one in scopes.wider(position) if _may_govern(one))
        first = next((one for one in earlier if always_before(one, rule, queues, prover)), None)
        if first is not None:
            how = f"({first.place}) {'leaves alone' if first.excludes else 'governs'} every contact it matches"
            yield error(
                rule.place,
                f"rule '{rule.name}' can never {_work(rule)}: '{first.name}' {how}",
            )


def _may_govern(rule: Rule) -> bool:
    return rule.mode is Mode.ENFORCE and (rule.excludes or bool(rule.to_steps))


def _work(rule: Rule) -> str:
    """Returns the verb for what the rule does; side rules act without governing."""
    return "govern" if rule.to_steps or rule.excludes else "act"


def always_before(first: Rule, rule: Rule, queues: RuleQueues, prover: Prover) -> bool:
    """Returns whether the first rule surely governs, or excludes, every contact that the other one matches."""
    if not (_in_force_with(first, rule) and prover.implies(rule.condition, first.condition)):
        return False
    if first.excludes:
        return True
    if rule.mode is not Mode.ENFORCE or not (rule.to_steps or rule.excludes):
        return False  # it is a side rule
    if first.on_hold is OnHold.NEXT:
        return False  # while the first rule holds a contact, the second one may govern it
    # The first rule is finished only with contacts that it has moved. The second one sees them if any rule moves
    # contacts into its queues.
    return not any(may_match(rule.condition, queue) for queue in queues.destinations)


def _in_force_with(first: Rule, rule: Rule) -> bool:
    """Returns whether the first rule is in force, for the same contacts, whenever the other is."""
    begins = first.from_at is None or (rule.from_at is not None and first.from_at <= rule.from_at)
    ends = first.until_at is None or (rule.until_at is not None and rule.until_at <= first.until_at)
    since, own = first.guard.enqueued_after, rule.guard.enqueued_after
    return begins and ends and (since is None or (own is not None and since <= own))
