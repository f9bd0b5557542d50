"""The queues that rules name, and which of them a rule takes contacts from and sends them to."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from router.model import bare_id
from router.problems import Problem
from router.prove.implication import is_id
from router.rules.condition import AllOf, Condition, Test, tests_of
from router.rules.queue_index import could_match
from router.rules.rule import DestinationEntry, Mode, Place, Rule
from router.rules.value_test import TextForm

# A finding of the proofs, as a located problem.


def error(place: Place, message: str) -> Problem:
    """Rules with it are refused."""
    return Problem(place.file, place.line, place.column, message)


def warning(place: Place, message: str) -> Problem:
    """Rules with it run; ``check --strict`` refuses them."""
    return Problem(place.file, place.line, place.column, message, "warning")


def scope_of(condition: Condition) -> TextForm | None:
    """The queues and globs that a condition narrows contacts to; ``None`` where it does not do it so plainly."""
    for part in condition.children if isinstance(condition, AllOf) else (condition,):
        form = part.form if isinstance(part, Test) and part.key == "queue" else None
        if isinstance(form, TextForm) and (form.literals or form.globs) and not form.negated:
            return form
    return None


def literal_queues(condition: Condition) -> tuple[str, ...] | None:
    """The queues that a condition narrows contacts to, by name or id alone; ``None`` where it does not."""
    scope = scope_of(condition)
    return scope.literals if scope is not None and not scope.globs else None


def plain_start(text: str) -> str:
    """What stands before the first wildcard of a glob; all of a text that is none."""
    return re.split(r"[*?]", text, maxsplit=1)[0]


def named_in(condition: Condition) -> Iterator[str]:
    """Every queue that the condition names, by name or id."""
    for test in tests_of(condition):
        yield from test.references


def may_match(condition: Condition, reference: str) -> bool:
    """Whether the condition could hold in the queue of that name or id; where a name and an id would have to be
    compared, it could."""
    if is_id(reference) or any(is_id(name) for name in named_in(condition)):
        literals = literal_queues(condition)
        return literals is None or reference in literals or any(is_id(name) != is_id(reference) for name in literals)
    return could_match(condition, (reference,))


def surely_named(condition: Condition, reference: str) -> bool:
    """Whether the queue is among those that the condition is about, as far as names tell."""
    if is_id(reference):
        return reference in (literal_queues(condition) or ())
    return could_match(condition, (reference,))


def queue_of(entry: DestinationEntry) -> str | None:
    return bare_id(entry.queue) if entry.queue is not None else None


@dataclass(frozen=True)
class RuleQueues:
    """The rules that are not off, and the queues that any of them names."""

    rules: tuple[Rule, ...]

    @cached_property
    def known(self) -> tuple[str, ...]:
        named = {name for rule in self.rules for name in named_in(rule.condition)}
        entries = (entry for rule in self.rules for step in rule.to_steps for entry in step.entries)
        return tuple(sorted(named | {queue for entry in entries if (queue := queue_of(entry)) is not None}))

    @cached_property
    def destinations(self) -> tuple[str, ...]:
        """Where rules that move contacts by themselves (not those that only observe) send them."""
        steps = (step for rule in self.rules if rule.mode is Mode.ENFORCE for step in rule.to_steps)
        found = (queue for step in steps for entry in step.entries if (queue := queue_of(entry)) is not None)
        return tuple(dict.fromkeys(found))

    def sources(self, rule: Rule) -> tuple[str, ...]:
        """The known queues that the rule takes contacts from."""
        scope = scope_of(rule.condition)
        asked = self.known if scope is None else self._within(scope)
        return tuple(queue for queue in asked if surely_named(rule.condition, queue))

    def ever_left(self, queue: str) -> bool:
        """Whether a rule could move contacts out of this known queue."""
        return queue in self._left or self._ids_tell_nothing or (is_id(queue) and bool(self._left))

    def _within(self, scope: TextForm) -> list[str]:
        """Known queues that could be meant, without holding every name against every glob."""
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
    def _ids_tell_nothing(self) -> bool:
        return any(is_id(name) for rule in self._moving for name in named_in(rule.condition))

    @cached_property
    def _left(self) -> frozenset[str]:
        """What rules match, and what a step leads to and a later step of the same rule may lead out of."""
        matched = {queue for rule in self._moving for queue in self.sources(rule)}
        steps = (step for rule in self._moving for step in rule.to_steps[:-1])
        passed = {queue for step in steps for entry in step.entries if (queue := queue_of(entry)) is not None}
        return frozenset(matched | passed)
