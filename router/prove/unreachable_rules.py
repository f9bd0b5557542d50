"""Finds rules that can never govern: their condition cannot hold, or an earlier rule always governs first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from router.problems import Problem
from router.prove.implication import Prover
from router.prove.lint_queues import RuleQueues, error, may_match, plain_start, scope_of
from router.rules.rule import Mode, OnHold, Rule


def never_governing(queues: RuleQueues, prover: Prover) -> Iterator[Problem]:
    """Finds the rules that never govern; a rule that has moved a contact and finished makes room for others."""
    earlier = _Earlier()
    for rule in queues.rules:
        if prover.impossible(rule.condition):
            yield error(rule.place, f"rule '{rule.name}' can never {_work(rule)}: its conditions exclude each other")
            continue
        first = next((one for one in earlier.candidates(rule) if always_before(one, rule, queues, prover)), None)
        if first is not None:
            how = f"({first.place}) {'leaves alone' if first.excludes else 'governs'} every contact it matches"
            yield error(
                rule.place,
                f"rule '{rule.name}' can never {_work(rule)}: '{first.name}' {how}",
            )
        earlier.add(rule)


def _work(rule: Rule) -> str:
    """Returns the verb for what the rule does; side rules act without governing."""
    return "govern" if rule.to_steps or rule.excludes else "act"


class _Earlier:
    """Finds the earlier rules that could govern first, by the start of their queues' names."""

    def __init__(self) -> None:
        self._literal: dict[str, list[Rule]] = defaultdict(list)
        self._start: dict[str, list[Rule]] = defaultdict(list)
        self._anywhere: list[Rule] = []

    def add(self, rule: Rule) -> None:
        if rule.mode is not Mode.ENFORCE or not (rule.excludes or rule.to_steps):
            return
        scope = scope_of(rule.condition)
        if scope is None:
            self._anywhere.append(rule)
            return
        for literal in scope.literals:
            self._literal[literal].append(rule)
        for start in {plain_start(glob) for glob in scope.globs}:
            self._start[start].append(rule)

    def candidates(self, rule: Rule) -> Iterator[Rule]:
        """Yields every earlier rule whose queues could include all those of this one; one queue is enough to
        search by."""
        yield from self._anywhere
        scope = scope_of(rule.condition)
        queue = next(iter((*scope.literals, *scope.globs)), "") if scope is not None else ""
        yield from self._literal.get(queue, ())
        start = plain_start(queue)
        for length in range(len(start) + 1):
            yield from self._start.get(start[:length], ())


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
