"""Finds the queues that rules name, and which of them a rule takes contacts from and sends them to."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from router.model import bare_id
from router.problems import Problem
from router.prove.implication import is_id
from router.rules.condition import AllOf, Condition, Test, tests_of
from router.rules.queue_index import RuleIndex, could_match
from router.rules.rule import DestinationEntry, Mode, Place, Rule
from router.rules.value_test import TextForm


def error(place: Place, message: str) -> Problem:
    """Returns a finding with which the rules are refused."""
    return place.problem(message)


def warning(place: Place, message: str) -> Problem:
    """Returns a finding with which the rules run; ``check --strict`` refuses them."""
    return place.problem(message, "warning")


def scope_of(condition: Condition) -> TextForm | None:
    """Returns the queues and globs that a condition limits contacts to; ``None`` if that is not plain."""
    for part in condition.children if isinstance(condition, AllOf) else (condition,):
        form = part.form if isinstance(part, Test) and part.key == "queue" else None
        if isinstance(form, TextForm) and (form.literals or form.globs) and not form.negated:
            return form
    return None


def literal_queues(condition: Condition) -> tuple[str, ...] | None:
    """Returns the queues that a condition limits contacts to; ``None`` if it does not, or not without globs."""
    scope = scope_of(condition)
    return scope.literals if scope is not None and not scope.globs else None


def plain_start(text: str) -> str:
    """Returns the text before the first wildcard of a glob; a text without wildcards as it is."""
    return re.split(r"[*?]", text, maxsplit=1)[0]


def named_in(condition: Condition) -> Iterator[str]:
    """Yields every queue that the condition names, by name or id."""
    for test in tests_of(condition):
        yield from test.references


def may_match(condition: Condition, reference: str) -> bool:
    """Returns whether the condition could hold in that queue; also if a name would have to be compared with an id."""
    if is_id(reference) or any(is_id(name) for name in named_in(condition)):
        literals = literal_queues(condition)
        return literals is None or reference in literals or any(is_id(name) != is_id(reference) for name in literals)
    return could_match(condition, (reference,))


class QueueMatches:
    """Finds the rules that ``may_match`` in a queue, without a test of every rule for every queue."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._by_name = RuleIndex(rules)
        self._naming_ids: list[int] = []
        self._only_ids: dict[str, list[int]] = {}
        self._others: list[int] = []
        for position, rule in enumerate(rules):
            literals = literal_queues(rule.condition)
            only_ids = literals if literals is not None and all(map(is_id, literals)) else ()
            for one in only_ids:
                self._only_ids.setdefault(one, []).append(position)
            if not only_ids:
                self._others.append(position)
            if any(map(is_id, named_in(rule.condition))):
                self._naming_ids.append(position)

    def positions(self, queue: str) -> list[int]:
        """Returns the positions, in order, of the rules."""
        if is_id(queue):
            candidates = {*self._only_ids.get(queue, ()), *self._others}
        else:
            candidates = {*self._by_name.meeting((queue,)), *self._naming_ids}
        return [one for one in sorted(candidates) if may_match(self._rules[one].condition, queue)]


def surely_named(condition: Condition, reference: str) -> bool:
    """Returns whether the condition is about that queue, as far as names show."""
    if is_id(reference):
        return reference in (literal_queues(condition) or ())
    return could_match(condition, (reference,))


def queue_of(entry: DestinationEntry) -> str | None:
    return bare_id(entry.queue) if entry.queue is not None else None


@dataclass(frozen=True)
class RuleQueues:
    """Holds the rules that are not off, and finds the queues that any of them names."""

    rules: tuple[Rule, ...]

    @cached_property
    def known(self) -> tuple[str, ...]:
        named = {name for rule in self.rules for name in named_in(rule.condition)}
        entries = (entry for rule in self.rules for step in rule.to_steps for entry in step.entries)
        return tuple(sorted(named | {queue for entry in entries if (queue := queue_of(entry)) is not None}))

    @cached_property
    def destinations(self) -> tuple[str, ...]:
        """Returns the destinations of rules that enforce."""
        steps = (step for rule in self.rules if rule.mode is Mode.ENFORCE for step in rule.to_steps)
        found = (queue for step in steps for entry in step.entries if (queue := queue_of(entry)) is not None)
        return tuple(dict.fromkeys(found))

    def sources(self, rule: Rule) -> tuple[str, ...]:
        """Returns the known queues that the rule takes contacts from."""
        scope = scope_of(rule.condition)
        candidates = self.known if scope is None else self._within(scope)
        return tuple(queue for queue in candidates if surely_named(rule.condition, queue))

    def ever_left(self, queue: str) -> bool:
        """Returns whether a rule could move contacts out of this known queue."""
        return queue in self._left or self._ids_hide_names or (is_id(queue) and bool(self._left))

    def _within(self, scope: TextForm) -> list[str]:
        """Returns the known queues within the scope, without a comparison of every name with every glob."""
        found = set(scope.literals)
        for start in map(plain_start, scope.globs):
            index = bisect_left(self.known, start)
            while index < len(self.known) and self.known[index].startswith(start):
                found.add(self.known[index])
                index += 1
        return sorted(found)

    @cached_property
    def _moving(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.to_steps)

    @cached_property
    def _ids_hide_names(self) -> bool:
        return any(is_id(name) for rule in self._moving for name in named_in(rule.condition))

    @cached_property
    def _left(self) -> frozenset[str]:
        """Returns the queues that rules match, and those that one step leads to and a later one may lead out of."""
        matched = {queue for rule in self._moving for queue in self.sources(rule)}
        steps = (step for rule in self._moving for step in rule.to_steps[:-1])
        passed = {queue for step in steps for entry in step.entries if (queue := queue_of(entry)) is not None}
        return frozenset(matched | passed)
