"""Finds the rules whose conditions could meet on one contact, without a comparison of every rule with every other."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from router.prove.implication import always, key_of
from router.prove.lint_queues import plain_start
from router.rules.condition import AllOf, AnyOf, Condition, Test
from router.rules.rule import Rule
from router.rules.value_test import TextForm

Texts = frozenset[str]
"""Texts without wildcards, and globs, one of which the value of a key must be."""


def scopes_of(condition: Condition) -> Mapping[str, Texts]:
    """Returns by key the texts and globs to which a condition limits the value; keys without such a limit are absent.
    """
    if isinstance(condition, Test):
        form = condition.form
        if not isinstance(form, TextForm) or form.negated or always(condition):
            return {}
        texts = frozenset((*form.literals, *form.globs))
        return {key_of(condition): texts} if all(text.strip("*") or not text for text in texts) and texts else {}
    inside = [scopes_of(child) for child in condition.children] if isinstance(condition, AllOf | AnyOf) else []
    if isinstance(condition, AllOf):
        return {key: min((one[key] for one in inside if key in one), key=len) for one in inside for key in one}
    common = set(inside[0]).intersection(*inside[1:]) if inside else ()
    return {key: frozenset().union(*(one[key] for one in inside)) for key in common}


@dataclass(slots=True)
class _LimitedTo:
    """Holds which rules limit one key to which texts. A set of rules is a number with a bit for each position."""

    limited: int = 0
    by_text: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_start: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _sorted: tuple[str, ...] = ()

    def add(self, position: int, texts: Texts) -> None:
        self.limited |= 1 << position
        for text in texts:
            start = plain_start(text)
            (self.by_text if start == text else self.by_start)[start] |= 1 << position

    def near(self, texts: Texts) -> int:
        """Returns the rules whose values may include one of these texts; never too few."""
        found = 0
        for text in texts:
            start = plain_start(text)
            for length in range(len(start) + 1):
                found |= self.by_start.get(start[:length], 0)
            found |= self.by_text.get(text, 0) if start == text else self._beginning_with(start)
        return found

    def _beginning_with(self, start: str) -> int:
        self._sorted = self._sorted or tuple(sorted({*self.by_text, *self.by_start}))
        found, index = 0, bisect_left(self._sorted, start)
        while index < len(self._sorted) and self._sorted[index].startswith(start):
            found |= self.by_text.get(self._sorted[index], 0) | self.by_start.get(self._sorted[index], 0)
            index += 1
        return found


class RuleScopes:
    """Holds rules by the texts to which their conditions limit values."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._scopes = [scopes_of(rule.condition) for rule in rules]
        self._values: dict[str, _LimitedTo] = defaultdict(_LimitedTo)
        for position, scopes in enumerate(self._scopes):
            for key, texts in scopes.items():
                self._values[key].add(position, texts)

    def overlapping(self, position: int, *, after: bool) -> Iterator[Rule]:
        """Yields the rules before, or after, that could match a contact of the rule at this position, in order."""
        found = self._others(position, after=after)
        for key, texts in self._scopes[position].items():
            values = self._values[key]
            found &= ~values.limited | values.near(texts)
        yield from self._each(found)

    def wider(self, position: int) -> Iterator[Rule]:
        """Yields the rules before that could match every contact of the rule at this position, in order."""
        found, scopes = self._others(position, after=False), self._scopes[position]
        for key, values in self._values.items():
            found &= ~values.limited | (values.near(scopes[key]) if key in scopes else 0)
        yield from self._each(found)

    def _others(self, position: int, *, after: bool) -> int:
        before = (1 << position) - 1
        return ((1 << len(self.rules)) - 1) & ~before & ~(1 << position) if after else before

    def _each(self, positions: int) -> Iterator[Rule]:
        while positions:
            lowest = positions & -positions
            yield self.rules[lowest.bit_length() - 1]
            positions ^= lowest
