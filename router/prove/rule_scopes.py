"""Finds the rules whose conditions could meet on one contact, without a comparison of every rule with every other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import accumulate, chain, product
from math import prod
from operator import and_, or_
from typing import Any

from router.prove.implication import always, key_of
from router.prove.lint_queues import plain_start
from router.prove.overlap import MOST_WAYS, OTHER
from router.rules.condition import AnyOf, Condition, NoneOf, Test, tests_of
from router.rules.rule import Rule
from router.rules.value_test import Form, RangeForm, TextForm, as_number, pattern_start

Limit = tuple[TextForm | RangeForm, ...]
"""Forms, one of which the value of a key must fit; empty if any value may fit."""
Way = Mapping[str, Limit]
"""One way in which a condition can hold: the limit of each key that it tests."""


def ways_of(condition: Condition) -> Sequence[Way]:
    """Returns the ways in which a condition can hold. Many ways are joined into one, with what they have in common."""
    if isinstance(condition, Test):
        return [{key_of(condition): _limit_of(condition)}]
    if isinstance(condition, NoneOf):
        return [{key_of(test): () for test in tests_of(condition)}]
    inside = [ways_of(child) for child in condition.children]
    if isinstance(condition, AnyOf):
        ways = [way for each in inside for way in each]
        return ways if len(ways) <= MOST_WAYS else [_joined(ways)]
    if prod(map(len, inside)) > MOST_WAYS:
        inside = [[_joined(ways)] for ways in inside]
    return [{key: _narrowest(key, ways) for key in set().union(*ways)} for ways in product(*inside)]


def _limit_of(test: Test) -> Limit:
    form = test.form
    if isinstance(form, TextForm):
        texts = _texts((form,)) or {form.pattern or "*"}
        unlimited = form.negated or always(test) or any(text and not text.strip("*") for text in texts)
        return () if unlimited else (form,)
    return (form,) if isinstance(form, RangeForm) else ()


def _texts(limit: Limit) -> set[str]:
    return {text for form in limit if isinstance(form, TextForm) for text in (*form.literals, *form.globs)}


def _narrowest(key: str, ways: Sequence[Way]) -> Limit:
    """Returns the limit with the fewest texts, or else all other limits together: one value must fit each of them."""
    limits = [way[key] for way in ways if way.get(key)]
    plain = [limit for limit in limits if all(_texts((form,)) for form in limit)]
    return min(plain, key=lambda limit: len(_texts(limit))) if plain else tuple(chain.from_iterable(limits))


def _joined(ways: Sequence[Way]) -> Way:
    limits = {key: [way.get(key, ()) for way in ways] for key in set().union(*ways)}
    return {key: tuple(chain.from_iterable(some)) if all(some) else () for key, some in limits.items()}


@dataclass(slots=True)
class _Ends:
    """Holds ways by one end of a range. A set of ways is a number with a bit for each way."""

    by_end: dict[Any, int] = field(default_factory=lambda: defaultdict(int))
    unlimited: int = 0
    _sorted: list[Any] = field(default_factory=list)
    _up_to: list[int] = field(default_factory=list)

    def add(self, end: Any, bit: int) -> None:
        if end is None:
            self.unlimited |= bit
        else:
            self.by_end[end] |= bit

    def at_most(self, end: Any) -> int:
        """Returns the ways with no higher end, and those without an end; ``None`` is above every end."""
        if not self._up_to:
            self._sorted = sorted(self.by_end)
            self._up_to = list(accumulate(map(self.by_end.__getitem__, self._sorted), or_, initial=self.unlimited))
        return self._up_to[-1 if end is None else bisect_right(self._sorted, end)]


@dataclass(slots=True)
class _Spans:
    """Holds ways by ranges of numbers or durations, in which ``None`` is no limit."""

    lows: _Ends = field(default_factory=_Ends)
    highs: _Ends = field(default_factory=_Ends)
    """The negative of each upper end."""

    def add(self, low: Any, high: Any, bit: int) -> None:
        self.lows.add(low, bit)
        self.highs.add(_negative(high), bit)

    def meeting(self, low: Any, high: Any) -> int:
        return self.lows.at_most(high) & self.highs.at_most(_negative(low))


def _negative(end: Any) -> Any:
    return None if end is None else -end


@dataclass(slots=True)
class _LimitedTo:
    """Holds the ways that limit one key, by texts and ranges.

    ``bare`` are the ways with nothing except one regular expression. No contact is known to fit two of these, except
    if the expressions are equal.
    """

    limited: int = 0
    bare: int = 0
    by_text: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_start: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_form: dict[TextForm | RangeForm, int] = field(default_factory=lambda: defaultdict(int))
    ranges: _Spans = field(default_factory=_Spans)
    numerals: _Spans = field(default_factory=_Spans)
    _sorted: tuple[str, ...] = ()

    def add(self, limit: Limit, bit: int, *, bare: bool) -> None:
        self.limited |= bit
        self.bare |= bit if bare else 0
        for form in limit:
            if isinstance(form, RangeForm):
                self.ranges.add(form.min, form.max, bit)
                continue
            self.by_form[form] |= bit if bare else 0
            for start in _starts(form):
                self.by_start[start] |= bit
            for text in form.literals:
                self.by_text[text] |= bit
                if (number := as_number(text)) is not None:
                    self.numerals.add(number, number, bit)

    def near(self, limit: Limit, *, bare: bool) -> int:
        """Returns the ways whose values may fit one of these forms; never too few."""
        found = reduce(or_, map(self._near, limit))
        return found & ~self.bare | self.by_form.get(limit[0], 0) if bare else found

    def _near(self, form: TextForm | RangeForm) -> int:
        if isinstance(form, RangeForm):
            both = self.ranges.meeting(form.min, form.max) | self.numerals.meeting(form.min, form.max)
            return reduce(or_, self.by_start.values(), both)
        found = 0
        for text in form.literals:
            found |= self.by_text.get(text, 0) | self._within(text)
            if (number := as_number(text)) is not None:
                found |= self.ranges.meeting(number, number)
        for start in _starts(form):
            found |= self._within(start) | self._beginning_with(start) | self.ranges.meeting(None, None)
        return found

    def _within(self, text: str) -> int:
        """Returns the ways with a pattern that begins like the text."""
        return reduce(or_, (self.by_start.get(text[:length], 0) for length in range(len(text) + 1)))

    def _beginning_with(self, start: str) -> int:
        self._sorted = self._sorted or tuple(sorted({*self.by_text, *self.by_start}))
        found, index = 0, bisect_left(self._sorted, start)
        while index < len(self._sorted) and self._sorted[index].startswith(start):
            found |= self.by_text.get(self._sorted[index], 0) | self.by_start.get(self._sorted[index], 0)
            index += 1
        return found


def _starts(form: TextForm) -> list[str]:
    """Returns the texts with which the values begin that fit the globs or the regular expression."""
    found = [plain_start(glob) for glob in form.globs]
    return found if form.pattern is None else [*found, pattern_start(form.pattern, folded=form.folded)]


@dataclass(slots=True)
class _ByKeys:
    """Holds ways by sets of keys."""

    ways: dict[frozenset[str], int] = field(default_factory=lambda: defaultdict(int))
    _within: dict[frozenset[str], int] = field(default_factory=dict)

    def within(self, keys: frozenset[str]) -> int:
        """Returns the ways that have no other keys than these."""
        if keys not in self._within:
            self._within[keys] = reduce(or_, (ways for own, ways in self.ways.items() if own <= keys), 0)
        return self._within[keys]


class RuleScopes:
    """Holds rules by the values to which their conditions limit contacts, a bit for each way of each rule."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._ways = [[_Scope.of(way, rule.condition) for way in ways_of(rule.condition)] for rule in rules]
        self._owners = [position for position, ways in enumerate(self._ways) for _ in ways]
        self._values: dict[str, _LimitedTo] = defaultdict(_LimitedTo)
        self._tested: dict[str, int] = defaultdict(int)
        self._limiting, self._bare = _ByKeys(), _ByKeys()
        for number, scope in enumerate(chain.from_iterable(self._ways)):
            self._add(scope, 1 << number)

    def _add(self, scope: _Scope, bit: int) -> None:
        self._limiting.ways[frozenset(scope.limits)] |= bit
        self._bare.ways[scope.bare] |= bit
        for key in scope.tested:
            self._tested[key] |= bit
        for key, limit in scope.limits.items():
            self._values[key].add(limit, bit, bare=key in scope.bare)

    def overlapping(self, position: int, *, after: bool) -> Iterator[Rule]:
        """Yields the rules before, or after, that could be shown to match a contact of the rule at this position, in
        order."""
        return self._each(reduce(or_, map(self._meeting, self._ways[position]), 0), position, after=after)

    def wider(self, position: int) -> Iterator[Rule]:
        """Yields the rules before that could match every contact of the rule at this position, in order."""
        found = (self._near(scope, self._less_limited(scope)) for scope in self._ways[position])
        return self._each(min(found, key=int.bit_count, default=0), position, after=False)

    def _meeting(self, scope: _Scope) -> int:
        """Returns the ways that could imply this one, that it could imply, or that a known contact could fit as well.

        A value that fits a bare expression is known only if the other way tests the key too.
        """
        shown = reduce(and_, map(self._tested.__getitem__, scope.bare), self._bare.within(scope.tested))
        narrower = reduce(and_, (self._values[key].limited for key in scope.limits), -1)
        return self._near(scope, shown | narrower | self._less_limited(scope))

    def _less_limited(self, scope: _Scope) -> int:
        """Returns the ways that limit none except the keys that this one limits."""
        return self._limiting.within(frozenset(scope.limits))

    def _near(self, scope: _Scope, found: int) -> int:
        for key, limit in scope.limits.items():
            values = self._values[key]
            found &= ~values.limited | values.near(limit, bare=key in scope.bare)
        return found

    def _each(self, ways: int, position: int, *, after: bool) -> Iterator[Rule]:
        first = bisect_left(self._owners, position + after)
        ways &= (1 << len(self._owners)) - (1 << first) if after else (1 << first) - 1
        last = -1
        while ways:
            lowest = ways & -ways
            owner = self._owners[lowest.bit_length() - 1]
            if owner != last:
                yield self.rules[owner]
            last = owner
            ways ^= lowest


@dataclass(frozen=True, slots=True)
class _Scope:
    """Holds one way of a condition. The condition tests its ``bare`` keys with nothing except one regular expression,
    and ``common_contact`` knows no value that fits it. For a queue it knows the names in the rules."""

    limits: Way
    tested: frozenset[str]
    bare: frozenset[str]

    @classmethod
    def of(cls, way: Way, condition: Condition) -> _Scope:
        limits = {key: limit for key, limit in way.items() if limit}
        counted = Counter(map(key_of, tests_of(condition)))
        bare = {key for key, limit in limits.items() if counted[key] == 1 and key != "queue" and _is_bare(limit[0])}
        return cls(limits, frozenset(way), frozenset(bare))


def _is_bare(form: Form) -> bool:
    return isinstance(form, TextForm) and form.pattern is not None and not form(OTHER)
