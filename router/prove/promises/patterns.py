"""Turns globs and regular expressions of RE2 into automata, whose common and separate texts can be searched."""

from __future__ import annotations

import re
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as sre_parser  # type: ignore[import-not-found]
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from re import DOTALL, IGNORECASE, MULTILINE
from typing import Any

from router.prove.promises.verdict import Unsure

Span = tuple[int, int]
"""The first and the last code point of a range."""
LAST = 0x10FFFF
EVERY: tuple[Span, ...] = ((0, LAST),)
NO_LINE_END: tuple[Span, ...] = ((0, 9), (11, LAST))
BEGIN, END = "begin", "end"
"""Edges without a character that are possible at the begin, or at the end, of the text only."""

CATEGORIES: dict[Any, tuple[Span, ...]] = {
    sre.CATEGORY_DIGIT: ((48, 57),),
    sre.CATEGORY_WORD: ((48, 57), (65, 90), (95, 95), (97, 122)),
    sre.CATEGORY_SPACE: ((9, 10), (12, 13), (32, 32)),
}
"""What RE2 means by them: ASCII only (RE2 syntax, "Perl character classes")."""
OPPOSITE = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
}
READ_DIFFERENTLY = ("[:", "{,", "(?-i", r"\b", r"\B")
"""Parts that Python's parser reads differently from RE2, and word boundaries."""
ALSO_FOLDED = {ord("k"): 0x212A, ord("s"): 0x17F}
"""Letters outside of ASCII that RE2 takes for letters of ASCII if case does not matter."""


@dataclass(slots=True)
class Automaton:
    """Holds states and their edges. State 0 is the start; ``final`` is the state of a text that fits."""

    edges: list[list[tuple[tuple[Span, ...], int]]] = field(default_factory=lambda: [[]])
    jumps: list[list[tuple[str | None, int]]] = field(default_factory=lambda: [[]])
    final: int = 0

    def state(self) -> int:
        self.edges.append([])
        self.jumps.append([])
        return len(self.edges) - 1

    def jump(self, source: int, target: int, when: str | None = None) -> None:
        self.jumps[source].append((when, target))

    def step(self, source: int, spans: tuple[Span, ...]) -> int:
        target = self.state()
        self.edges[source].append((spans, target))
        return target

    def closure(self, states: Iterable[int], *, when: str | None = None) -> frozenset[int]:
        """Returns the states that are reached without a character; ``when`` allows the edges of that name too."""
        found, waiting = set(states), list(states)
        while waiting:
            for condition, target in self.jumps[waiting.pop()]:
                if condition in (None, when) and target not in found:
                    found.add(target)
                    waiting.append(target)
        return frozenset(found)

    def spans(self) -> Iterator[tuple[Span, ...]]:
        return (spans for edges in self.edges for spans, _ in edges)

    def start(self) -> frozenset[int]:
        return self.closure([0], when=BEGIN)

    def after(self, state: int, code: int) -> frozenset[int]:
        return self.closure([target for spans, target in self.edges[state] if within(code, spans)])

    def accepts(self, states: Iterable[int]) -> bool:
        return self.final in self.closure(states, when=END)

    def accepts_nothing_read(self) -> bool:
        """Returns whether the empty text fits: it is at its begin and at its end."""
        states, before = self.start(), frozenset[int]()
        while states != before:
            before, states = states, self.closure(self.closure(states, when=END), when=BEGIN)
        return self.final in states


def within(code: int, spans: tuple[Span, ...]) -> bool:
    return any(low <= code <= high for low, high in spans)


@lru_cache(maxsize=4_096)
def glob_automaton(text: str) -> Automaton:
    """Returns the automaton of a glob, or of a plain text."""
    made = Automaton()
    at = 0
    for character in text:
        if character == "*":
            made.edges[at].append((EVERY, at))
            loop = made.state()
            made.jump(at, loop)
            at = loop
        else:
            at = made.step(at, EVERY if character == "?" else ((ord(character), ord(character)),))
    made.final = at
    return made


@lru_cache(maxsize=4_096)
def regex_automaton(text: str, *, folded: bool) -> Automaton:
    """Returns the automaton of a regular expression. Raises ``Unsure`` for one outside of the fragment."""
    odd = next((part for part in READ_DIFFERENTLY if part in text), None)
    if odd is not None:
        raise Unsure(f'the regular expression "{text}" has {odd}, which no proof covers')
    try:
        parsed = sre_parser.parse(text)
    except (re.error, OverflowError, RecursionError):
        raise Unsure(f'the regular expression "{text}" has a form that no proof covers') from None
    made = Automaton()
    builder = _Builder(made, text)
    made.final = builder.add(parsed, 0, parsed.state.flags | (IGNORECASE if folded else 0))
    return made


@dataclass(slots=True)
class _Builder:
    made: Automaton
    text: str

    def add(self, parts: Any, at: int, flags: int) -> int:
        """Adds the parts behind a state, and returns the state after them."""
        for operator, argument in parts:
            at = self._one(operator, argument, at, flags)
            if len(self.made.edges) > 20_000:
                raise Unsure(f'the regular expression "{self.text}" is too large for a proof')
        return at

    def _one(self, operator: Any, argument: Any, at: int, flags: int) -> int:
        if operator in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            return self.made.step(at, self._spans(operator, argument, flags))
        if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, inside = argument
            return self._repeat(least, most, inside, at, flags)
        if operator is sre.SUBPATTERN:
            _, added, removed, inside = argument
            return self.add(inside, at, (flags | added) & ~removed)
        if operator is sre.BRANCH:
            end = self.made.state()
            for inside in argument[1]:
                self.made.jump(self.add(inside, at, flags), end)
            return end
        if operator is sre.AT and not flags & MULTILINE:
            begins = argument in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)
            end = self.made.state()
            self.made.jump(at, end, BEGIN if begins else END)
            if begins or argument is sre.AT_END:
                return end
        raise Unsure(f'the regular expression "{self.text}" has a part that no proof covers')

    def _repeat(self, least: int, most: Any, inside: Any, at: int, flags: int) -> int:
        for _ in range(least):
            at = self.add(inside, at, flags)
        if most is sre.MAXREPEAT:
            loop = self.made.state()
            self.made.jump(at, loop)
            self.made.jump(self.add(inside, loop, flags), loop)
            return loop
        end = self.made.state()
        self.made.jump(at, end)
        for _ in range(most - least):
            at = self.add(inside, at, flags)
            self.made.jump(at, end)
        return end

    def _spans(self, operator: Any, argument: Any, flags: int) -> tuple[Span, ...]:
        if operator is sre.ANY:
            return EVERY if flags & DOTALL else NO_LINE_END
        parts = argument if operator is sre.IN else [(sre.LITERAL, argument)]
        negated = operator is sre.NOT_LITERAL or (sre.NEGATE, None) in parts
        spans = [span for part in parts for span in self._of_part(*part)]
        if flags & IGNORECASE:
            spans = self._folded(spans)
        return complement(spans) if negated else tuple(sorted(spans))

    def _of_part(self, operator: Any, argument: Any) -> tuple[Span, ...]:
        if operator is sre.NEGATE:
            return ()
        if operator is sre.LITERAL:
            return ((argument, argument),)
        if operator is sre.RANGE:
            return (argument,)
        opposite = OPPOSITE.get(argument)
        return complement(CATEGORIES[opposite]) if opposite is not None else CATEGORIES[argument]

    def _folded(self, spans: list[Span]) -> list[Span]:
        plain = [span for span in spans if span[1] < 128]
        if any(high >= 128 and not (low == 128 or high == LAST) for low, high in spans if (low, high) not in plain):
            raise Unsure(f'the regular expression "{self.text}" ignores the case of letters outside of ASCII')
        codes = {code for low, high in spans for code in range(low, min(high, 127) + 1)}
        both = {ord(form) for code in codes for form in (chr(code).lower(), chr(code).upper())}
        also = {other for letter, other in ALSO_FOLDED.items() if letter in both}
        return [*spans, *((code, code) for code in both | also)]


def complement(spans: Iterable[Span]) -> tuple[Span, ...]:
    found, after = [], 0
    for low, high in sorted(spans):
        if low > after:
            found.append((after, low - 1))
        after = max(after, high + 1)
    return (*found, (after, LAST)) if after <= LAST else tuple(found)
